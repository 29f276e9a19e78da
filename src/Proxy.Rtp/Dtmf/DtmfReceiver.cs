using System;
using Proxy.Core.Diagnostics;
using Proxy.Rtp.Packets;

namespace Proxy.Rtp.Dtmf;

/// <summary>What an RFC 4733 packet meant.</summary>
public enum DtmfVerdict
{
    /// <summary>A new event: the digit is given out, once.</summary>
    Digit,

    /// <summary>More of an event that was given out.</summary>
    Repeat,

    /// <summary>An event that is no DTMF digit.</summary>
    Ignored,

    /// <summary>Fewer than four bytes.</summary>
    Malformed,
}

/// <summary>Shard. Turns telephone-event packets into digits: exactly one for each event, at its first packet that arrives.</summary>
public sealed class DtmfReceiver
{
    /// <param name="digit">Of <see cref="DtmfVerdict.Digit"/>: <c>0–9 * # A–D</c>; else NUL.</param>
    [NoAlloc]
    public DtmfVerdict Receive(in RtpView packet, out char digit) => throw new NotImplementedException();
}
