using System.Collections.Generic;
using Proxy.Core.Collections;
using Proxy.Policy;

namespace Proxy.Bridge.Tests.World;

/// <summary>Notes who asked; answers when the test says so.</summary>
internal sealed class FakeAnswers : IAnswerDesk
{
    public List<(SlotId Call, Verdict Deferred)> Asked { get; } = [];

    public List<(SlotId Call, bool IsLate)> GivenUp { get; } = [];

    /// <summary>Why nobody is asked; empty while it works.</summary>
    public string Refusal { get; set; } = "";

    public bool TryAsk(SlotId waiting, in CallFacts facts, Verdict deferred, out string why)
    {
        why = Refusal;
        if (why.Length == 0)
        {
            Asked.Add((waiting, deferred));
        }
        return why.Length == 0;
    }

    public void GiveUp(SlotId waiting, bool isLate) => GivenUp.Add((waiting, isLate));
}
