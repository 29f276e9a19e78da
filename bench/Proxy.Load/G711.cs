using System;

namespace Proxy.Load;

/// <summary>G.711 by its definition, written apart from the product's tables so that both cannot be wrong in the same way.</summary>
internal static class G711
{
    public static byte Encode(short sample, int payloadType) => payloadType == 8 ? EncodeA(sample) : EncodeMu(sample);

    public static short Decode(byte code, int payloadType) => payloadType == 8 ? DecodeA(code) : DecodeMu(code);

    private static byte EncodeMu(short sample)
    {
        int sign = sample < 0 ? 0x80 : 0;
        int magnitude = Math.Min(Math.Abs((int)sample), 32635) + 132;
        int exponent = 7;
        for (int mask = 0x4000; (magnitude & mask) == 0 && exponent > 0; mask >>= 1)
        {
            exponent--;
        }
        int mantissa = (magnitude >> (exponent + 3)) & 15;
        return (byte)~(sign | (exponent << 4) | mantissa);
    }

    private static short DecodeMu(byte code)
    {
        int value = ~code & 0xFF;
        int magnitude = ((((value & 15) << 3) + 132) << ((value >> 4) & 7)) - 132;
        return (short)((value & 0x80) != 0 ? -magnitude : magnitude);
    }

    private static byte EncodeA(short sample)
    {
        int value = sample >> 3;
        int sign = 0x80;
        if (value < 0)
        {
            sign = 0;
            value = -value - 1;
        }
        int exponent = 0;
        while (value > 31 && exponent < 7)
        {
            value >>= 1;
            exponent++;
        }
        int code = exponent == 0 ? value >> 1 : (exponent << 4) | (value & 15);
        return (byte)((sign | Math.Min(code, 127)) ^ 0x55);
    }

    private static short DecodeA(byte code)
    {
        int value = code ^ 0x55;
        int exponent = (value >> 4) & 7;
        int magnitude = exponent == 0 ? ((value & 15) << 4) + 8 : (((value & 15) << 4) + 0x108) << (exponent - 1);
        return (short)((value & 0x80) != 0 ? magnitude : -magnitude);
    }
}
