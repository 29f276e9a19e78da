using System;
using Proxy.Core.Time;

namespace Proxy.Participant.Signal;

internal enum LinkState
{
    Idle,

    /// <summary>OpenSocket was put out.</summary>
    Dialling,

    /// <summary>101 came; the first message has not.</summary>
    Opened,

    /// <summary>Messages flow.</summary>
    Up,

    /// <summary>Lost; waits for the next dial.</summary>
    Waiting,
}

internal enum LinkStep
{
    None,

    /// <summary>Send a ping_req.</summary>
    Ping,

    /// <summary>The socket is silent or stuck: drop it and treat it as lost.</summary>
    Dead,

    /// <summary>Dial again.</summary>
    Redial,
}

/// <summary>Signal thread. The clock work of one WebSocket and of those that follow it: dial, liveness, backoff. It puts nothing out itself.</summary>
internal sealed class SignalLink
{
    private static readonly TimeSpan s_dialTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_resumeWindow = TimeSpan.FromSeconds(15);
    private const long FirstBackoffMs = 100;
    private const long LongestBackoffMs = 3_000;

    private TimeSpan _pingInterval = TimeSpan.FromSeconds(5);
    private TimeSpan _pingTimeout = TimeSpan.FromSeconds(15);
    private MonoTime _pingAt = MonoTime.Never;
    private MonoTime _heardBy = MonoTime.Never;
    private MonoTime _redialAt = MonoTime.Never;
    private MonoTime _dialBy = MonoTime.Never;
    private MonoTime _giveUpAt = MonoTime.Never;
    private long _backoffMs = FirstBackoffMs;

    public LinkState State { get; private set; }

    /// <summary>Number of the last dial, from 1.</summary>
    public int Socket { get; private set; }

    /// <summary>A socket exists that must be closed when we are through.</summary>
    public bool HasSocket => State is LinkState.Dialling or LinkState.Opened or LinkState.Up;

    public MonoTime NextDeadline => MonoTime.Min(MonoTime.Min(_pingAt, _heardBy), MonoTime.Min(_redialAt, _dialBy));

    public bool IsCurrent(int socket) => HasSocket && socket == Socket;

    /// <returns>The number of the new dial.</returns>
    public int Dial(MonoTime now)
    {
        Quiet();
        State = LinkState.Dialling;
        _dialBy = now + s_dialTimeout;
        return ++Socket;
    }

    public void Opened(MonoTime now)
    {
        State = LinkState.Opened;
        _dialBy = now + s_dialTimeout;
    }

    /// <summary>The first message came: the session is up, for the first time or again.</summary>
    public void Up(MonoTime now)
    {
        Quiet();
        State = LinkState.Up;
        _backoffMs = FirstBackoffMs;
        _giveUpAt = MonoTime.Never;
        _pingAt = now + _pingInterval;
        _heardBy = now + _pingTimeout;
    }

    /// <param name="intervalSeconds">From the join; 0 and nonsense become 5.</param>
    /// <param name="timeoutSeconds">From the join; becomes 15, and no less than two intervals.</param>
    public void SetPing(int intervalSeconds, int timeoutSeconds)
    {
        int interval = intervalSeconds is >= 1 and <= 60 ? intervalSeconds : 5;
        int timeout = timeoutSeconds is >= 2 and <= 300 ? timeoutSeconds : 15;
        _pingInterval = TimeSpan.FromSeconds(interval);
        _pingTimeout = TimeSpan.FromSeconds(Math.Max(timeout, 2 * interval));
    }

    /// <summary>Any message shows that the server lives.</summary>
    public void Heard(MonoTime now)
    {
        if (State == LinkState.Up)
        {
            _heardBy = now + _pingTimeout;
        }
    }

    /// <summary>The socket is gone: plan the next dial.</summary>
    /// <param name="jitter">0–255, spreads the dials of many calls after a server's restart.</param>
    /// <returns>False when the session may no longer be resumed: the server forgets us.</returns>
    public bool PlanRedial(byte jitter, MonoTime now)
    {
        Quiet();
        State = LinkState.Waiting;
        if (_giveUpAt.IsNever)
        {
            _giveUpAt = now + s_resumeWindow;
        }
        _redialAt = now.AddMillis(_backoffMs * (256 + jitter) / 256);
        _backoffMs = Math.Min(_backoffMs * 2, LongestBackoffMs);
        return _redialAt < _giveUpAt;
    }

    /// <summary>No socket any more, and none will follow.</summary>
    public void Drop()
    {
        Quiet();
        State = LinkState.Idle;
    }

    /// <summary>What is due; ask until None.</summary>
    public LinkStep Step(MonoTime now)
    {
        if (_heardBy <= now || _dialBy <= now)
        {
            Quiet();
            return LinkStep.Dead;
        }
        if (_redialAt <= now)
        {
            _redialAt = MonoTime.Never;
            return LinkStep.Redial;
        }
        if (_pingAt <= now)
        {
            _pingAt = now + _pingInterval;
            return LinkStep.Ping;
        }
        return LinkStep.None;
    }

    private void Quiet() => _pingAt = _heardBy = _redialAt = _dialBy = MonoTime.Never;
}
