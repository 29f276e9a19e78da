namespace Proxy.Sip.Targets;

/// <summary>Any thread. Types of DNS records, by their numbers on the wire (RFC 1035 §3.2.2, 3596, 2782, 3403).</summary>
public enum DnsKind : ushort
{
    None = 0,
    A = 1,
    Cname = 5,
    Soa = 6,
    Aaaa = 28,
    Srv = 33,
    Naptr = 35,
}
