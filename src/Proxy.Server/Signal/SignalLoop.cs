using System;
using System.Collections.Generic;
using Proxy.Bridge;
using Proxy.Core;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Server.Linux;
using Proxy.Server.Metrics;
using Proxy.Server.Shards;
using Proxy.Sip;
using Proxy.Sip.Framing;
using Proxy.Sip.Guarding;
using Proxy.Sip.Targets;

namespace Proxy.Server.Signal;

/// <summary>
/// The signal thread. Owns the SIP endpoint, every call and all room signalling; reads the clock once a turn. Everything
/// else talks to it through mailboxes.
/// </summary>
public sealed class SignalLoop : IDisposable
{
    private const int DatagramsPerTurn = 64;
    private static readonly TimeSpan s_cpuInterval = TimeSpan.FromSeconds(1);

    private readonly Reactor _reactor;
    private readonly SignalMailboxes _mail;
    private readonly SipEndpoint _sip;
    private readonly CallTable _calls;
    private readonly MediaHost _media;
    private readonly UdpSocket?[] _udp;
    private readonly ISipStreams? _streams;
    private readonly CpuGate _cpu;
    private readonly byte[] _datagram;
    private readonly byte[] _outgoing;
    private MonoTime _nextCpu;
    private volatile bool _isStopping;

    /// <param name="udp">By listener index; null where the listener is a stream one.</param>
    /// <param name="streams">Writes to TCP and TLS connections; null without such listeners.</param>
    public SignalLoop(
        Reactor reactor, SignalMailboxes mail, SipEndpoint sip, CallTable calls, MediaHost media, UdpSocket?[] udp, ISipStreams? streams, CpuGate cpu, Limits limits)
    {
        _cpu = cpu;
        _reactor = reactor;
        _mail = mail;
        _sip = sip;
        _calls = calls;
        _media = media;
        _udp = udp;
        _streams = streams;
        Trace = new SipTrace(limits);
        _datagram = GC.AllocateArray<byte>(limits.SipMessageBytes + 1, pinned: true);
        _outgoing = GC.AllocateArray<byte>(limits.SipMessageBytes + 1, pinned: true);
        for (int i = 0; i < udp.Length; i++)
        {
            if (udp[i] is { } socket)
            {
                reactor.Watch(socket.Fd, (ulong)i);
            }
        }
    }

    public SignalCounters Counters { get; } = new();

    /// <summary>Stalls, turns and allocations of this thread.</summary>
    public LoopMeter Meter { get; } = new("signal", 0);

    public CallTable Calls => _calls;

    public SipEndpoint Sip => _sip;

    public MediaHost Media => _media;

    /// <summary>Sources on the ban list, as of a second ago.</summary>
    public int Banned { get; private set; }

    /// <summary>Told of each new ban, on this thread; must not block.</summary>
    public Action<GuardBan>? BanSet { get; init; }

    /// <summary>Looks up a name of a next hop; called on this thread, must not block. The answer comes by mail.</summary>
    public Action<TargetName>? LookUp { get; init; }

    /// <summary>Own thread. The messages of calls, for who asks afterwards.</summary>
    public SipTrace Trace { get; }

    /// <summary>What admission looked at last, 0–1.</summary>
    public double CpuShare => _cpu.Share;

    /// <summary>The thread's body; returns after <see cref="Stop"/>.</summary>
    public void Run()
    {
        MonoTime now = Clock.Now();
        _nextCpu = now;
        while (!_isStopping)
        {
            MonoTime deadline = MonoTime.Min(_nextCpu, MonoTime.Min(_sip.NextDeadline, _calls.NextDeadline));
            int ready = _reactor.Wait(deadline, now);
            now = Clock.Now();
            Meter.TurnStarted(deadline, now);
            _media.Now = now;
            for (int i = 0; i < ready; i++)
            {
                ReceiveUdp((int)_reactor.Ready(i), now);
            }
            ReadMail(now);
            RunTimers(now);
            Meter.TurnEnded(Clock.Now());
        }
    }

    /// <summary>Own thread. Takes no more calls, answers OPTIONS with 503; running calls go on until then.</summary>
    public void Drain(MonoTime until)
    {
        _sip.IsDraining = true;
        _calls.Drain(until);
    }

    /// <summary>Own thread. Takes calls again.</summary>
    public void EndDrain()
    {
        _sip.IsDraining = false;
        _calls.EndDrain();
    }

    public void Stop()
    {
        _isStopping = true;
        _reactor.Waker.Wake();
    }

    public void Dispose()
    {
        _sip.Dispose();
        _cpu.Dispose();
        _reactor.Dispose();
    }

    private void ReceiveUdp(int listener, MonoTime now)
    {
        UdpSocket socket = _udp[listener]!;
        for (int n = 0; n < DatagramsPerTurn && socket.TryReceive(_datagram, out int length, out NetEndPoint from); n++)
        {
            ReadOnlySpan<byte> message = _datagram.AsSpan(0, length);
            if (FirstBytes.Classify(message) == DatagramKind.Stun)
            {
                AnswerStun(socket, message, from, now);
                continue;
            }
            Handle(message, new SipFlow(SipTransport.Udp, listener, 0, from), now);
        }
    }

    private void AnswerStun(UdpSocket socket, ReadOnlySpan<byte> request, in NetEndPoint from, MonoTime now)
    {
        Span<byte> answer = stackalloc byte[StunAnswers.MostBytes];
        int length = StunAnswers.Write(request, from, _sip.Guard?.IsStranger(from.Address, now) == true, answer);
        Counters.StunAnswered += length > 0 ? 1 : 0;
        Counters.StunUnanswered += length > 0 ? 0 : 1;
        if (length > 0)
        {
            socket.Send(answer[..length], from);
        }
    }

