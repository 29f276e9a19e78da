using Proxy.Policy.Numbers;

namespace Proxy.Policy.Trunks;

/// <summary>Any thread. A trunk as calls see it: the object, and what is worked out once for all calls.</summary>
internal sealed class CompiledTrunk
{
    public required Trunk Trunk { get; init; }

    public required AddressList Addresses { get; init; }

    /// <summary>Takes any called number.</summary>
    public required bool IsDefault { get; init; }

    /// <summary>Takes any caller.</summary>
    public required bool TakesAnyCaller { get; init; }

    /// <summary>Ranges and prefixes beside the numbers.</summary>
    public required NumberPattern[] Patterns { get; init; }

    public bool HasAuth => Trunk.AuthUsername.Length > 0 && Trunk.AuthPassword.Length > 0;

    public bool HasHalfAuth => Trunk.AuthUsername.Length > 0 != Trunk.AuthPassword.Length > 0;

    public string Realm => Trunk.AuthRealm.Length > 0 ? Trunk.AuthRealm : "LiveKit";

    public int Specificity => SpecificityOf(Trunk);

    /// <summary>
    /// A trunk that lists the asserted caller is asked before one that lists the caller of From, then one that takes any caller; of
    /// those, one that lists the source goes first.
    /// </summary>
    public static int SpecificityOf(Trunk trunk)
    {
        int caller = trunk.AllowedNumbers.Length == 0 ? 0 : trunk.Extras.CallerFrom == CallerFrom.AssertedIdentity ? 4 : 2;
        return caller + (trunk.AllowedAddresses.Length == 0 ? 0 : 1);
    }
}
