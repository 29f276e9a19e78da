using System;
using System.Net;

namespace Proxy.Server.Dns;

/// <summary>Any thread. Whom the DNS is asked, how long and how much.</summary>
public sealed class DnsOptions
{
    /// <summary>Servers, tried in order; empty: those of /etc/resolv.conf.</summary>
    public IPEndPoint[] Servers { get; init; } = [];

    /// <summary>How long one server has for an answer; in the second round twice as long.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>For one question, all servers together.</summary>
    public TimeSpan PatienceInAll { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Questions on the wire at once.</summary>
    public int QuestionsAtOnce { get; init; } = 16;

    /// <summary>Questions that wait for that; one more fails at once.</summary>
    public int QuestionsWaiting { get; init; } = 512;

    /// <summary>Answers that are remembered; when there are more, all are forgotten.</summary>
    public int AnswersRemembered { get; init; } = 4_096;

    /// <summary>Shortest and longest time for which an answer is believed, whatever its TTL.</summary>
    public TimeSpan LifeMin { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan LifeMax { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long nobody is asked again after all servers failed.</summary>
    public TimeSpan FailureLife { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Largest answer over TCP, bytes.</summary>
    public int StreamBytesMax { get; init; } = 16_384;
}
