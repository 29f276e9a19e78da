using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using Proxy.DevRoom.Forwarding;

namespace Proxy.DevRoom.DemoAgent;

/// <summary>Any thread. Pre-encoded frames of 440 Hz at −15 dBFS, 20 ms each; the loop's end joins its start.</summary>
internal sealed class ToneLoop
{
    private readonly byte[][] _frames;

    private ToneLoop(byte[][] frames) => _frames = frames;

    public int Count => _frames.Length;

    /// <param name="index">Any frame number; taken modulo <see cref="Count"/>.</param>
    public ReadOnlySpan<byte> Frame(long index) => _frames[(int)(index % _frames.Length)];

    /// <summary>Reads the embedded frames (made by <c>make-tone.py</c>).</summary>
    public static ToneLoop Load(TrackCodec codec)
    {
        byte[] data = Read(codec switch { TrackCodec.Opus => "tone-opus.bin", TrackCodec.Pcmu => "tone-pcmu.bin", _ => "tone-pcma.bin" });
        List<byte[]> frames = [];
        int at = 0;
        while (at < data.Length)
        {
            int length = codec == TrackCodec.Opus ? BinaryPrimitives.ReadUInt16BigEndian(data.AsSpan(at)) : 160;
            at += codec == TrackCodec.Opus ? 2 : 0;
            frames.Add(data[at..(at + length)]);
            at += length;
        }
        return new ToneLoop([.. frames]);
    }

    private static byte[] Read(string name)
    {
        using Stream stream = typeof(ToneLoop).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException("the demo agent's tone is not embedded: " + name);
        byte[] data = new byte[stream.Length];
        stream.ReadExactly(data);
        return data;
    }
}
