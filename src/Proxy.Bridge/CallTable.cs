using System;
using System.Collections.Generic;
using System.Globalization;
using Proxy.Bridge.Media;
using Proxy.Bridge.Records;
using Proxy.Bridge.Rooms;
using Proxy.Bridge.Transfers;
using Proxy.Core.Collections;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Deferred;
using Proxy.Sdp;
using Proxy.Sip;
using Proxy.Sip.Auth;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;
using Proxy.Sip.Writing;

namespace Proxy.Bridge;

/// <summary>Signal thread. All calls: decides INVITEs, owns every <see cref="Call"/>, and gives events to the right one.</summary>
public sealed class CallTable
{
    private readonly CallServices _services;
    private readonly SlotMap<Slot> _calls;
    private readonly TimerQueue _timers;
    private readonly Turnstile _door;
    private readonly RefusedInvites _refused;
    private readonly RoomSeats _seats;
    private readonly Questions _questions;

    public CallTable(CallServices services)
    {
        _services = services;
        _door = new Turnstile(services, Counters);
        _refused = new RefusedInvites(services, Counters);
        _seats = new RoomSeats(services, Replace);
        _questions = new Questions(services, Resume);
        _calls = new SlotMap<Slot>(services.Limits.CallsMax);
        _timers = new TimerQueue(services.Limits.CallsMax);
    }

    /// <summary>Calls that are not over.</summary>
    public int Count => _calls.Count;

    /// <summary>Verdicts that wait for an answer: mostly of calls that are not in <see cref="Count"/> yet.</summary>
    public int Waiting => _questions.Count;

    /// <summary>New calls get 503; running calls go on until <see cref="DrainUntil"/>.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>When the calls that still run while draining are hung up; never when not draining, or when that has happened.</summary>
    public MonoTime DrainUntil { get; private set; } = MonoTime.Never;

    /// <summary>The node has no CPU left for one more call: new calls get 503.</summary>
    public bool IsOverloaded { get; set; }

    public MonoTime NextDeadline => MonoTime.Min(MonoTime.Min(_timers.NextDeadline, _questions.NextDeadline), DrainUntil);

    /// <summary>Attempts by how they ended; for metrics.</summary>
    public CallCounters Counters { get; } = new();

    public PinCounters Pins => _services.Pins;

    public ComfortCounters Comforts => _services.Comforts;

    public TransferCounters Transfers => _services.Transfers;

    /// <summary>Seats taken in rooms; for leak tests.</summary>
    internal int Seats => _seats.Count;

    public void HandleSip(in SipEvent e, MonoTime now)
    {
        if (e.Kind == SipEventKind.Invite)
        {
            Begin(e, now);
        }
        else if (e.Dialog?.Owner is Call call)
        {
            call.HandleSip(e, now);
            Settle(call, now);
        }
        else if (e.Dialog?.Owner is WaitingCall waiting && e.Kind == SipEventKind.Cancelled)
        {
            _questions.GiveUp(waiting.Question!);
            _door.Cancelled(waiting.Record, now);
        }
    }

    /// <summary>What a verdict waited for; one that waits no longer is ignored.</summary>
    public void HandleAnswer(SlotId waiting, in DeferredAnswer answer, MonoTime now) => _questions.HandleAnswer(waiting, answer, now);

    /// <summary>An INVITE that the endpoint refused by itself (<see cref="SipEndpoint.TryPollRefusal"/>): it gets its record.</summary>
    public void HandleRefused(ReadOnlySpan<byte> message, in SipFlow flow, in SipRefusal refusal, MonoTime now) =>
        _refused.Handle(message, flow, refusal, now);

    public void HandleSocket(SlotId id, in SocketInput input, MonoTime now)
    {
        if (TryGet(id, out Call? call))
        {
            call.HandleSocket(input, now);
            Settle(call, now);
        }
    }

    /// <summary>An explicit dispatch of agents for a call failed.</summary>
    /// <param name="why">One clause.</param>
    public void HandleDispatchFailure(SlotId id, string why)
    {
        if (TryGet(id, out Call? call))
        {
            call.HandleDispatchFailure(why);
        }
    }

    public void HandleMedia(SlotId id, in CallEvent e, MonoTime now)
    {
        if (TryGet(id, out Call? call))
        {
            call.HandleMedia(e, now);
            Settle(call, now);
        }
    }

    public void HandleTimeout(MonoTime now)
    {
        _questions.HandleTimeout(now);
        while (_timers.TryExpire(now, out int index))
        {
            if (_calls.At(index)?.Call is { } call)
            {
                call.HandleTimeout(now);
                Settle(call, now);
            }
        }
        if (now >= DrainUntil)
        {
            DrainUntil = MonoTime.Never;
            HangUpAll(new Outcome(EndedBy.Us, "drained", "the node drains and the time for running calls is over", 503, 41), now);
        }
    }

