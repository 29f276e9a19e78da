using System;
using System.Collections.Generic;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Dispatch;

/// <summary>Any thread. The three kinds of dispatch rule.</summary>
public enum RuleKind
{
    /// <summary>One named room.</summary>
    Direct,

    /// <summary>A room a caller: <c>[prefix_]caller[_random]</c>.</summary>
    Individual,

    /// <summary>A room a called number: <c>[prefix_]called[_random]</c>.</summary>
    Callee,
}

/// <summary>Any thread. When the 200 OK is sent.</summary>
public enum AnswerMode
{
    /// <summary>Ring until somebody in the room publishes audio, as livekit/sip does.</summary>
    WhenAgentReady = 0,
    AtOnce = 1,
    EarlyMedia = 2,
}

/// <summary>Any thread. How a PIN is asked.</summary>
/// <param name="Attempts">Most attempts in one call.</param>
/// <param name="InterDigit">A pause that ends the digits.</param>
/// <param name="Total">Longest time for one attempt.</param>
/// <param name="BargeIn">Digits stop the prompt.</param>
/// <param name="Length">So many digits are taken without <c>#</c>; 0: a pause or <c>#</c> ends them.</param>
public sealed record PinPrompt(int Attempts, TimeSpan InterDigit, TimeSpan Total, bool BargeIn, int Length = 0)
{
    public static PinPrompt Default { get; } = new(3, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), true);
}

/// <summary>Any thread. SIPDispatchRuleInfo as a plain value, and our additions beside it.</summary>
public sealed record DispatchRule
{
    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    public string Metadata { get; init; } = "";

    public RuleKind Kind { get; init; }

    /// <summary>Room name of a direct rule, room prefix of the others.</summary>
    public string Room { get; init; } = "";

    /// <summary>Empty means an open rule.</summary>
    public string Pin { get; init; } = "";

    /// <summary>Individual: no random suffix.</summary>
    public bool NoRandomness { get; init; }

    /// <summary>Callee: random suffix.</summary>
    public bool Randomize { get; init; }

    /// <summary>Empty means any trunk, and no trunk where compat allows it.</summary>
    public string[] TrunkIds { get; init; } = [];

    /// <summary>Called numbers; empty means any.</summary>
    public string[] Numbers { get; init; } = [];

    /// <summary>Calling numbers; empty means any.</summary>
    public string[] InboundNumbers { get; init; } = [];

    public bool HidePhoneNumber { get; init; }

    public KeyValuePair<string, string>[] Attributes { get; init; } = [];

    public string RoomPreset { get; init; } = "";

    /// <summary>RoomConfiguration as proto3 JSON; empty when not set.</summary>
    public string RoomConfigJson { get; init; } = "";

    /// <summary>Agents named in the room configuration.</summary>
    public string[] Agents { get; init; } = [];

    public bool KrispEnabled { get; init; }

    public MediaEncryption MediaEncryption { get; init; }

    public MediaPolicy? Media { get; init; }

    /// <summary>Our additions; <see cref="RuleExtras.None"/> when there are none.</summary>
    public RuleExtras Extras { get; init; } = RuleExtras.None;

    /// <summary>The id: never the PIN.</summary>
    public override string ToString() => Id;
}

/// <summary>Any thread. What stands beside a rule in <c>x/&lt;id&gt;.json</c>.</summary>
public sealed record RuleExtras
{
    public static RuleExtras None { get; } = new();

    /// <summary>Conditions on the INVITE, the time and the share of calls.</summary>
    public RuleMatch Match { get; init; } = RuleMatch.None;

    public AnswerMode AnswerMode { get; init; }

    public string FallbackRoom { get; init; } = "";

    public bool DispatchAgentsAlways { get; init; }

    public WhenAlone WhenAlone { get; init; }

    /// <summary>How long a caller waits alone before <see cref="WhenAlone"/> happens.</summary>
    public TimeSpan AloneFor { get; init; } = TimeSpan.FromSeconds(10);

    public Passthrough Passthrough { get; init; }

    public PinPrompt Pin { get; init; } = PinPrompt.Default;

    public int MaxCalls { get; init; }

    public int MaxCallsPerSecond { get; init; }
}
