namespace Proxy.Policy.Numbers;

/// <summary>Any thread. PhoneNumberStatus.</summary>
public enum PhoneNumberStatus
{
    Unspecified = 0,
    Active = 1,
    Pending = 2,
    Released = 3,

    /// <summary>Owned, but no rule: takes no calls.</summary>
    Offline = 4,
}

/// <summary>Any thread. One number of the carrier's own stock.</summary>
public sealed record PhoneNumber
{
    public string Id { get; init; } = "";

    /// <summary>E.164 with <c>+</c>.</summary>
    public string E164 { get; init; } = "";

    public string CountryCode { get; init; } = "";

    public string AreaCode { get; init; } = "";

    public string Locality { get; init; } = "";

    public string Region { get; init; } = "";

    /// <summary>0 unknown, 1 mobile, 2 local, 3 toll-free.</summary>
    public int NumberType { get; init; }

    /// <summary>Owned by somebody; unowned numbers are stock for sale.</summary>
    public bool IsAssigned { get; init; }

    public PhoneNumberStatus Status { get; init; }

    public string[] RuleIds { get; init; } = [];
}
