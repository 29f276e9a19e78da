using System;

namespace Proxy.Sip.Targets;

/// <summary>Any thread. What the DNS said to one question; immutable.</summary>
/// <param name="Records">Of the kind asked for; empty when there are none.</param>
/// <param name="Life">How long it may be believed.</param>
/// <param name="IsFailure">No server gave an answer: the name may exist or not.</param>
public sealed record DnsAnswer(DnsRecord[] Records, TimeSpan Life, bool IsFailure = false);
