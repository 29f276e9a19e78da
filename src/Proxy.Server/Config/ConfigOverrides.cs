using Proxy.Core.Net;

namespace Proxy.Server.Config;

/// <summary>Main thread. What the command line says; it goes before the file.</summary>
public sealed record ConfigOverrides
{
    /// <summary><c>--config</c>; null: SIP_CONFIG_FILE, else none.</summary>
    public string? File { get; init; }

    /// <summary><c>--config-body</c>; null: SIP_CONFIG_BODY, else none.</summary>
    public string? Body { get; init; }

    public bool IsDev { get; init; }

    public string? PolicyFolder { get; init; }

    public NetEndPoint? Sip { get; init; }

    public NetEndPoint? Http { get; init; }

    public PortSpan? Rtp { get; init; }

    public ushort? DevIcePort { get; init; }

    /// <summary><c>-v</c>: debug lines, and with --dev call records on stdout.</summary>
    public bool IsVerbose { get; init; }

    /// <summary>What belongs to a verb that needs no room server (check, explain): missing keys are no errors.</summary>
    public bool IsOffline { get; init; }
}