    /// <summary>Takes no more calls; those that run at <paramref name="until"/> are hung up then. Said again, the new time counts.</summary>
    public void Drain(MonoTime until)
    {
        IsDraining = true;
        DrainUntil = until;
    }

    /// <summary>Takes calls again.</summary>
    public void EndDrain()
    {
        IsDraining = false;
        DrainUntil = MonoTime.Never;
    }

    /// <summary>Ends every call: BYE with a Reason where it was answered, else the outcome's status with Retry-After.</summary>
    public void HangUpAll(in Outcome outcome, MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[64];
        var retry = new SipHeaderLines(buffer);
        retry.Add("Retry-After", Math.Max(1, _services.Refusals[RefusalCode.Draining].RetryAfterSeconds).ToString(CultureInfo.InvariantCulture));
        for (int i = 0; i < _calls.Capacity; i++)
        {
            if (_calls.At(i)?.Call is { } call)
            {
                call.End(outcome, now, call.Phase < CallPhase.Answered ? retry.Written : default);
                Settle(call, now);
            }
        }
        _questions.Visit(question =>
        {
            if (question.Owner is WaitingCall waiting)
            {
                _questions.GiveUp(question);
                Refuse(waiting.Dialog, waiting.Record, RefusalCode.Draining, DescribeNode(RefusalCode.Draining), now);
            }
        });
    }

    /// <summary>Hangs up one call by our id, its SIP Call-ID or its provider's id.</summary>
    /// <returns>Its record as it stands; null when no call that still runs has this id.</returns>
    public CallRecord? HangUp(string id, in Outcome outcome, MonoTime now)
    {
        for (int i = 0; i < _calls.Capacity; i++)
        {
            if (_calls.At(i)?.Call is { Phase: < CallPhase.Ending } call && (call.Record.CallId == id || call.Record.SipCallId == id || call.Record.ProviderCallId == id))
            {
                call.End(outcome, now);
                CallRecord record = call.Record;
                Settle(call, now);
                return record;
            }
        }
        return null;
    }

    /// <summary>Asks the side of a caller to call somebody else instead.</summary>
    /// <param name="room">The caller's room.</param>
    /// <param name="identity">The caller's participant in it.</param>
    /// <param name="done">Hears what became of it, on this thread, once; perhaps at once.</param>
    public void Transfer(string room, string identity, TransferRequest request, Action<TransferOutcome> done, MonoTime now)
    {
        if (_seats.Find(room, identity) is not { Phase: < CallPhase.Ending } call)
        {
            done(new TransferOutcome("", TransferResult.NoSuchCall, 0, ""));
            return;
        }
        call.Transfer(request, done, now);
        Settle(call, now);
    }

    /// <summary>Any thread. The wall clock at a time of the loop, as records have it.</summary>
    public DateTimeOffset UtcAt(MonoTime time) => _services.UtcAt(time);

    /// <summary>Calls <paramref name="visit"/> for each live call; for lists and pages.</summary>
    public void Visit(Action<Call> visit)
    {
        for (int i = 0; i < _calls.Capacity; i++)
        {
            if (_calls.At(i)?.Call is { } call)
            {
                visit(call);
            }
        }
    }

    private bool TryGet(SlotId id, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Call? call)
    {
        call = _calls.TryGet(id, out Slot? slot) ? slot.Call : null;
        return call is not null;
    }

    private void Begin(in SipEvent e, MonoTime now)
    {
        SipDialog dialog = e.Dialog;
        if (!SipMessageView.TryParse(e.RequestBytes, out SipMessageView message, out _))
        {
            dialog.Reject(400, default, default, now);
            return;
        }
        CallFacts facts = FactsFromInvite.Read(dialog.LocalTag, message, dialog.Flow, _services.UtcAt(now), _services.Sources);
        CallRecord record = Turnstile.NewRecord(facts);
        if (dialog.Replaced is { } replaced)
        {
            Replace(dialog, replaced.Owner as Call, message, facts, record, now);
            return;
        }
        RefusalCode full = CheckNode();
        if (full != RefusalCode.None)
        {
            Refuse(dialog, record, full, DescribeNode(full), now);
            return;
        }
        Carry(dialog, message, facts, _door.Decide(facts, record, now), record, now);
    }

