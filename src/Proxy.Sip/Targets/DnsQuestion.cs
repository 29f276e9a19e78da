namespace Proxy.Sip.Targets;

/// <summary>Any thread. One question to the DNS.</summary>
/// <param name="Kind">A, AAAA, SRV or NAPTR.</param>
/// <param name="Name">In lower case, without a final dot.</param>
public sealed record DnsQuestion(DnsKind Kind, string Name);
