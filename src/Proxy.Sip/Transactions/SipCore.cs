using System;
using System.Text;
using Proxy.Core;
using Proxy.Core.Collections;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;
using Proxy.Sip.Targets;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Transactions;

/// <summary>Signal thread. What the parts of one endpoint share: buffers, queues, timers, counters and the two transaction tables.</summary>
internal sealed class SipCore : IDisposable
{
    /// <summary>Kinds of <see cref="TimerOwner"/>.</summary>
    public const int Owners = 4;

    private const int EventsMax = 65_536;
    private readonly byte[] _scratch;

    public SipCore(SipEndpointOptions options, IRandom random)
    {
        Options = options;
        Limits = options.Limits;
        Random = random;
        Hash = new KeyedHash(random);
        Pool = new MessagePool(Limits);
        Sends = new SendQueue(Pool, options);
        _scratch = new byte[Math.Max(Limits.SipMessageBytes, 4096)];
        ServerName = Encoding.UTF8.GetBytes(options.ServerHeader ?? "");
        UserAgent = Encoding.UTF8.GetBytes(options.UserAgent ?? "");
        T1 = (long)Limits.T1.TotalMilliseconds;
        T2 = (long)Limits.T2.TotalMilliseconds;
        T4 = (long)Limits.T4.TotalMilliseconds;
        Dialogs = new DialogTable(this, Limits.CallsMax * 2);
        Client = new ClientTransactions(this, Limits.CallsMax + 1024);
        Server = new ServerTransactions(this, Limits.SipTransactions);
        RecentTags = new RecentTags(Hash);
        Targets = new TargetTable(this);
        Rests = new TargetRests(Limits.TargetsResting);
        Timers = new TimerQueue(Owners * Math.Max(Limits.SipTransactions, Limits.CallsMax * 2));
    }

    public SipEndpointOptions Options { get; }

    public Limits Limits { get; }

    public IRandom Random { get; }

    public KeyedHash Hash { get; }

    public MessagePool Pool { get; }

    public SendQueue Sends { get; }

    public BoundedQueue<SipEvent> Events { get; } = new(EventsMax);

    /// <summary>Keys: server transactions, client transactions, dialogs and names, interleaved (index × 4 + kind).</summary>
    public TimerQueue Timers { get; }

    /// <summary>For building one message at a time.</summary>
    public Span<byte> Scratch => _scratch;

    public RecentTags RecentTags { get; }

    public ServerTransactions Server { get; }

    public ClientTransactions Client { get; }

    public DialogTable Dialogs { get; }

    /// <summary>Names that requests go to.</summary>
    public TargetTable Targets { get; }

    /// <summary>Places that did not work of late.</summary>
    public TargetRests Rests { get; }

    public byte[] ServerName { get; }

    public byte[] UserAgent { get; }

    /// <summary>Milliseconds.</summary>
    public long T1 { get; }

    /// <summary>Milliseconds.</summary>
    public long T2 { get; }

    /// <summary>Milliseconds.</summary>
    public long T4 { get; }

    public SipCounters Counters;

    /// <summary>What became of the INVITE that is being handled, when it ended without a call; cause None otherwise.</summary>
    public SipRefusal Refusal { get; set; }

    /// <summary>The time of this turn, for what is built without being told it.</summary>
    public MonoTime Now { get; set; }

    public void SetTimer(TimerOwner owner, int index, MonoTime deadline) => Timers.Set((index * Owners) + (int)owner, deadline);

    /// <summary>Queues an event; it takes a reference of its own to the message (−1: none).</summary>
    public void Raise(SipEventKind kind, SipDialog dialog, int message = -1, SlotId? request = null, SipMethod method = SipMethod.Unknown, int status = 0, bool isLast = false)
    {
        var e = new SipEvent(kind, dialog, Pool, message, request ?? SlotId.None, method, status, isLast);
        if (!Events.TryAdd(in e))
        {
            Counters.EventsDropped++;
            return;
        }
        if (message >= 0)
        {
            Pool.AddReference(message);
        }
    }

