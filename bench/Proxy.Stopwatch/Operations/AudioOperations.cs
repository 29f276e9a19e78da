using System;
using System.Collections.Generic;
using Proxy.Audio.Codecs;

namespace Proxy.Stopwatch.Operations;

/// <summary>20 ms of sound: a sine that wanders, so that a codec has something to do.</summary>
internal static class AudioOperations
{
    private const int Frames = 50;

    public static IEnumerable<Operation> All =>
    [
        new("Audio: G.711 encode 20 ms", () => Encode(new G711Codec(G711Law.Mu)), Frames),
        new("Audio: G.711 decode 20 ms", () => Decode(new G711Codec(G711Law.Mu), new G711Codec(G711Law.Mu)), Frames),
        new("Audio: Opus encode 20 ms, 8 kHz, complexity 0", () => Encode(Opus(0)), Frames),
        new("Audio: Opus encode 20 ms, 8 kHz, complexity 5", () => Encode(Opus(5)), Frames),
        new("Audio: Opus decode 20 ms, 8 kHz", () => Decode(Opus(5), new OpusCodec(new OpusOptions(), CodecUse.Decode)), Frames),
        new("Audio: transcode G.711 to Opus, complexity 5", () => Transcode(new G711Codec(G711Law.Mu), new G711Codec(G711Law.Mu), Opus(5)), Frames),
        new("Audio: transcode Opus to G.711", () => Transcode(Opus(5), new OpusCodec(new OpusOptions(), CodecUse.Decode), new G711Codec(G711Law.Mu)), Frames),
    ];

    private static OpusCodec Opus(int complexity) => new(new OpusOptions { Complexity = complexity }, CodecUse.Encode);

    private static Action Encode(IAudioCodec codec)
    {
        short[][] sound = Sound();
        byte[] packet = new byte[400];
        return () =>
        {
            foreach (short[] frame in sound)
            {
                codec.Encode(frame, packet);
            }
        };
    }

    private static Action Decode(IAudioCodec encoder, IAudioCodec decoder)
    {
        byte[][] packets = Packets(encoder);
        short[] pcm = new short[160];
        return () =>
        {
            foreach (byte[] packet in packets)
            {
                decoder.Decode(packet, pcm);
            }
        };
    }

    private static Action Transcode(IAudioCodec source, IAudioCodec decoder, IAudioCodec encoder)
    {
        byte[][] packets = Packets(source);
        short[] pcm = new short[160];
        byte[] payload = new byte[400];
        return () =>
        {
            foreach (byte[] packet in packets)
            {
                decoder.Decode(packet, pcm);
                encoder.Encode(pcm, payload);
            }
        };
    }

    private static byte[][] Packets(IAudioCodec encoder)
    {
        byte[] packet = new byte[400];
        return Array.ConvertAll(Sound(), frame => packet.AsSpan(0, encoder.Encode(frame, packet)).ToArray());
    }

    private static short[][] Sound()
    {
        short[][] frames = new short[Frames][];
        double phase = 0;
        uint noise = 1;
        for (int i = 0; i < Frames; i++)
        {
            frames[i] = new short[160];
            for (int at = 0; at < 160; at++)
            {
                phase += 2 * Math.PI * (180 + (120 * Math.Sin(i * 0.4))) / 8_000;
                noise = (noise * 1_664_525) + 1_013_904_223;
                frames[i][at] = (short)((6_000 * Math.Sin(phase)) + (2_500 * Math.Sin(phase * 5.1)) + ((int)(noise >> 22) - 512));
            }
        }
        return frames;
    }
}
