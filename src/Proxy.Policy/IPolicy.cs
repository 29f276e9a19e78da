using Proxy.Policy.Caps;
using Proxy.Policy.Deferred;

namespace Proxy.Policy;

/// <summary>Signal thread. Answers what becomes of a call: pure in the facts, the limits and the snapshot it holds.</summary>
public interface IPolicy
{
    /// <summary>Decides one INVITE.</summary>
    /// <param name="facts">What the INVITE said, copied.</param>
    /// <param name="limits">The running counts; the default value means that no cap is looked at and no token taken.</param>
    /// <param name="trace">Filled with every step when not null; <c>explain</c> and refused calls pass one.</param>
    /// <returns>Reject, Challenge, Join, AskPin or Deferred; never null, never throws on wire data.</returns>
    Verdict Decide(in CallFacts facts, in CapsView limits, DecisionTrace? trace);

    /// <summary>Decides again after the caller keyed a PIN.</summary>
    /// <param name="facts">The facts of the same INVITE.</param>
    /// <param name="asked">The <see cref="VerdictKind.AskPin"/> verdict that is being answered.</param>
    /// <param name="pin">Digits without <c>#</c>; empty means that only <c>#</c> was pressed: open rules only.</param>
    /// <param name="limits">The running counts.</param>
    /// <param name="trace">Filled with every step when not null.</param>
    /// <returns>Join; AskPin when another attempt is allowed (<see cref="Verdict.PinAttemptsLeft"/>); Reject otherwise.</returns>
    Verdict DecidePin(in CallFacts facts, Verdict asked, string pin, in CapsView limits, DecisionTrace? trace);

    /// <summary>Whether a request from elsewhere that belongs to a running call proves the credentials of the call's trunk.</summary>
    /// <param name="facts">Method, source, credentials and time of the request; all else may be the INVITE's.</param>
    /// <param name="trunkId">The call's trunk.</param>
    /// <param name="limits">The running counts; the default value uses up no nonce.</param>
    /// <returns>Join: it does. Challenge, or Reject: wrong, locked out, or the trunk has no credentials.</returns>
    Verdict Prove(in CallFacts facts, string trunkId, in CapsView limits);

    /// <summary>Decides a call that waited.</summary>
    /// <param name="facts">The facts of the same INVITE.</param>
    /// <param name="deferred">The <see cref="VerdictKind.Deferred"/> verdict.</param>
    /// <param name="answer">What came of the wait.</param>
    /// <param name="limits">The running counts, of now.</param>
    /// <param name="trace">Filled with every step when not null.</param>
    /// <returns>As <see cref="Decide"/>; Deferred again at most once, with another <see cref="DeferralKind"/>.</returns>
    Verdict Resume(in CallFacts facts, Verdict deferred, in DeferredAnswer answer, in CapsView limits, DecisionTrace? trace);
}
