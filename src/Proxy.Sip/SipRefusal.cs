using Proxy.Sip.Parsing;

namespace Proxy.Sip;

/// <summary>Any thread. An INVITE outside any dialog that the endpoint refused by itself, without telling of a call.</summary>
/// <param name="Status">What it was answered with, 400–699.</param>
/// <param name="Error">Why it could not be read; None when it could.</param>
/// <param name="IsOverload">It was refused because of <see cref="SipEndpoint.IsOverloaded"/>; a 503 without it means that a table was full.</param>
public readonly record struct SipRefusal(int Status, SipParseError Error, bool IsOverload);
