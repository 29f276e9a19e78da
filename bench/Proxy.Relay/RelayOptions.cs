using System;
using System.Globalization;
using System.Net;

namespace Proxy.Relay;

/// <summary>Read from the command line.</summary>
internal sealed record RelayOptions
{
    /// <summary>Where rtpengine listens for the ng protocol.</summary>
    public IPEndPoint Engine { get; init; } = new(IPAddress.Loopback, 22222);

    public IPAddress Local { get; init; } = IPAddress.Loopback;

    public int Calls { get; init; } = 1;

    /// <summary>New calls a second.</summary>
    public double Rate { get; init; } = 10;

    /// <summary>Seconds between the last call's set-up and the measurement.</summary>
    public double SettleSeconds { get; init; } = 3;

    /// <summary>Seconds of the measurement.</summary>
    public double HoldSeconds { get; init; } = 10;

    /// <summary>rtpengine's process, whose CPU and memory are measured; 0: none.</summary>
    public int Watch { get; init; }

    public static RelayOptions Parse(string[] args)
    {
        var options = new RelayOptions();
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i];
            string Value() => i + 1 < args.Length ? args[++i] : throw new ArgumentException($"{name} needs a value");
            double Number() => double.Parse(Value(), CultureInfo.InvariantCulture);
            options = name switch
            {
                "--engine" => options with { Engine = IPEndPoint.Parse(Value()) },
                "--local" => options with { Local = IPAddress.Parse(Value()) },
                "--calls" => options with { Calls = (int)Number() },
                "--rate" => options with { Rate = Number() },
                "--settle" => options with { SettleSeconds = Number() },
                "--hold" => options with { HoldSeconds = Number() },
                "--watch" => options with { Watch = (int)Number() },
                _ => throw new ArgumentException($"'{name}' is no option of siproom-relay"),
            };
        }
        return options;
    }
}
