using System;
using Proxy.Bridge.Records;
using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Deferred;
using Proxy.Sip.Dialogs;

namespace Proxy.Bridge;

/// <summary>Signal thread. A call whose verdict waits for an answer: 100 is sent, the caller may cancel, no port is taken yet.</summary>
internal sealed class WaitingCall(SipDialog dialog, in CallFacts facts, CallRecord record)
{
    private readonly CallFacts _facts = facts;

    public SipDialog Dialog { get; } = dialog;

    public ref readonly CallFacts Facts => ref _facts;

    public CallRecord Record { get; } = record;

    /// <summary>The newest deferral.</summary>
    public Verdict? Deferred { get; set; }

    public SlotId Id { get; set; } = SlotId.None;
}

/// <summary>Signal thread. Calls that wait for an answer, each with its deadline.</summary>
/// <param name="resume">Decides a call that waits no longer.</param>
internal sealed class WaitingCalls(CallServices services, Action<WaitingCall, DeferredAnswer, MonoTime> resume)
{
    private readonly SlotMap<WaitingCall> _calls = new(services.Limits.CallsWaiting);
    private readonly TimerQueue _timers = new(services.Limits.CallsWaiting);

    public int Count => _calls.Count;

    public MonoTime NextDeadline => _timers.NextDeadline;

    /// <summary>Asks, and lets the call wait; where nobody can be asked it is resumed at once.</summary>
    public void Add(WaitingCall call, Verdict deferred, MonoTime now)
    {
        call.Deferred = deferred;
        if (!_calls.TryAdd(call, out SlotId id))
        {
            resume(call, DeferredAnswer.Failed($"not asked: {_calls.Count} calls wait already"), now);
            return;
        }
        string why = "nobody can be asked here";
        if (services.Answers is null || !services.Answers.TryAsk(id, call.Facts, deferred, out why))
        {
            _calls.Remove(id);
            resume(call, DeferredAnswer.Failed(why), now);
            return;
        }
        call.Id = id;
        call.Dialog.Owner = call;
        MonoTime until = now + deferred.Deferral!.Patience;
        _timers.Set(id.Index, until);
        if (services.HidesFromStrangers && !deferred.IsListedSource)
        {
            // A 100 would show that somebody is here.
            call.Dialog.HoldTrying(until.AddMillis(1), now);
        }
    }

    public void HandleAnswer(SlotId id, in DeferredAnswer answer, MonoTime now)
    {
        if (_calls.TryGet(id, out WaitingCall? call))
        {
            Free(call);
            resume(call, answer, now);
        }
    }

    public void HandleTimeout(MonoTime now)
    {
        while (_timers.TryExpire(now, out int index))
        {
            if (_calls.At(index) is { } call)
            {
                services.Answers!.GiveUp(call.Id, isLate: true);
                Free(call);
                resume(call, DeferredAnswer.Failed($"no answer in {call.Deferred!.Deferral!.Patience.TotalMilliseconds:0} ms"), now);
            }
        }
    }

    /// <summary>The caller gave up, or the node does.</summary>
    public void GiveUp(WaitingCall call)
    {
        services.Answers!.GiveUp(call.Id, isLate: false);
        Free(call);
    }

    public void Visit(Action<WaitingCall> visit)
    {
        for (int i = 0; i < _calls.Capacity; i++)
        {
            if (_calls.At(i) is { } call)
            {
                visit(call);
            }
        }
    }

    private void Free(WaitingCall call)
    {
        _timers.Cancel(call.Id.Index);
        _calls.Remove(call.Id);
    }
}
