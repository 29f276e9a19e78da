using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Policy;
using Proxy.Policy.Deferred;
using Proxy.Server.Hook;

namespace Proxy.Server.Store;

/// <summary>Any thread. Gets what a deferred verdict waits for: the hook's word, or the store read again.</summary>
/// <param name="hook">Null without one.</param>
/// <param name="refresh">Null where the store tells its changes itself.</param>
/// <param name="outage">Why the store cannot be read now; empty when it can.</param>
public sealed class PolicyAnswers(HookClient? hook, SharedRefresh? refresh, Func<string> outage)
{
    /// <returns>False with one clause when no answer will come; after true exactly one <see cref="AskAsync"/> must follow.</returns>
    public bool TryEnter(Verdict deferred, out string why)
    {
        why = "";
        return deferred.Deferral!.Kind == DeferralKind.Refresh || hook!.TryEnter(out why);
    }

    /// <summary>Never throws. Ends when the answer is there, or when it is given up.</summary>
    public Task<DeferredAnswer> AskAsync(CallFacts facts, Verdict deferred, CancellationToken giveUp) => deferred.Deferral!.Kind == DeferralKind.Refresh
        ? RefreshAsync(giveUp)
        : hook!.AskAsync(facts, deferred.Deferral, giveUp);

    public void GaveUp(Verdict deferred, bool isLate)
    {
        if (deferred.Deferral!.Kind == DeferralKind.Hook)
        {
            hook!.GaveUp(isLate);
        }
    }

    /// <summary>Decides a call that does not exist: asks whoever a call would ask, and keeps the time itself.</summary>
    public async Task<Verdict> DecideAsync(IPolicy policy, CallFacts facts, DecisionTrace trace, CancellationToken cancellation)
    {
        Verdict verdict = policy.Decide(facts, default, trace);
        while (verdict.Kind == VerdictKind.Deferred)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(verdict.Deferral!.Patience);
            DeferredAnswer answer = verdict.Deferral.Kind == DeferralKind.Refresh
                ? await RefreshAsync(patience.Token).ConfigureAwait(false)
                : await hook!.ExplainAsync(facts, verdict.Deferral, patience.Token).ConfigureAwait(false);
            trace.Clear();
            verdict = policy.Resume(facts, verdict, answer, default, trace);
        }
        return verdict;
    }

    private async Task<DeferredAnswer> RefreshAsync(CancellationToken giveUp)
    {
        long start = Stopwatch.GetTimestamp();
        if (refresh!.TryJoin() is not { } reading)
        {
            return DeferredAnswer.Failed("not read again: it was less than a second ago");
        }
        try
        {
            await reading.WaitAsync(giveUp).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return DeferredAnswer.Failed("not read again in time");
        }
        string why = outage();
        return why.Length > 0 ? DeferredAnswer.Failed("not read again: " + why)
            : new DeferredAnswer(true, FormattableString.Invariant($"read again in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:0} ms"));
    }
}
