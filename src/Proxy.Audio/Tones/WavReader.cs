using System;
using System.Buffers.Binary;
using Proxy.Audio.Codecs;

namespace Proxy.Audio.Tones;

/// <summary>Any thread. Reads prompts: RIFF WAVE, one channel, 8 kHz, 16-bit PCM or G.711.</summary>
public static class WavReader
{
    private const int Rate = 8_000;
    private const string HowTo = "make it with: sox IN -r 8000 -c 1 -b 16 OUT.wav";

    /// <param name="file">The whole file.</param>
    /// <param name="mostSeconds">Longer files are refused.</param>
    /// <param name="samples">8 kHz.</param>
    /// <param name="error">What is wrong and what would be right.</param>
    public static bool TryRead(ReadOnlySpan<byte> file, int mostSeconds, out short[] samples, out string error)
    {
        samples = [];
        error = "";
        if (file.Length < 12 || !file[..4].SequenceEqual("RIFF"u8) || !file.Slice(8, 4).SequenceEqual("WAVE"u8))
        {
            error = "it is no WAV file; " + HowTo;
            return false;
        }
        int kind = -1;
        ReadOnlySpan<byte> rest = file[12..];
        while (rest.Length >= 8)
        {
            ReadOnlySpan<byte> name = rest[..4];
            int length = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]), (uint)(rest.Length - 8));
            ReadOnlySpan<byte> chunk = rest.Slice(8, length);
            if (name.SequenceEqual("fmt "u8))
            {
                kind = Format(chunk, out error);
            }
            else if (name.SequenceEqual("data"u8))
            {
                return error.Length == 0 && TryDecode(kind, chunk, mostSeconds, out samples, out error);
            }
            rest = rest[Math.Min(rest.Length, 8 + length + (length & 1))..];
        }
        error = error.Length > 0 ? error : "it holds no samples; " + HowTo;
        return false;
    }

    /// <returns>The format tag: 1 PCM, 6 A-law, 7 µ-law; -1 with an error.</returns>
    private static int Format(ReadOnlySpan<byte> chunk, out string error)
    {
        error = "its format chunk is cut short; " + HowTo;
        if (chunk.Length < 16)
        {
            return -1;
        }
        int tag = BinaryPrimitives.ReadUInt16LittleEndian(chunk);
        int channels = BinaryPrimitives.ReadUInt16LittleEndian(chunk[2..]);
        uint rate = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(chunk[14..]);
        bool isKnown = (tag == 1 && bits == 16) || (tag is 6 or 7 && bits == 8);
        error = isKnown && channels == 1 && rate == Rate ? ""
            : $"it has {channels} channel(s), {rate} Hz, {bits} bits, format {tag}; wanted is one channel at 8000 Hz, 16-bit PCM or G.711; " + HowTo;
        return error.Length == 0 ? tag : -1;
    }

    private static bool TryDecode(int kind, ReadOnlySpan<byte> data, int mostSeconds, out short[] samples, out string error)
    {
        samples = [];
        int count = kind == 1 ? data.Length / 2 : data.Length;
        error = kind < 0 ? "its format comes after its samples; " + HowTo
            : count == 0 ? "it holds no samples"
            : count > mostSeconds * Rate ? $"it is {count / Rate} s long; at most {mostSeconds} s are played" : "";
        if (error.Length > 0)
        {
            return false;
        }
        samples = new short[count];
        var codec = new G711Codec(kind == 6 ? G711Law.A : G711Law.Mu);
        for (int at = 0; at < count; at += 160)
        {
            int length = Math.Min(160, count - at);
            if (kind == 1)
            {
                for (int i = at; i < at + length; i++)
                {
                    samples[i] = BinaryPrimitives.ReadInt16LittleEndian(data[(2 * i)..]);
                }
            }
            else
            {
                codec.Decode(data.Slice(at, length), samples.AsSpan(at));
            }
        }
        return true;
    }
}
