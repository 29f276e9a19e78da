using System;
using System.Collections.Generic;

namespace Proxy.Fuzz.Targets;

/// <summary>One thread. An input that is a row of packets: two bytes of length before each.</summary>
internal static class Pieces
{
    private const int Most = 64;

    public static List<byte[]> Cut(byte[] input, int longest)
    {
        List<byte[]> pieces = [];
        int at = 0;
        while (at + 2 <= input.Length && pieces.Count < Most)
        {
            int length = Math.Min(((input[at] << 8) | input[at + 1]) % (longest + 1), input.Length - at - 2);
            pieces.Add(input.AsSpan(at + 2, length).ToArray());
            at += 2 + length;
        }
        return pieces;
    }

    public static byte[] Join(params byte[][] pieces)
    {
        List<byte> all = [];
        foreach (byte[] piece in pieces)
        {
            all.Add((byte)(piece.Length >> 8));
            all.Add((byte)piece.Length);
            all.AddRange(piece);
        }
        return [.. all];
    }
}
