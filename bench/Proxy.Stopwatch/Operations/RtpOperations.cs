using System;
using System.Collections.Generic;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Rtp.Jitter;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Srtp;

namespace Proxy.Stopwatch.Operations;

internal static class RtpOperations
{
    public static IEnumerable<Operation> All
    {
        get
        {
            yield return new Operation("RTP: parse a packet", Parse);
            yield return new Operation("RTP: jitter buffer, push and pop a frame", Jitter);
            yield return new Operation("RTP: passthrough sequencer, a packet", Sequencer);
            foreach (SrtpProfile profile in Enum.GetValues<SrtpProfile>())
            {
                yield return new Operation($"SRTP: protect 172 bytes, {profile}", () => Protect(profile));
                yield return new Operation($"SRTP: protect and unprotect, {profile}", () => Both(profile));
            }
        }
    }

    private static Action Parse()
    {
        byte[] packet = new byte[200];
        int length = RtpWriter.Write(packet, new RtpHeader(0, false, 1, 160, 5), new byte[160], 3, 40);
        return () => RtpView.TryParse(packet.AsSpan(0, length), out _, out _);
    }

    private static Action Jitter()
    {
        JitterBuffer jitter = new(new Limits(), new PacketSlab(64, 1_500), 8_000);
        byte[] packet = new byte[172];
        byte[] payload = new byte[1_500];
        RtpWriter.Write(packet, new RtpHeader(0, false, 0, 0, 5), new byte[160]);
        int count = 0;
        return () =>
        {
            count++;
            MonoTime now = MonoTime.FromMillis(1_000 + (count * 20L));
            RtpWriter.Patch(packet, new RtpHeader(0, false, (ushort)count, (uint)count * 160, 5));
            RtpView.TryParse(packet, out RtpView view, out _);
            jitter.Push(view, 160, now);
            jitter.Pop(now, 160, payload, out _);
        };
    }

    private static Action Sequencer()
    {
        PassthroughSequencer sequencer = new(new Limits(), new PacketSlab(64, 1_500), 8_000, 1, 1);
        byte[] packet = new byte[172];
        byte[] payload = new byte[1_500];
        RtpWriter.Write(packet, new RtpHeader(0, false, 0, 0, 5), new byte[160]);
        int count = 0;
        return () =>
        {
            count++;
            MonoTime now = MonoTime.FromMillis(1_000 + (count * 20L));
            RtpWriter.Patch(packet, new RtpHeader(0, false, (ushort)count, (uint)count * 160, 5));
            RtpView.TryParse(packet, out RtpView view, out _);
            sequencer.Push(view, now, out _);
            sequencer.TryPoll(now, payload, out _, out _);
        };
    }

    private static Action Protect(SrtpProfile profile)
    {
        (SrtpSession near, _) = Pair(profile);
        Stream stream = new();
        return () => near.ProtectRtp(stream.Packet, stream.Next());
    }

    private static Action Both(SrtpProfile profile)
    {
        (SrtpSession near, SrtpSession far) = Pair(profile);
        Stream stream = new();
        return () =>
        {
            int length = near.ProtectRtp(stream.Packet, stream.Next());
            if (far.UnprotectRtp(stream.Packet.AsSpan(0, length), out _) != SrtpVerdict.Ok)
            {
                throw new InvalidOperationException("a packet of ours was refused");
            }
        };
    }

    private static (SrtpSession Near, SrtpSession Far) Pair(SrtpProfile profile)
    {
        byte[] one = new byte[SrtpParameters.Of(profile).KeyAndSaltBytes];
        byte[] two = new byte[one.Length];
        two[0] = 1;
        return (new SrtpSession(profile, one, two), new SrtpSession(profile, two, one));
    }

    /// <summary>One owner. Packets of 172 bytes, counted up.</summary>
    private sealed class Stream
    {
        private ushort _sequence;

        public byte[] Packet { get; } = new byte[220];

        public int Next()
        {
            RtpWriter.WriteHeader(Packet, new RtpHeader(0, false, ++_sequence, _sequence * 160u, 5));
            return 172;
        }
    }
}
