using Proxy.Core.Diagnostics;
using Proxy.Core.Time;

namespace Proxy.Rtp.Rtcp;

/// <summary>Any thread. NTP time stamps of reports, made from the process's monotonic clock.</summary>
/// <remarks>RFC 3550 §6.4.1 lets a sender without wall-clock time report elapsed time; receivers only use differences of one sender.</remarks>
public static class NtpTime
{
    /// <returns>Seconds in the upper, fraction in the lower 32 bits.</returns>
    [NoAlloc]
    public static ulong From(MonoTime now)
    {
        ulong micros = (ulong)now.Micros;
        return (micros / 1_000_000 << 32) | ((micros % 1_000_000 << 32) / 1_000_000);
    }

    /// <summary>The 32 bits that a report block echoes: 16 of the seconds, 16 of the fraction.</summary>
    [NoAlloc]
    public static uint Middle(ulong ntp) => (uint)(ntp >> 16);
}