    /// <summary>An INVITE with Replaces: it is no new call and counts as none; one that is refused has its record.</summary>
    private void Replace(SipDialog dialog, Call? call, in SipMessageView message, in CallFacts facts, CallRecord record, MonoTime now)
    {
        if (call is null or { Phase: >= CallPhase.Ending })
        {
            Refuse(dialog, record, RefusalCode.Internal, "the call that it replaces is over", now);
            return;
        }
        Verdict? verdict = dialog.MayReplace ? null : call.Proof.Decide(facts, now);
        if (verdict is { Kind: VerdictKind.Challenge })
        {
            _door.Challenge(dialog, record, verdict, now);
        }
        else if (verdict is { Kind: not VerdictKind.Join })
        {
            _door.Refuse(dialog, record, verdict, now);
        }
        else if (call.TakeOver(dialog, message, now) is { IsAccepted: false } answer)
        {
            _door.RefuseMedia(dialog, record, answer, now);
        }
        Settle(call, now);
    }

    /// <summary>The answer came, or never will.</summary>
    private void Resume(Question question, DeferredAnswer answer, MonoTime now)
    {
        if (question.Owner is Call call)
        {
            call.HandleAnswer(question, answer, now);
            Settle(call, now);
            return;
        }
        var waiting = (WaitingCall)question.Owner;
        waiting.Question = question;
        Resume(waiting, answer, now);
    }

    private void Resume(WaitingCall call, DeferredAnswer answer, MonoTime now)
    {
        RefusalCode full = CheckNode();
        if (full != RefusalCode.None)
        {
            Refuse(call.Dialog, call.Record, full, DescribeNode(full), now);
        }
        else if (SipMessageView.TryParse(call.Dialog.InviteBytes, out SipMessageView message, out _))
        {
            Carry(call.Dialog, message, call.Facts, _door.Resume(call, answer, now), call.Record, now);
        }
        else
        {
            Refuse(call.Dialog, call.Record, RefusalCode.Internal, "the INVITE was gone when its verdict came", now);
        }
    }

    private void Carry(SipDialog dialog, in SipMessageView message, in CallFacts facts, Verdict verdict, CallRecord record, MonoTime now)
    {
        switch (verdict.Kind)
        {
            case VerdictKind.Join:
            case VerdictKind.AskPin:
                Take(dialog, message, facts, verdict, record, now);
                break;
            case VerdictKind.Challenge:
                _door.Challenge(dialog, record, verdict, now);
                break;
            case VerdictKind.Reject:
                _door.Refuse(dialog, record, verdict, now);
                break;
            case VerdictKind.Deferred:
                Wait(new WaitingCall(dialog, facts, record), verdict, now);
                break;
            default:
                Refuse(dialog, record, RefusalCode.Internal, $"a verdict of kind {verdict.Kind} cannot be carried out", now);
                break;
        }
    }

    /// <summary>Asks, and lets the call wait; where nobody can be asked it is decided at once.</summary>
    private void Wait(WaitingCall call, Verdict deferred, MonoTime now)
    {
        var question = new Question(call, call.Facts, deferred);
        if (!_questions.TryAsk(question, now, out string why))
        {
            Resume(question, DeferredAnswer.Failed(why), now);
            return;
        }
        call.Question = question;
        call.Dialog.Owner = call;
        if (_services.HidesFromStrangers && !deferred.IsListedSource)
        {
            // A 100 would show that somebody is here.
            call.Dialog.HoldTrying(question.Until.AddMillis(1), now);
        }
    }

    /// <summary>The policy takes the call: its sockets and its SDP, then the call itself.</summary>
    private void Take(SipDialog dialog, in SipMessageView message, in CallFacts facts, Verdict verdict, CallRecord record, MonoTime now)
    {
        ReserveVerdict reserved = _services.Media.TryReserve(dialog.Flow.Listener, out MediaReservation reservation);
        if (reserved != ReserveVerdict.Ok)
        {
            Refuse(dialog, record, RefusalCode.NodeFull, $"no media for the call: {reserved}", now);
            return;
        }
        var sip = new SipLeg(dialog, verdict, _services.Limits);
        message.TryGetSdp(out ReadOnlySpan<byte> offer);
        var local = new NetEndPoint(_services.MediaAddress(dialog.Flow), (ushort)reservation.SipPort);
        AnswerVerdict answer = sip.Open(offer, local, default, _services.AnswersSecureInClear, _services.Random);
        if (!answer.IsAccepted)
        {
            _services.Media.Release(reservation, isRoomPortClean: true);
            _door.RefuseMedia(dialog, record, answer, now);
            return;
        }
        if (sip.Audio is { IsSecureOfferInClear: true })
        {
            _services.Observer.Lenient(record, CompatUse.SecureInClear);
        }
        Begin(dialog, sip, facts, verdict, record, reservation, now);
    }

