using System.Collections.Concurrent;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Bridge;
using Proxy.Core.Collections;
using Proxy.Policy;
using Proxy.Policy.Deferred;
using Proxy.Server.Signal;
using Proxy.Server.Store;

namespace Proxy.Server.Hook;

/// <summary>Signal thread calls, pool threads work. Asks the hook or the store for calls that wait; answers go back by mail.</summary>
public sealed class AnswerDesk(PolicyAnswers answers, SignalMailboxes mail) : IAnswerDesk
{
    private readonly ConcurrentDictionary<SlotId, (Verdict Deferred, CancellationTokenSource GiveUp)> _underWay = new();

    public bool TryAsk(SlotId waiting, in CallFacts facts, Verdict deferred, out string why)
    {
        if (!answers.TryEnter(deferred, out why))
        {
            return false;
        }
        var giveUp = new CancellationTokenSource();
        _underWay[waiting] = (deferred, giveUp);
        CallFacts copy = facts;
        _ = Task.Run(() => AskAsync(waiting, copy, deferred, giveUp));
        return true;
    }

    public void GiveUp(SlotId waiting, bool isLate)
    {
        if (_underWay.TryRemove(waiting, out (Verdict Deferred, CancellationTokenSource GiveUp) asked))
        {
            answers.GaveUp(asked.Deferred, isLate);
            // Not here: what a cancellation runs is no work for the signal thread.
            _ = asked.GiveUp.CancelAsync();
        }
    }

    private async Task AskAsync(SlotId waiting, CallFacts facts, Verdict deferred, CancellationTokenSource giveUp)
    {
        DeferredAnswer answer = await answers.AskAsync(facts, deferred, giveUp.Token).ConfigureAwait(false);
        if (_underWay.TryRemove(waiting, out _))
        {
            mail.Answers.TryPost(new AnswerMail(waiting, answer));
            giveUp.Dispose();
        }
    }
}
