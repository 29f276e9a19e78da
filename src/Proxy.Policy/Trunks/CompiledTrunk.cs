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

    public bool HasAuth => Trunk.AuthUsername.Length > 0 && Trunk.AuthPassword.Length > 0;

    public bool HasHalfAuth => Trunk.AuthUsername.Length > 0 != Trunk.AuthPassword.Length > 0;

    public string Realm => Trunk.AuthRealm.Length > 0 ? Trunk.AuthRealm : "LiveKit";

    /// <summary>A trunk that lists the caller is asked before one that takes any; then one that lists the source.</summary>
    public int Specificity => (TakesAnyCaller ? 0 : 2) + (Addresses.IsEmpty ? 0 : 1);
}