    private void Begin(SipDialog dialog, SipLeg sip, in CallFacts facts, Verdict verdict, CallRecord record, in MediaReservation reservation, MonoTime now)
    {
        var slot = new Slot();
        // The call's handle must be known before the call is made; the slot is filled then.
        if (!_calls.TryAdd(slot, out SlotId id))
        {
            _services.Media.Release(reservation, isRoomPortClean: true);
            Refuse(dialog, record, RefusalCode.NodeFull, "the node holds as many calls as it may", now);
            return;
        }
        Span<byte> random = stackalloc byte[10];
        _services.Random.Fill(random);
        var media = new CallMedia(_services.Limits, new CallMediaOptions
        {
            Reservation = reservation,
            Cname = record.CallId,
            SipSsrc = BitConverter.ToUInt32(random),
            SipSequence = BitConverter.ToUInt16(random[4..]),
            SipTimestamp = BitConverter.ToUInt32(random[6..]),
            Opus = _services.Opus,
        });
        var call = new Call(id, _services, facts, verdict, sip, media, _seats, _questions, record, _services.TimeOf(record.StartedAt));
        slot.Call = call;
        dialog.Owner = call;
        dialog.Login = verdict.Login is { } login ? new DigestLogin(login.UserName, login.Password) : null;
        dialog.Judge = verdict.Login is null ? null : call.Proof;
        dialog.AllowedSources = SourcesOf(verdict, facts.Proxy != facts.Source);
        _services.Caps.Take(verdict.Caps, now);
        Counters.Started++;
        _services.Observer.Started(record);
        call.Start(now);
        Settle(call, now);
    }

    /// <summary>A carrier's requests inside the dialog may come from any address of its trunk; behind a trusted proxy from any of the proxies too.</summary>
    private SipSourceRange[] SourcesOf(Verdict verdict, bool isProxied)
    {
        var ranges = new List<SipSourceRange>(isProxied ? _services.Sources.Trusted : []);
        foreach ((NetAddress network, int prefixLength) in verdict.Sources?.Blocks ?? [])
        {
            // Who lists everybody vouches for nobody: the dialog's ids are public.
            if (prefixLength > 0)
            {
                ranges.Add(new SipSourceRange(network, prefixLength));
            }
        }
        return [.. ranges];
    }

    /// <summary>After every input of a call: its next deadline, or its end.</summary>
    private void Settle(Call call, MonoTime now)
    {
        if (!call.TryFinish())
        {
            // A deadline that stays in the past would keep the loop in this turn for ever: it is tried again in a millisecond.
            MonoTime next = call.NextDeadline;
            _timers.Set(call.Id.Index, next > now ? next : now.AddMillis(1));
            return;
        }
        _timers.Cancel(call.Id.Index);
        _calls.Remove(call.Id);
        _seats.Release(call);
        _services.Media.Release(call.Reservation, call.HasLeft);
        _services.Caps.Release(call.Verdict.Caps, now);
        Finish(call.Record);
    }

    /// <summary>The same caller called the same room again, and this call's caller is not heard any more.</summary>
    private void Replace(Call call, MonoTime now)
    {
        call.End(new Outcome(EndedBy.Us, "replaced", "the caller was not heard any more and called again", 200, 102), now);
        Settle(call, now);
    }

    private void Finish(CallRecord record)
    {
        Counters.Ended++;
        _services.Observer.Ended(record);
    }

    private void Refuse(SipDialog dialog, CallRecord record, RefusalCode code, string sentence, MonoTime now) =>
        _door.Refuse(dialog, record, Verdict.Refuse(code, sentence, _services.Refusals), now);

    private RefusalCode CheckNode()
    {
        if (IsDraining)
        {
            return RefusalCode.Draining;
        }
        if (_calls.Count >= _calls.Capacity)
        {
            return RefusalCode.NodeFull;
        }
        return IsOverloaded ? RefusalCode.NodeOverload : RefusalCode.None;
    }

    private string DescribeNode(RefusalCode code) => code switch
    {
        RefusalCode.Draining => "the node drains and takes no new calls",
        RefusalCode.NodeFull => $"the node holds {_calls.Count} calls, as many as it may",
        _ => "the node's CPU is above max_cpu_utilization",
    };

    private sealed class Slot
    {
        public Call? Call { get; set; }
    }
}

/// <summary>Signal thread writes, any thread reads. Call attempts since the start.</summary>
public sealed class CallCounters
{
    public long Started { get; set; }

    public long Ended { get; set; }

    public long Refused { get; set; }

    public long Challenged { get; set; }

    /// <summary>Refused without an answer.</summary>
    public long Silenced { get; set; }
}
