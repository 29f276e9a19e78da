using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Server.Config;
using Proxy.Server.Signal;
using Proxy.Server.Store;

namespace Proxy.Server.Node;

/// <summary>Any thread. What a reload found.</summary>
/// <param name="Problems">What cannot be used; where it stands in the configuration nothing of it was taken.</param>
/// <param name="Notices">What was read and needs a restart.</param>
public sealed record ReloadReport(IReadOnlyList<string> Problems, IReadOnlyList<string> Notices);

/// <summary>Async world, one at a time. Reads configuration, certificates and policy again: what can change while calls run is put in force, a configuration with an error changes nothing.</summary>
/// <param name="config">What the node was started with.</param>
/// <param name="read">Reads the configuration again; null where there is none to read.</param>
/// <param name="apply">Puts in force what the command owns (the log level).</param>
public sealed class NodeReload(ServerConfig config, Func<ConfigResult>? read, SiproomNode node, PolicyRuntime policy, Action<ServerConfig> apply)
{
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Keys that a running node does not change, and how they are compared.</summary>
    private static readonly (string Key, Func<ServerConfig, string> Value)[] s_fixed =
    [
        ("api_key", c => c.ApiKey + "\n" + c.ApiSecret), ("ws_url", c => string.Join(" ", c.WsUrls)), ("sip_port", c => $"{c.SipListen} {c.SipPortAnnounced}"),
        ("sip_hostname", c => c.SipHostname), ("nat_1_to_1_ip", c => $"{c.SignalAddress} {c.MediaAddress}"), ("local_net", c => string.Join(" ", c.LocalNets)),
        ("hide_inbound_port", c => c.HideInboundPort.ToString()), ("trusted_proxies", c => string.Join(" ", c.TrustedProxies) + c.SourceFrom),
        ("rtp_port", c => c.RtpPorts.ToString()), ("ice_port_range", c => c.IcePorts.ToString() ?? ""), ("codecs", c => string.Join(" ", c.Codecs)),
        ("room_codec", c => c.RoomCodec.ToString()), ("policy", c => $"{c.PolicyFolder} {c.PolicyInRedis} {c.Compat}"),
        ("policy.hook", c => c.Hook is { } hook ? string.Join(" ", hook.Url, hook.Secret, hook.Timeout, hook.AsksAboutAll, hook.RefusesWhenDown, hook.MaxOutstanding, hook.Failures, hook.Rest) : ""), ("redis", c => c.Redis is null ? "" : string.Join(" ", c.Redis.Addresses)),
        ("http", c => c.Http.ToString()), ("health_port", c => c.HealthPort.ToString()), ("prometheus_port", c => c.PrometheusPort.ToString()),
        ("control", c => c.ControlSocket ?? ""), ("records", c => c.RecordsFile ?? ""), ("calls_max, drain_for, media_timeout and other limits", c => c.Limits.ToString()),
        ("listeners, challenge", c => string.Join(" ", c.Listeners) + c.Challenge),
        ("tls.port", c => c.Tls is { } tls ? $"{tls.PortListen} {tls.PortAnnounced} {tls.Challenge}" : ""),
    ];

    public async Task<ReloadReport> RunAsync(CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            List<string> notices = [];
            if (read is not null)
            {
                IReadOnlyList<string> problems = Configure(read(), notices);
                if (problems.Count > 0)
                {
                    return new ReloadReport(problems, []);
                }
            }
            return new ReloadReport(await policy.ReloadAsync(cancellation).ConfigureAwait(false), notices);
        }
        finally
        {
            _one.Release();
        }
    }

    private IReadOnlyList<string> Configure(ConfigResult result, List<string> notices)
    {
        if (result.Config is not { } now)
        {
            return result.Errors;
        }
        TcpTls.Identity? identity = null;
        if (node.Tls is not null && now.Tls is { } tls && (identity = TcpTls.TryRead(tls, out string error)) is null)
        {
            return [error];
        }
        if (identity is not null)
        {
            node.Tls!.Swap(identity);
        }
        apply(now);
        foreach ((string key, Func<ServerConfig, string> value) in s_fixed)
        {
            if (value(now) != value(config))
            {
                notices.Add($"{key} changed: it takes effect with the next start");
            }
        }
        return [];
    }
}
