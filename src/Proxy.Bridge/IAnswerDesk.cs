using Proxy.Core.Collections;
using Proxy.Policy;

namespace Proxy.Bridge;

/// <summary>
/// Signal thread calls, never blocks; implemented by the runtime. Asks whoever a deferred verdict names. An answer comes
/// back to the signal thread, by <see cref="CallTable.HandleAnswer"/>.
/// </summary>
public interface IAnswerDesk
{
    /// <param name="waiting">The call that waits.</param>
    /// <param name="facts">What its INVITE said.</param>
    /// <param name="deferred">Says who is asked.</param>
    /// <param name="why">One clause when nobody is asked: too many wait, the hook failed too often.</param>
    /// <returns>False when no answer will come.</returns>
    bool TryAsk(SlotId waiting, in CallFacts facts, Verdict deferred, out string why);

    /// <summary>The answer is wanted no longer.</summary>
    /// <param name="waiting">The call.</param>
    /// <param name="isLate">The time is up; else the caller gave up.</param>
    void GiveUp(SlotId waiting, bool isLate);
}
