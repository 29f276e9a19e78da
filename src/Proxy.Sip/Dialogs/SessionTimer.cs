using System;
using Proxy.Core.Time;
using Proxy.Sip.Parsing;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Dialogs;

/// <summary>Any thread. What is due when a session timer runs out.</summary>
internal enum SessionDue : byte
{
    Nothing,

    /// <summary>Half of the interval is over and the refresh is ours.</summary>
    Refresh,

    /// <summary>Nobody refreshed.</summary>
    Expired,
}

/// <summary>Signal thread. The session interval of one dialog: who refreshes it, and when.</summary>
/// <remarks>RFC 4028 §7.2, §8.1, §9, §10.</remarks>
internal sealed class SessionTimer(SipEndpointOptions options)
{
    private const long RetryMs = 2_100;
    private MonoTime _refreshAt = MonoTime.Never;
    private MonoTime _expireAt = MonoTime.Never;

    /// <summary>Seconds; 0 while no interval is agreed.</summary>
    public int Interval { get; private set; }

    public bool IsOurs { get; private set; }

    /// <summary>Smallest interval that the peer or a proxy accepts, seconds; 0 unknown.</summary>
    public int PeerMinimum { get; private set; }

    public MonoTime Deadline => MonoTime.Min(_refreshAt, _expireAt);

    /// <summary>Whether the request asks for an interval that is too short for us (§9: 422).</summary>
    public static bool IsTooSmall(in SipMessageView request, int minimum) =>
        request.ListContains(SipHeaderId.Supported, "timer"u8) && TryRead(in request, out int seconds, out _) && seconds < minimum;

    /// <summary>Agrees on an interval in the 2xx to an INVITE or UPDATE of the peer, and starts it.</summary>
    /// <param name="request">The peer's request.</param>
    /// <param name="lines">Receives Session-Expires, and Require where §9 asks for it.</param>
    /// <param name="now">The time of this turn.</param>
    public void AgreeAsServer(in SipMessageView request, ref SipHeaderLines lines, MonoTime now)
    {
        bool knowsTimer = request.ListContains(SipHeaderId.Supported, "timer"u8) || request.ListContains(SipHeaderId.Require, "timer"u8);
        bool isAsked = TryRead(in request, out int seconds, out ReadOnlySpan<byte> refresher);
        PeerMinimum = ReadSeconds(in request, SipHeaderId.MinSE);
        if (!isAsked)
        {
            if (!knowsTimer || options.SessionExpires == 0)
            {
                Stop();
                return;
            }
            seconds = Math.Max(Math.Max(options.SessionExpires, options.MinSessionExpires), PeerMinimum);
        }
        // A peer that does not know the timer cannot refresh (a proxy asked): then we do. Else the peer's choice, or the peer.
        bool isOurs = !knowsTimer || SipText.Same(refresher, "uas"u8);
        AddSessionExpires(ref lines, seconds, isOurs ? "uas"u8 : "uac"u8);
        if (!isOurs)
        {
            lines.Add("Require"u8, "timer"u8);
        }
        Start(seconds, isOurs, now);
    }

    /// <summary>Adds what each re-INVITE and UPDATE of ours says while an interval holds (§7.4): who refreshes stays as it is.</summary>
    public void AddRequestLines(ref SipHeaderLines lines)
    {
        if (Interval == 0)
        {
            return;
        }
        AddSessionExpires(ref lines, Interval, IsOurs ? "uac"u8 : "uas"u8);
        if (PeerMinimum > 0)
        {
            lines.AddNumber("Min-SE"u8, PeerMinimum);
        }
    }

    /// <summary>Our re-INVITE or UPDATE got its 2xx: what it says holds (§7.2).</summary>
    public void AgreeAsClient(in SipMessageView response, MonoTime now)
    {
        if (TryRead(in response, out int seconds, out ReadOnlySpan<byte> refresher))
        {
            Start(seconds, !SipText.Same(refresher, "uas"u8), now);
        }
        else if (Interval > 0)
        {
            // The peer does not know the timer; we go on refreshing, so that proxies see it.
            Start(Interval, true, now);
        }
    }

    /// <summary>Our refresh failed with 422: the interval grows to what is asked for.</summary>
    /// <returns>False when the response names none.</returns>
    public bool Lengthen(in SipMessageView response, MonoTime now)
    {
        int minimum = ReadSeconds(in response, SipHeaderId.MinSE);
        if (minimum <= Interval)
        {
            return false;
        }
        PeerMinimum = minimum;
        Interval = minimum;
        _refreshAt = now;
        return true;
    }

    /// <summary>Our refresh met another request (491): again a little later.</summary>
    public void RetrySoon(MonoTime now) => _refreshAt = IsOurs ? now.AddMillis(RetryMs) : MonoTime.Never;

    public void Stop()
    {
        Interval = 0;
        _refreshAt = MonoTime.Never;
        _expireAt = MonoTime.Never;
    }

    public SessionDue HandleTimer(MonoTime now)
    {
        if (_expireAt <= now)
        {
            Stop();
            return SessionDue.Expired;
        }
        if (_refreshAt <= now)
        {
            _refreshAt = MonoTime.Never;
            return SessionDue.Refresh;
        }
        return SessionDue.Nothing;
    }

    /// <summary>§10: our refresh at half the interval; BYE min(32 s, a third of it) before its end.</summary>
    private void Start(int seconds, bool isOurs, MonoTime now)
    {
        Interval = seconds;
        IsOurs = isOurs;
        _refreshAt = isOurs ? now.AddMillis(seconds * 500L) : MonoTime.Never;
        _expireAt = now.AddMillis((seconds - Math.Min(32, seconds / 3)) * 1000L);
    }

    private static void AddSessionExpires(ref SipHeaderLines lines, int seconds, ReadOnlySpan<byte> refresher)
    {
        Span<byte> value = stackalloc byte[48];
        var writer = new SipWriter(value);
        writer.AddNumber(seconds);
        writer.Add(";refresher="u8);
        writer.Add(refresher);
        lines.Add("Session-Expires"u8, value[..writer.Length]);
    }

    private static bool TryRead(in SipMessageView message, out int seconds, out ReadOnlySpan<byte> refresher)
    {
        refresher = default;
        seconds = ReadSeconds(in message, SipHeaderId.SessionExpires);
        if (seconds <= 0)
        {
            return false;
        }
        message.TryGetHeader(SipHeaderId.SessionExpires, out ReadOnlySpan<byte> value);
        int semicolon = value.IndexOf((byte)';');
        SipParameters.TryGet(semicolon < 0 ? default : value[semicolon..], "refresher"u8, out refresher);
        return true;
    }

    /// <summary>delta-seconds before any parameter; 0 when absent or no number.</summary>
    private static int ReadSeconds(in SipMessageView message, SipHeaderId id)
    {
        if (!message.TryGetHeader(id, out ReadOnlySpan<byte> value))
        {
            return 0;
        }
        int semicolon = value.IndexOf((byte)';');
        return SipText.TryReadNumber(SipText.Trim(semicolon < 0 ? value : value[..semicolon]), 1_000_000, out long seconds) ? (int)seconds : 0;
    }
}
