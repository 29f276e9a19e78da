using Proxy.Core.Net;

namespace Proxy.Sip.Targets;

/// <summary>Any thread. One record of a DNS answer, aliases followed; which fields it has its kind says.</summary>
public sealed class DnsRecord
{
    public DnsKind Kind { get; init; }

    /// <summary>A, AAAA.</summary>
    public NetAddress Address { get; init; }

    /// <summary>SRV: priority. NAPTR: order. Lower ones first.</summary>
    public ushort Priority { get; init; }

    /// <summary>SRV: weight, a share among equal priorities. NAPTR: preference, lower ones first among equal orders.</summary>
    public ushort Weight { get; init; }

    /// <summary>SRV.</summary>
    public ushort Port { get; init; }

    /// <summary>SRV: target. NAPTR: replacement. In lower case, without a final dot; empty for the root, which says "not here".</summary>
    public string Target { get; init; } = "";

    /// <summary>NAPTR.</summary>
    public string Flags { get; init; } = "";

    /// <summary>NAPTR, for example <c>SIP+D2U</c>.</summary>
    public string Service { get; init; } = "";
}
