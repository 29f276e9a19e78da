namespace Proxy.Server.Signal;

/// <summary>The signal thread writes, any thread reads.</summary>
public sealed class SignalCounters
{
    public long SendFailures { get; set; }

    /// <summary>Binding requests on the SIP port that got their answer.</summary>
    public long StunAnswered { get; set; }

    /// <summary>STUN that got none: malformed, no binding request, or a stranger's that is shorter than the answer.</summary>
    public long StunUnanswered { get; set; }

    /// <summary>Faults of ours that the loop's catch took.</summary>
    public long Broken { get; set; }
}
