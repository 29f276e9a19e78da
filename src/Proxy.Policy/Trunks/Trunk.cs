using System;
using System.Collections.Generic;
using Proxy.Policy.Numbers;

namespace Proxy.Policy.Trunks;

/// <summary>Any thread. Which INVITE headers become <c>sip.h.*</c> attributes (SIPHeaderOptions).</summary>
public enum IncludeHeaders
{
    None = 0,
    XHeaders = 1,
    All = 2,
}

/// <summary>Any thread. SIPInboundTrunkInfo as a plain value, and our additions beside it.</summary>
public sealed record Trunk
{
    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    public string Metadata { get; init; } = "";

    /// <summary>Called numbers; empty means any.</summary>
    public TextList Numbers { get; init; } = TextList.Empty;

    /// <summary>Source addresses, CIDR blocks or host names; empty means any.</summary>
    public string[] AllowedAddresses { get; init; } = [];

    /// <summary>Calling numbers; empty means any.</summary>
    public TextList AllowedNumbers { get; init; } = TextList.Empty;

    public string AuthUsername { get; init; } = "";

    public string AuthPassword { get; init; } = "";

    /// <summary>Empty means <c>LiveKit</c>.</summary>
    public string AuthRealm { get; init; } = "";

    public KeyValuePair<string, string>[] Headers { get; init; } = [];

    public KeyValuePair<string, string>[] HeadersToAttributes { get; init; } = [];

    public KeyValuePair<string, string>[] AttributesToHeaders { get; init; } = [];

    public IncludeHeaders IncludeHeaders { get; init; }

    /// <summary>Zero means the node's default.</summary>
    public TimeSpan RingingTimeout { get; init; }

    /// <summary>Zero means the node's default.</summary>
    public TimeSpan MaxCallDuration { get; init; }

    public bool KrispEnabled { get; init; }

    /// <summary>The deprecated field; used where <see cref="MediaPolicy.Encryption"/> is not set.</summary>
    public MediaEncryption MediaEncryption { get; init; }

    public MediaPolicy? Media { get; init; }

    /// <summary>Our additions; <see cref="TrunkExtras.None"/> when there are none.</summary>
    public TrunkExtras Extras { get; init; } = TrunkExtras.None;

    /// <summary>The id: never the password.</summary>
    public override string ToString() => Id;
}

/// <summary>Any thread. Where a trunk takes the called number from.</summary>
public enum CalledFrom
{
    To = 0,
    RequestUri = 1,
}

/// <summary>Any thread. Where a trunk takes the caller's number from.</summary>
public enum CallerFrom
{
    From = 0,
    AssertedIdentity = 1,
}

/// <summary>Any thread. What stands beside a trunk in <c>x/&lt;id&gt;.json</c>.</summary>
public sealed record TrunkExtras
{
    public static TrunkExtras None { get; } = new();

    public CalledFrom CalledFrom { get; init; }

    public CallerFrom CallerFrom { get; init; }

    /// <summary>Prefixes (<c>+4420*</c>) and ranges (<c>+442071230000-9999</c>) beside the numbers.</summary>
    public string[] NumberPatterns { get; init; } = [];

    /// <summary>Digest algorithm of the challenge: <c>MD5</c> (default), <c>SHA-256</c>, <c>SHA-512-256</c>.</summary>
    public string DigestAlgorithm { get; init; } = "MD5";

    public Passthrough Passthrough { get; init; }

    /// <summary>Calls at once; 0 for no limit. Calls a second; 0 for no limit.</summary>
    public int MaxCalls { get; init; }

    public int MaxCallsPerSecond { get; init; }

    /// <summary>Per called number and per caller number of this trunk.</summary>
    public int MaxCallsPerNumber { get; init; }

    public int MaxCallsPerCaller { get; init; }
}
