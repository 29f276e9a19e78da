using System;
using Proxy.Audio;
using Proxy.Audio.Codecs;
using Proxy.Audio.Tones;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Rtp.Packets;
using static Proxy.Alloc.CaseList;

namespace Proxy.Alloc.Cases;

internal static class AudioCases
{
    public static void Add(CaseList list)
    {
        short[] pcm = new short[160 + 80];
        new SineWave(440, -10).Fill(pcm.AsSpan(0, 160));
        byte[] payload = new byte[400];
        AddCodec(list, new G711Codec(G711Law.Mu), pcm);
        AddCodec(list, new G711Codec(G711Law.A), pcm);
        AddOpus(list, pcm);
        list.Add(nameof(AudioLevel), nameof(AudioLevel.OfG711), () => AudioLevel.OfG711(payload, G711Law.Mu));
        list.Add(nameof(AudioLevel), nameof(AudioLevel.OfPcm), () => Must(AudioLevel.OfPcm(pcm.AsSpan(0, 160)) is > 0 and < 30));
        Transcoder transcoder = new(new OpusCodec(new OpusOptions { Complexity = 0 }, CodecUse.Encode));
        list.Add(nameof(Transcoder), nameof(Transcoder.Encode), () => Must(transcoder.Encode(pcm.AsSpan(0, 160), payload, out _) > 0));
        Mixer mixer = new();
        short[] mixed = new short[160];
        list.Add(nameof(Mixer), nameof(Mixer.Add), () =>
        {
            mixer.Clear();
            mixer.Add(pcm.AsSpan(0, 160));
            mixer.Add(pcm.AsSpan(0, 160));
            mixer.Write(mixed);
        }).Also(nameof(Mixer), nameof(Mixer.Clear)).Also(nameof(Mixer), nameof(Mixer.Write));
        AddShape(list, pcm);
        AddPlayout(list);
    }

    private static void AddCodec(CaseList list, G711Codec codec, short[] pcm)
    {
        byte[] packet = new byte[160];
        short[] heard = new short[160];
        list.Add(nameof(G711Codec), nameof(G711Codec.Encode), () =>
        {
            Must(codec.Encode(pcm.AsSpan(0, 160), packet) == 160 && codec.Duration(packet) == 160);
            Must(codec.Decode(packet, heard) == 160 && !codec.Conceal(default, heard));
        }).Also(nameof(G711Codec), nameof(G711Codec.Duration)).Also(nameof(G711Codec), nameof(G711Codec.Decode)).Also(nameof(G711Codec), nameof(G711Codec.Conceal));
    }

    private static void AddOpus(CaseList list, short[] pcm)
    {
        OpusCodec encoder = new(new OpusOptions { Complexity = 0 }, CodecUse.Encode);
        OpusCodec decoder = new(new OpusOptions(), CodecUse.Decode);
        byte[] packet = new byte[400];
        short[] heard = new short[160];
        list.Add(nameof(OpusCodec), nameof(OpusCodec.Encode), () =>
        {
            int length = encoder.Encode(pcm.AsSpan(0, 160), packet);
            Must(length > 0 && decoder.Duration(packet.AsSpan(0, length)) == 160);
            Must(decoder.Decode(packet.AsSpan(0, length), heard) == 160 && decoder.Conceal(default, heard));
        }).Also(nameof(OpusCodec), nameof(OpusCodec.Duration)).Also(nameof(OpusCodec), nameof(OpusCodec.Decode)).Also(nameof(OpusCodec), nameof(OpusCodec.Conceal));
    }

    private static void AddShape(CaseList list, short[] pcm)
    {
        short[] work = new short[160 + TimeScale.MaxStepSamples];
        list.Add(nameof(Correlation), nameof(Correlation.Of), () => Must(Correlation.Of(pcm.AsSpan(0, 80), pcm.AsSpan(0, 80)) > 0.99));
        list.Add(nameof(TimeScale), nameof(TimeScale.Shorten), () =>
        {
            pcm.CopyTo(work, 0);
            TimeScale.Shorten(work.AsSpan(0, 160));
            pcm.CopyTo(work, 0);
            TimeScale.Stretch(work, 160);
        }).Also(nameof(TimeScale), nameof(TimeScale.Stretch));
        Conceal conceal = new();
        list.Add(nameof(Conceal), nameof(Conceal.Fill), () =>
        {
            conceal.Note(pcm.AsSpan(0, 160));
            conceal.Fill(work.AsSpan(0, 160));
            pcm.CopyTo(work, 0);
            conceal.Join(work.AsSpan(0, 160));
        }).Also(nameof(Conceal), nameof(Conceal.Note)).Also(nameof(Conceal), nameof(Conceal.Join));
    }

    private static void AddPlayout(CaseList list)
    {
        PlayoutStream playout = new(new Limits(), new PacketSlab(64, 1_500));
        playout.SetCodec(0, new G711Codec(G711Law.Mu));
        byte[] packet = new byte[172];
        byte[] payload = new byte[160];
        short[] pcm = new short[160];
        int count = 0;
        list.Add(nameof(PlayoutStream), nameof(PlayoutStream.Push), () =>
        {
            count++;
            MonoTime now = MonoTime.FromMillis(1_000 + (count * 20));
            RtpWriter.Write(packet, new RtpHeader(0, false, (ushort)count, (uint)count * 160, 5), payload);
            Must(RtpView.TryParse(packet, out RtpView view, out _));
            if (count % 31 == 0)
            {
                playout.TakeOut(view, now);
            }
            else if (count % 17 != 0)
            {
                playout.Push(view, now);
            }
            playout.Pull(pcm, now.AddMillis(3));
        }).Also(nameof(PlayoutStream), nameof(PlayoutStream.TakeOut)).Also(nameof(PlayoutStream), nameof(PlayoutStream.Pull));
    }
}
