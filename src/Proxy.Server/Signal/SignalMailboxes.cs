using System;
using Proxy.Bridge.Rooms;
using Proxy.Core;
using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Policy.Deferred;
using Proxy.Server.Linux;
using Proxy.Server.Shards;
using Proxy.Sip;
using Proxy.Sip.Targets;

namespace Proxy.Server.Signal;

/// <summary>Many writers, read by the signal thread. Everything that reaches it but UDP.</summary>
public sealed class SignalMailboxes
{
    /// <param name="waker">The signal loop's.</param>
    /// <param name="fault">Told of a caught fault of ours; must not throw.</param>
    public SignalMailboxes(Limits limits, Waker waker, Action<Exception> fault)
    {
        int calls = Math.Max(limits.CallsMax, 64);
        Shards = new Mailbox<ShardEvent>(calls * 16, RingFull.Fail, waker);
        Sockets = new Mailbox<SocketMail>(calls * 16, RingFull.RejectCall, waker);
        Streams = new Mailbox<StreamMail>(8_192, RingFull.DropNewest, waker);
        Answers = new Mailbox<AnswerMail>(limits.CallsWaiting * 2, RingFull.DropNewest, waker);
        Targets = new Mailbox<TargetMail>(limits.TargetNames * 2, RingFull.DropNewest, waker);
        Control = new Mailbox<Action<SignalLoop, MonoTime>>(256, RingFull.DropNewest, waker);
        Fault = fault;
    }

    public Mailbox<ShardEvent> Shards { get; }

    public Mailbox<SocketMail> Sockets { get; }

    public Mailbox<StreamMail> Streams { get; }

    /// <summary>What waiting calls waited for. A dropped one is as late as one that never comes.</summary>
    public Mailbox<AnswerMail> Answers { get; }

    /// <summary>What names of next hops stand for. A dropped one is asked for again.</summary>
    public Mailbox<TargetMail> Targets { get; }

    /// <summary>Work for the signal thread from the API, the page and the commands.</summary>
    public Mailbox<Action<SignalLoop, MonoTime>> Control { get; }

    public Action<Exception> Fault { get; }
}

/// <summary>A WebSocket's input for a call.</summary>
public readonly record struct SocketMail(SlotId Call, SocketInput Input);

/// <summary>An answer for a call whose verdict waits.</summary>
public readonly record struct AnswerMail(SlotId Waiting, DeferredAnswer Answer);

/// <summary>What a name of a next hop stands for.</summary>
public sealed record TargetMail(TargetName Name, TargetList Targets);

/// <summary>A message of a stream connection; null: the connection is gone.</summary>
/// <param name="IsIdle">It said nothing for long: <see cref="ISipStreams.Close"/> it unless a call lives on it.</param>
public readonly record struct StreamMail(SipFlow Flow, ReadOnlyMemory<byte>? Message, bool IsIdle = false);
