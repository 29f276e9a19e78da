using System;
using Proxy.DevRoom.Forwarding;

namespace Proxy.DevRoom.DemoAgent;

/// <summary>Any thread. What a demo agent is asked to do.</summary>
/// <param name="Codec">Of the tone, when there is no caller to take it from.</param>
/// <param name="AnswersDtmf">Whether it sends each DTMF digit back.</param>
public sealed record DemoAgentOptions(DemoAgentMode Mode, TrackCodec Codec = TrackCodec.Opus, bool AnswersDtmf = false)
{
    /// <summary>The agent name that asks for it in <c>roomConfig.agents</c> and <c>CreateRoom.agents</c>.</summary>
    public const string AgentName = "demo";

    /// <summary>Reads a dispatch's metadata: words of <c>echo tone greet opus pcmu pcma dtmf</c>, separated by spaces or commas; others are ignored.</summary>
    public static DemoAgentOptions Parse(string metadata)
    {
        DemoAgentOptions options = new(DemoAgentMode.GreetAndEcho);
        foreach (string word in metadata.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            options = word switch
            {
                "echo" => options with { Mode = DemoAgentMode.Echo },
                "tone" => options with { Mode = DemoAgentMode.Tone },
                "greet" => options with { Mode = DemoAgentMode.GreetAndEcho },
                "dtmf" => options with { AnswersDtmf = true },
                _ => TrackCodecs.TryParse(word, out TrackCodec codec) ? options with { Codec = codec } : options,
            };
        }
        return options;
    }
}
