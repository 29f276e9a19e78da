using System;

namespace Proxy.Audio.Codecs;

/// <summary>Any thread. The tables of G.711, computed once from the laws' segments.</summary>
/// <remarks>
/// An encoder's decision boundaries are multiples of 4 (µ) and 16 (A) of a 16-bit sample, so that its table needs 16 KB and 4 KB
/// and not 64: it stays in the first-level cache.
/// </remarks>
internal static class G711Tables
{
    public const int MuShift = 2;
    public const int AShift = 4;

    private static readonly short[] s_muDecode = Make(MuToPcm);
    private static readonly short[] s_aDecode = Make(AToPcm);
    private static readonly byte[] s_muEncode = Make(MuShift, PcmToMu);
    private static readonly byte[] s_aEncode = Make(AShift, PcmToA);
    private static readonly uint[] s_muSquares = Squares(s_muDecode);
    private static readonly uint[] s_aSquares = Squares(s_aDecode);

    /// <summary>256 samples by code.</summary>
    public static ReadOnlySpan<short> Decode(G711Law law) => law == G711Law.Mu ? s_muDecode : s_aDecode;

    /// <summary>Codes by the sample, taken as unsigned and shifted right by the law's shift.</summary>
    public static ReadOnlySpan<byte> Encode(G711Law law) => law == G711Law.Mu ? s_muEncode : s_aEncode;

    /// <summary>256 squared samples by code.</summary>
    public static ReadOnlySpan<uint> Squares(G711Law law) => law == G711Law.Mu ? s_muSquares : s_aSquares;

    private static short MuToPcm(int code)
    {
        code = ~code;
        int magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84;
        return (short)((code & 0x80) != 0 ? -magnitude : magnitude);
    }

    private static short AToPcm(int code)
    {
        code ^= 0x55;
        int segment = (code & 0x70) >> 4;
        int magnitude = ((code & 0x0F) << 4) + 8;
        if (segment > 0)
        {
            magnitude = (magnitude + 0x100) << (segment - 1);
        }
        return (short)((code & 0x80) != 0 ? magnitude : -magnitude);
    }

    private static byte PcmToMu(short sample)
    {
        int mask = sample < 0 ? 0x7F : 0xFF;
        int magnitude = sample >> 2;
        magnitude = Math.Min(magnitude < 0 ? -magnitude : magnitude, 8158) + 33;
        int segment = 0;
        while (segment < 7 && magnitude > (0x40 << segment) - 1)
        {
            segment++;
        }
        return (byte)(((segment << 4) | ((magnitude >> (segment + 1)) & 0x0F)) ^ mask);
    }

    private static byte PcmToA(short sample)
    {
        int mask = sample < 0 ? 0x55 : 0xD5;
        int magnitude = sample >> 3;
        magnitude = magnitude < 0 ? -magnitude - 1 : magnitude;
        int segment = 0;
        while (segment < 7 && magnitude > (0x20 << segment) - 1)
        {
            segment++;
        }
        return (byte)(((segment << 4) | ((magnitude >> Math.Max(segment, 1)) & 0x0F)) ^ mask);
    }

    private static short[] Make(Func<int, short> decode)
    {
        short[] table = new short[256];
        for (int code = 0; code < table.Length; code++)
        {
            table[code] = decode(code);
        }
        return table;
    }

    private static byte[] Make(int shift, Func<short, byte> encode)
    {
        byte[] table = new byte[65_536 >> shift];
        for (int i = 0; i < table.Length; i++)
        {
            table[i] = encode((short)(i << shift));
        }
        return table;
    }

    private static uint[] Squares(short[] decode)
    {
        uint[] table = new uint[decode.Length];
        for (int code = 0; code < table.Length; code++)
        {
            table[code] = (uint)(decode[code] * decode[code]);
        }
        return table;
    }
}
