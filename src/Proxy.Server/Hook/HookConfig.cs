using System;

namespace Proxy.Server.Hook;

/// <summary>Any thread. <c>policy: { hook: … }</c>.</summary>
public sealed record HookConfig
{
    /// <summary>Longest answer; what is longer is no answer.</summary>
    public const int AnswerBytes = 64 * 1024;

    public required Uri Url { get; init; }

    /// <summary>Signs the questions; a secret: never logged. Empty: they are not signed.</summary>
    public string Secret { get; init; } = "";

    /// <summary>From the INVITE to the whole answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Calls that neither trunk nor rule takes are asked about too.</summary>
    public bool AsksAboutAll { get; init; }

    /// <summary>Without an answer a call is refused; else the rules decide.</summary>
    public bool RefusesWhenDown { get; init; }

    /// <summary>Questions under way at once; more calls are decided without the hook.</summary>
    public int MaxOutstanding { get; init; } = 100;

    /// <summary>Failures in a row after which the hook is left alone.</summary>
    public int Failures { get; init; } = 5;

    /// <summary>For how long; then one call asks, and its answer decides.</summary>
    public TimeSpan Rest { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Without the secret, and without what a URL may hide before or behind the path.</summary>
    public override string ToString() => $"{Url.Scheme}://{Url.Authority}{Url.AbsolutePath}";
}
