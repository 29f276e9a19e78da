using System;

namespace Proxy.Sip.Targets;

/// <summary>Any thread. What a name stands for; immutable.</summary>
/// <param name="targets">In the order in which they are to be tried; empty when the name stands for nothing that we can reach.</param>
/// <param name="life">How long it holds.</param>
/// <param name="isFailure">Nobody could be asked: what was known before still holds.</param>
public sealed class TargetList(SipTarget[] targets, TimeSpan life, bool isFailure = false)
{
    public SipTarget[] Targets { get; } = targets;

    public TimeSpan Life { get; } = life;

    public bool IsFailure { get; } = isFailure;
}
