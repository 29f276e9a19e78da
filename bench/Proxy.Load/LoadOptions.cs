using System;
using System.Globalization;
using System.Net;

namespace Proxy.Load;

/// <summary>What to call, how often and how long; read from the command line.</summary>
internal sealed record LoadOptions
{
    public IPEndPoint Target { get; init; } = new(IPAddress.Loopback, 5060);

    /// <summary>User part of the Request-URI; <c>{n}</c> becomes the call's number.</summary>
    public string To { get; init; } = "load-{n}";

    public string From { get; init; } = "1555{n}";

    public int Calls { get; init; } = 1;

    /// <summary>New calls a second.</summary>
    public double Rate { get; init; } = 5;

    /// <summary>Seconds from the answer of the last call to the BYEs.</summary>
    public double HoldSeconds { get; init; } = 10;

    /// <summary>0 PCMU, 8 PCMA.</summary>
    public int PayloadType { get; init; }

    public IPAddress Local { get; init; } = IPAddress.Loopback;

    /// <summary>The tone that we send.</summary>
    public double SendHz { get; init; } = 1000;

    /// <summary>The tone that must come back; 0 checks packets only.</summary>
    public double HearHz { get; init; } = 440;

    /// <summary>Digits sent as RFC 4733 events two seconds after the answer.</summary>
    public string Dtmf { get; init; } = "";

    /// <summary>Silence and tone take turns, this many milliseconds each, so that onsets can be timed; 0: a steady tone.</summary>
    public int BurstMs { get; init; }

    /// <summary>Something like speech instead of the tone: what it costs an encoder depends on what it hears.</summary>
    public bool Speech { get; init; }

    /// <summary>
    /// No signalling of our own: another program (SIPp) places the calls and names this port in its SDP. A source that sends
    /// to it is a call, and is sent to. The run ends after <see cref="SettleSeconds"/> and <see cref="HoldSeconds"/> with all
    /// <see cref="Calls"/>.
    /// </summary>
    public int MediaPort { get; init; }

    /// <summary>Seconds between the last call's first packet and the beginning of the measurement; only with a media port.</summary>
    public double SettleSeconds { get; init; } = 3;

    /// <summary>Process whose CPU and memory are measured while all calls are up; 0: none. Only with a media port.</summary>
    public int Watch { get; init; }

    /// <summary>Lines for people instead of JSON; the exit code then also asks for the echo of our own tone.</summary>
    public bool Human { get; init; }

    /// <summary>Print the SIP messages of the first call.</summary>
    public bool Ladder { get; init; }

    /// <summary>The room server's metrics, for one-way delays; null: round trips only. With one echoed call at a time.</summary>
    public Uri? Metrics { get; init; }

    /// <summary>Seconds to wait for a final response.</summary>
    public double AnswerSeconds { get; init; } = 15;

    public static LoadOptions Parse(string[] args)
    {
        var options = new LoadOptions();
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i];
            string Value() => i + 1 < args.Length ? args[++i] : throw new ArgumentException($"{name} needs a value");
            double Number() => double.Parse(Value(), CultureInfo.InvariantCulture);
            options = name switch
            {
                "--target" => options with { Target = IPEndPoint.Parse(Value()) },
                "--to" => options with { To = Value() },
                "--from" => options with { From = Value() },
                "--calls" => options with { Calls = (int)Number() },
                "--rate" => options with { Rate = Number() },
                "--hold" => options with { HoldSeconds = Number() },
                "--pt" => options with { PayloadType = (int)Number() },
                "--local" => options with { Local = IPAddress.Parse(Value()) },
                "--send-hz" => options with { SendHz = Number() },
                "--hear-hz" => options with { HearHz = Number() },
                "--dtmf" => options with { Dtmf = Value() },
                "--burst-ms" => options with { BurstMs = (int)Number() },
                "--answer-within" => options with { AnswerSeconds = Number() },
                "--metrics" => options with { Metrics = new Uri(Value()) },
                "--speech" => options with { Speech = true },
                "--media-port" => options with { MediaPort = (int)Number() },
                "--settle" => options with { SettleSeconds = Number() },
                "--watch" => options with { Watch = (int)Number() },
                "--human" => options with { Human = true },
                "--ladder" => options with { Ladder = true },
                _ => throw new ArgumentException($"'{name}' is no option of siproom-load"),
            };
        }
        return options;
    }
}
