using Proxy.Policy.Caps;
using Proxy.Policy.Digest;
using Proxy.Policy.Trunks;

namespace Proxy.Policy;

/// <summary>
/// One decision. What becomes of a call, by places in the snapshot: which trunk, number and rule, and which kind of verdict. Its words, and all
/// that a join needs, are written afterwards (<see cref="DecisionWords"/>).
/// </summary>
internal struct Decision
{
    public VerdictKind Kind;
    public RefusalCode Code;
    public TrunkChoice Trunk;

    /// <summary>Place of the inventory number that takes the call, or −1.</summary>
    public int Number;

    /// <summary>Place of the rule, or −1.</summary>
    public int Rule;

    /// <summary>The inventory has the number, but the call does not come from the interconnect.</summary>
    public bool IsForeign;

    public bool IsListed;

    /// <summary>What the credentials are worth, where the trunk asks for some.</summary>
    public DigestOutcome Digest;

    /// <summary>The claim that one more call would break, where <see cref="Code"/> is that of a cap.</summary>
    public CapClaim Broken;

    public void Refuse(RefusalCode code)
    {
        Kind = VerdictKind.Reject;
        Code = code;
    }
}
