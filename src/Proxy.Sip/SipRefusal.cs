using Proxy.Sip.Parsing;

namespace Proxy.Sip;

/// <summary>Any thread. Why an INVITE outside any dialog ended in the endpoint, without telling of a call.</summary>
public enum SipRefusalCause : byte
{
    None,

    /// <summary>It cannot be read, or asks for what we do not have; <see cref="SipRefusal.Status"/> says which.</summary>
    Request,

    /// <summary><see cref="SipEndpoint.IsOverloaded"/>.</summary>
    Overload,

    /// <summary>A table is full.</summary>
    TableFull,

    /// <summary>A stranger above its rate.</summary>
    Flooding,

    /// <summary>All strangers together above theirs.</summary>
    Crowded,

    /// <summary>A banned source: nothing was answered.</summary>
    Banned,

    /// <summary>hide_inbound_port: nothing was answered.</summary>
    Hidden,
}

/// <summary>Any thread. An INVITE outside any dialog that the endpoint refused by itself, without telling of a call.</summary>
/// <param name="Status">What it was answered with, 400–699; 0 for nothing.</param>
/// <param name="Error">Why it could not be read; None when it could.</param>
/// <param name="Cause">Why it was refused.</param>
public readonly record struct SipRefusal(int Status, SipParseError Error, SipRefusalCause Cause)
{
    /// <summary>It is one of many of a stranger: worth counting, seldom worth a record.</summary>
    public bool IsGuarded => Cause >= SipRefusalCause.Flooding;
}
