using Proxy.Core.Diagnostics;

namespace Proxy.Rtp.Packets;

/// <summary>Any thread. Arithmetic of numbers that wrap (RFC 1982 in the half-range sense).</summary>
public static class SequenceMath
{
    /// <summary>How far <paramref name="a"/> lies behind <paramref name="b"/> in sending order: −32,768 to 32,767, positive when newer.</summary>
    [NoAlloc]
    public static int Distance(ushort a, ushort b) => (short)(a - b);

    /// <summary>The same for timestamps, in RTP units.</summary>
    [NoAlloc]
    public static int Distance(uint a, uint b) => (int)(a - b);

    [NoAlloc]
    public static bool IsNewer(ushort a, ushort b) => (short)(a - b) > 0;

    [NoAlloc]
    public static bool IsNewer(uint a, uint b) => (int)(a - b) > 0;

    /// <summary>The 64-bit number nearest to <paramref name="reference"/> whose low 16 bits are <paramref name="value"/>.</summary>
    [NoAlloc]
    public static long Extend(ushort value, long reference) => reference + (short)(value - (ushort)reference);

    /// <summary>The 64-bit number nearest to <paramref name="reference"/> whose low 32 bits are <paramref name="value"/>.</summary>
    [NoAlloc]
    public static long Extend(uint value, long reference) => reference + (int)(value - (uint)reference);
}
