using Proxy.Bridge.Records;
using Proxy.Policy;
using Proxy.Sip.Dialogs;

namespace Proxy.Bridge;

/// <summary>Signal thread. A call whose verdict waits for an answer: 100 is sent, the caller may cancel, no port is taken yet.</summary>
internal sealed class WaitingCall(SipDialog dialog, in CallFacts facts, CallRecord record)
{
    private readonly CallFacts _facts = facts;

    public SipDialog Dialog { get; } = dialog;

    public ref readonly CallFacts Facts => ref _facts;

    public CallRecord Record { get; } = record;

    /// <summary>What it waits for now; null before it was asked.</summary>
    public Question? Question { get; set; }
}