    /// <summary>Writes a response into a pooled buffer.</summary>
    /// <returns>A handle with one reference, or −1 when buffers are out or the response is too large; counted.</returns>
    public int BuildResponse(in SipMessageView request, in SipFlow source, ref ResponseParts parts)
    {
        parts.Server = ServerName;
        int length = ResponseWriter.Write(_scratch, in request, source.Remote, in parts);
        bool isPart = parts.Status < 300 && (request.Method == SipMethod.Invite || !request.To.Tag.IsEmpty);
        if (length > request.Message.Length && !isPart && source.Transport == SipTransport.Udp && Options.Guard?.IsStranger(source.Remote.Address, Now) == true)
        {
            length = WriteLean(in request, in source, ref parts);
        }
        return Store(length);
    }

    /// <summary>A source address can be forged, and then somebody else gets the answer: it must not be more than was sent.</summary>
    /// <returns>0 for a request that is not worth an answer then; an INVITE always is.</returns>
    private int WriteLean(in SipMessageView request, in SipFlow source, ref ResponseParts parts)
    {
        bool isChallenge = parts.Status is 401 or 407;
        parts.Server = default;
        parts.HasAllow = false;
        parts.HasSupported = false;
        parts.Extra = isChallenge ? parts.Extra : default;
        parts.IsLean = true;
        int length = ResponseWriter.Write(_scratch, in request, source.Remote, in parts);
        if (length <= request.Message.Length || request.Method == SipMethod.Invite)
        {
            return length;
        }
        Counters.Unanswered++;
        return 0;
    }

    /// <summary>Writes a request into a pooled buffer.</summary>
    /// <returns>A handle with one reference, or −1; counted.</returns>
    public int BuildRequest(ref RequestParts parts)
    {
        parts.UserAgent = UserAgent;
        return Store(RequestWriter.Write(_scratch, in parts));
    }

    /// <summary>A request of ours once more: with credentials, or to another place.</summary>
    public int BuildAgain(in SipMessageView request, in AgainParts parts) => Store(RequestWriter.WriteAgain(_scratch, in request, in parts));

    /// <summary>ACK of a failure response to our INVITE.</summary>
    public int BuildAckOfFailure(int invite, in SipMessageView response)
    {
        SipMessageView.TryParse(Pool.Bytes(invite), out SipMessageView request, out _, Limits);
        return Store(RequestWriter.WriteAckOfFailure(_scratch, in request, in response));
    }

    /// <summary>Sends once, without keeping it.</summary>
    public bool SendOnce(int message, in SipFlow flow)
    {
        if (message < 0)
        {
            return false;
        }
        bool isQueued = Sends.TryAdd(message, in flow, ref Counters);
        Pool.Release(message);
        return isQueued;
    }

    /// <summary>Notes that a stranger's new request is refused; a source that tries what works is told the same each time.</summary>
    /// <param name="status">What it would be answered with.</param>
    /// <returns>What it is answered with.</returns>
    public int Refuse(in SipFlow flow, int status, MonoTime now)
    {
        if (status is 401 or 407)
        {
            Options.Guard?.BlameChallenge(flow.Remote.Address, now);
            return status;
        }
        bool isProbe = status is 400 or 403 or 404 or 405 or 406 or 410 or 415 or 416 or 420 or 481 or 482 or 485 or 500 or 501 or 505 or 513;
        if (!isProbe || Options.Guard is not { } guard)
        {
            return status;
        }
        guard.Blame(flow.Remote.Address, now);
        if (!guard.IsSuspect(flow.Remote.Address, now))
        {
            return status;
        }
        Counters.Disguised++;
        return 403;
    }

    /// <summary>The listener of another transport that stands at the same address as a flow's own.</summary>
    public bool TryListener(SipTransport transport, in SipFlow flow, out int index)
    {
        SipListener own = Listener(in flow);
        index = own.Index;
        foreach (SipListener listener in Options.Listeners)
        {
            if (own.Transport != transport && listener.Transport == transport && listener.Local == own.Local)
            {
                index = listener.Index;
                return true;
            }
        }
        return own.Transport == transport;
    }

    public SipListener Listener(in SipFlow flow) => Options.Listeners[(uint)flow.Listener < (uint)Options.Listeners.Length ? flow.Listener : 0];

    public void Dispose() => Pool.Dispose();

    private int Store(int length)
    {
        int handle = length == 0 ? -1 : Pool.TryCopy(_scratch.AsSpan(0, length));
        if (handle < 0)
        {
            Counters.SendDropped++;
        }
        return handle;
    }
}

/// <summary>Any thread. Whose deadline a timer key is.</summary>
internal enum TimerOwner
{
    Server,
    Client,
    Dialog,
    Target,
}
