using System;
using Proxy.Audio.Codecs;
using Proxy.Audio.Tones;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Rtp.Jitter;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Srtp;
using Xunit;

namespace Proxy.Audio.Tests;

/// <summary>The packet path in one piece: no managed byte after warm-up. tests/Proxy.Alloc repeats it natively, member by member.</summary>
public sealed class AllocationTests
{
    [Theory]
    [InlineData(SrtpProfile.AesCm128HmacSha1_80)]
    [InlineData(SrtpProfile.AeadAes128Gcm)]
    public void From_a_carriers_packet_to_a_rooms_and_back_nothing_is_allocated(SrtpProfile profile)
    {
        using PacketSlab slab = new(64, 1500);
        using PlayoutStream playout = new(new Limits(), slab);
        playout.SetCodec(0, new G711Codec(G711Law.Mu));
        using PassthroughSequencer sequencer = new(new Limits(), slab, 8000, 1, 1);
        using Transcoder transcoder = new(new OpusCodec(new OpusOptions { Complexity = 0 }, CodecUse.Encode));
        byte[] keys = new byte[SrtpParameters.Of(profile).KeyAndSaltBytes];
        using SrtpSession srtp = new(profile, keys, keys);
        Mixer mixer = new();
        SineWave sine = new(440, -10);
        using G711Codec codec = new(G711Law.Mu);
        byte[] packet = new byte[1500];
        byte[] payload = new byte[1500];
        short[] pcm = new short[160];

        long allocated = 0;
        for (int i = 0; i < 600; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            MonoTime now = MonoTime.FromMillis(1000 + (i * 20));
            sine.Fill(pcm);
            int length = codec.Encode(pcm, packet.AsSpan(12));
            RtpWriter.WriteHeader(packet, new RtpHeader(0, false, (ushort)(i % 50 == 7 ? i + 1 : i), (uint)(i * 160), 5));
            length = srtp.ProtectRtp(packet, length + 12);
            if (length > 0 && srtp.UnprotectRtp(packet.AsSpan(0, length), out int plain) == SrtpVerdict.Ok
                && RtpView.TryParse(packet.AsSpan(0, plain), out RtpView view, out _))
            {
                sequencer.Push(view, now, out _);
                playout.Push(view, now);
            }
            while (sequencer.TryPoll(now, payload, out _, out _))
            {
            }
            playout.Pull(pcm, now.AddMillis(5));
            mixer.Clear();
            mixer.Add(pcm);
            mixer.Write(pcm);
            transcoder.Encode(pcm, payload, out _);
            allocated = i < 300 ? 0 : allocated + GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Assert.Equal(0, allocated);
    }
}
