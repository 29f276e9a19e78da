using System;

namespace Proxy.Sip.Targets;

/// <summary>Any thread. What a name stands for; immutable.</summary>
/// <param name="Targets">In the order in which they are to be tried; empty when the name stands for nothing that we can reach.</param>
/// <param name="Life">How long it holds.</param>
/// <param name="IsFailure">Nobody could be asked: what was known before still holds.</param>
public sealed record TargetList(SipTarget[] Targets, TimeSpan Life, bool IsFailure = false);
