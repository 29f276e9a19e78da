using System;
using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Deferred;

namespace Proxy.Bridge;

/// <summary>Signal thread. One question whose answer decides about a call.</summary>
/// <param name="owner">Who waits: a <see cref="WaitingCall"/> or a <see cref="Call"/>.</param>
/// <param name="deferred">Says who is asked, and how long.</param>
internal sealed class Question(object owner, in CallFacts facts, Verdict deferred)
{
    private readonly CallFacts _facts = facts;

    public object Owner { get; } = owner;

    public ref readonly CallFacts Facts => ref _facts;

    public Verdict Deferred { get; } = deferred;

    public SlotId Id { get; set; } = SlotId.None;

    /// <summary>When the answer is no longer waited for.</summary>
    public MonoTime Until { get; set; }
}

/// <summary>Signal thread. Questions under way, each with its deadline.</summary>
/// <param name="resume">Decides what waits no longer.</param>
internal sealed class Questions(CallServices services, Action<Question, DeferredAnswer, MonoTime> resume)
{
    private readonly SlotMap<Question> _asked = new(services.Limits.CallsWaiting);
    private readonly TimerQueue _timers = new(services.Limits.CallsWaiting);

    public int Count => _asked.Count;

    public MonoTime NextDeadline => _timers.NextDeadline;

    /// <returns>False with one clause when no answer will come; the question is not resumed then.</returns>
    public bool TryAsk(Question question, MonoTime now, out string why)
    {
        if (!_asked.TryAdd(question, out SlotId id))
        {
            why = $"not asked: {_asked.Count} calls wait already";
            return false;
        }
        why = "nobody can be asked here";
        if (services.Answers is null || !services.Answers.TryAsk(id, question.Facts, question.Deferred, out why))
        {
            _asked.Remove(id);
            return false;
        }
        question.Id = id;
        question.Until = now + question.Deferred.Deferral!.Patience;
        _timers.Set(id.Index, question.Until);
        return true;
    }

    /// <summary>An answer to a question that nobody asks any more is ignored.</summary>
    public void HandleAnswer(SlotId id, in DeferredAnswer answer, MonoTime now)
    {
        if (_asked.TryGet(id, out Question? question))
        {
            Free(question);
            resume(question, answer, now);
        }
    }

    public void HandleTimeout(MonoTime now)
    {
        while (_timers.TryExpire(now, out int index))
        {
            if (_asked.At(index) is { } question)
            {
                services.Answers!.GiveUp(question.Id, isLate: true);
                Free(question);
                resume(question, DeferredAnswer.Failed($"no answer in {question.Deferred.Deferral!.Patience.TotalMilliseconds:0} ms"), now);
            }
        }
    }

    /// <summary>The caller gave up, or the node does.</summary>
    public void GiveUp(Question question)
    {
        services.Answers!.GiveUp(question.Id, isLate: false);
        Free(question);
    }

    public void Visit(Action<Question> visit)
    {
        for (int i = 0; i < _asked.Capacity; i++)
        {
            if (_asked.At(i) is { } question)
            {
                visit(question);
            }
        }
    }

    private void Free(Question question)
    {
        _timers.Cancel(question.Id.Index);
        _asked.Remove(question.Id);
    }
}
