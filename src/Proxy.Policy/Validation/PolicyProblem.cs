namespace Proxy.Policy.Validation;

/// <summary>Any thread. What is wrong between objects.</summary>
public enum ProblemKind
{
    /// <summary>Two trunks take the same call and nothing tells them apart.</summary>
    AmbiguousTrunks,

    /// <summary>Two rules have the same trunk, numbers and PIN.</summary>
    AmbiguousRules,

    /// <summary>A trunk and the inventory own the same number.</summary>
    NumberOwnedTwice,

    /// <summary>Two objects have one id.</summary>
    SameId,
}

/// <summary>Any thread. One problem, both objects named.</summary>
/// <param name="Kind">What is wrong.</param>
/// <param name="Id">First object.</param>
/// <param name="OtherId">Second object.</param>
/// <param name="Number">The called number they share, normalised; empty for any.</param>
/// <param name="Caller">The calling number they share, normalised; empty for any.</param>
/// <param name="Sentence">For people.</param>
public sealed record PolicyProblem(ProblemKind Kind, string Id, string OtherId, string Number, string Caller, string Sentence);