    private void Handle(ReadOnlySpan<byte> message, in SipFlow flow, MonoTime now)
    {
        try
        {
            _sip.HandleMessage(message, flow, now);
            bool isRefused = _sip.TryPollRefusal(out SipRefusal refusal);
            if (!refusal.IsGuarded)
            {
                // The messages of a flood would push out those of calls.
                Trace.Add(isSent: false, flow, message, now);
            }
            if (isRefused)
            {
                _calls.HandleRefused(message, flow, refusal, now);
            }
            Pump(now);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Break(e);
        }
    }

    private void ReadMail(MonoTime now)
    {
        while (_mail.Shards.TryRead(out ShardEvent shardEvent))
        {
            Guard(() => _calls.HandleMedia(shardEvent.Call, shardEvent.Event, now), now);
        }
        while (_mail.Sockets.TryRead(out SocketMail socket))
        {
            Guard(() => _calls.HandleSocket(socket.Call, socket.Input, now), now);
        }
        while (_mail.Answers.TryRead(out AnswerMail answer))
        {
            Guard(() => _calls.HandleAnswer(answer.Waiting, answer.Answer, now), now);
        }
        while (_mail.Targets.TryRead(out TargetMail? targets))
        {
            _sip.HandleTargets(targets!.Name, targets.Targets, now);
        }
        while (_mail.Streams.TryRead(out StreamMail stream))
        {
            if (stream.Message is { } message)
            {
                Handle(message.Span, stream.Flow, now);
            }
            else if (stream.IsIdle)
            {
                CloseIfUnused(stream.Flow);
            }
            else
            {
                Guard(
                    () =>
                    {
                        _sip.HandleFlowClosed(stream.Flow, now);
                        // A connection that we asked for and that never came is known to the endpoint as number 0.
                        _sip.HandleSendFailed(stream.Flow with { Connection = 0 }, now);
                    },
                    now);
            }
        }
        while (_mail.Control.TryRead(out Action<SignalLoop, MonoTime>? action))
        {
            Guard(() => action!(this, now), now);
        }
    }

    /// <summary>A connection that carries a call is never closed for silence: a call may say nothing for an hour.</summary>
    private void CloseIfUnused(in SipFlow flow)
    {
        if (!_sip.HasDialogOn(flow))
        {
            _streams?.Close(flow);
        }
    }

    private void RunTimers(MonoTime now)
    {
        if (now >= _nextCpu)
        {
            _nextCpu = now + s_cpuInterval;
            _sip.IsOverloaded = _calls.IsOverloaded = _cpu.IsFull(now);
            TellBans(now);
        }
        Guard(
            () =>
            {
                _sip.HandleTimeout(now);
                Pump(now);
                _calls.HandleTimeout(now);
            },
            now);
    }

    /// <summary>New bans are told, and the sockets' side gets a list of its own; once a second, so that a flood of bans is no flood of work.</summary>
    private void TellBans(MonoTime now)
    {
        if (_sip.Guard is not { Count: > 0 } guard)
        {
            return;
        }
        while (guard.TryPollBan(out GuardBan ban))
        {
            BanSet?.Invoke(ban);
        }
        List<GuardBan> bans = guard.Bans(now);
        if (bans.Count + Banned > 0)
        {
            Banned = bans.Count;
            _streams?.Refuse(new HashSet<NetAddress>(bans.ConvertAll(b => b.Source)));
        }
    }

    /// <summary>The thread's one catch: what went wrong in one input ends nothing but that input, and is counted.</summary>
    private void Guard(Action work, MonoTime now)
    {
        try
        {
            work();
            Pump(now);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Break(e);
        }
    }

    private void Pump(MonoTime now)
    {
        while (_sip.TryPollEvent(out SipEvent e))
        {
            _calls.HandleSip(e, now);
        }
        while (_sip.TryPollSend(_outgoing, out int length, out SipFlow flow))
        {
            Send(_outgoing.AsSpan(0, length), flow, now);
        }
        while (_sip.TryPollLookup(out TargetName? name))
        {
            LookUp?.Invoke(name);
        }
    }

    private void Send(ReadOnlySpan<byte> message, in SipFlow flow, MonoTime now)
    {
        Trace.Add(isSent: true, flow, message, now);
        bool isSent = flow.Transport == SipTransport.Udp
            ? _udp[flow.Listener]!.Send(message, flow.Remote) == SendResult.Sent
            : _streams is not null && _streams.TrySend(flow, message);
        if (!isSent)
        {
            Counters.SendFailures++;
            _sip.HandleSendFailed(flow, now);
        }
    }

    private void Break(Exception e)
    {
        Counters.Broken++;
        _mail.Fault(e);
    }
}

/// <summary>Signal thread. Writes to the stream connections that the runtime's pumps own; implemented by them.</summary>
public interface ISipStreams
{
    /// <summary>Queues a message; Connection 0 opens a connection to the flow's remote first.</summary>
    /// <returns>False when the connection is gone or its queue is full.</returns>
    bool TrySend(in SipFlow flow, ReadOnlySpan<byte> message);

    /// <summary>Closes a connection that was silent for long.</summary>
    void Close(in SipFlow flow);

    /// <summary>From here on connections of these sources (IPv6: their /64) are closed at once; the set is not changed any more.</summary>
    void Refuse(IReadOnlySet<NetAddress> sources);
}
