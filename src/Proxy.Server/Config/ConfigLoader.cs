using System;
using System.Collections.Generic;
using System.IO;
using Proxy.Core;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Policy.Trunks;
using Proxy.Server.Hook;
using Proxy.Server.Signal;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Proxy.Server.Config;

/// <summary>Main thread. Reads the configuration: livekit/sip's keys and our own, environment and command line. ADR 0008.</summary>
/// <remarks>Order: command line, then file, then environment, then defaults.</remarks>
public sealed class ConfigLoader
{
    private static readonly NetAddress s_loopback = NetAddress.FromV4(0x7F000001);
    private readonly ConfigOverrides _overrides;
    private readonly Func<string, string?> _environment;

    /// <param name="environment">Name → value; null: the process's own.</param>
    public ConfigLoader(ConfigOverrides overrides, Func<string, string?>? environment = null)
    {
        _overrides = overrides;
        _environment = environment ?? Environment.GetEnvironmentVariable;
    }

    /// <summary>Never throws: an unreadable file is one error.</summary>
    public ConfigResult Load()
    {
        string? file = _overrides.File ?? (_overrides.Body is null ? _environment("SIP_CONFIG_FILE") : null);
        string? body = _overrides.Body ?? (file is null ? _environment("SIP_CONFIG_BODY") : null);
        string source = file ?? (body is null ? "(defaults)" : "(config body)");
        ConfigProblems problems = new(source);
        YamlMappingNode? root = Parse(file, body, problems);
        YamlSection top = new(root, "", problems, _environment);
        ServerConfig config = Read(top) with { Source = source };
        top.Finish();
        Demand(config, problems);
        return new ConfigResult(problems.HasErrors ? null : config, problems.Errors(), problems.Notices);
    }

    private static YamlMappingNode? Parse(string? file, string? body, ConfigProblems problems)
    {
        try
        {
            string text = body ?? (file is null ? "" : File.ReadAllText(file));
            YamlStream stream = [];
            stream.Load(new StringReader(text));
            switch (stream.Documents.Count == 0 ? null : stream.Documents[0].RootNode)
            {
                case YamlMappingNode mapping:
                    return mapping;
                case null or YamlScalarNode { Value: null or "" }:
                    return null;
                default:
                    problems.Error(1, "the file must hold keys and values");
                    return null;
            }
        }
        catch (YamlException e)
        {
            problems.Error(e.Start.Line, "this is not YAML: " + (e.InnerException?.Message ?? e.Message));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.IsUnreadable = true;
            problems.Error(0, "cannot be read: " + e.Message);
        }
        return null;
    }

    private ServerConfig Read(YamlSection top)
    {
        bool isDev = _overrides.IsDev;
        NetEndPoint http = top.EndPoint("http", new NetEndPoint(s_loopback, (ushort)(isDev ? 7880 : 7888)));
        http = _overrides.Http ?? http;
        RedisConfig? redis = ReadRedis(top);
        ServerConfig config = new()
        {
            IsDev = isDev,
            ApiKey = top.Secret("api_key", _environment("LIVEKIT_API_KEY") ?? (isDev ? "devkey" : "")),
            ApiSecret = top.Secret("api_secret", _environment("LIVEKIT_API_SECRET") ?? (isDev ? "secret" : "")),
            WsUrls = ReadUrls(top, isDev, http),
            Redis = redis,
            Http = http,
            HealthPort = (ushort)top.Integer("health_port", 0, 0, 65_535),
            PrometheusPort = (ushort)top.Integer("prometheus_port", 0, 0, 65_535),
            DevIcePort = _overrides.DevIcePort ?? 0,
            RecordsFile = ReadRecords(top),
            ControlSocket = top.TextOrNull("control") is { } control ? control == "off" ? "" : control : null,
            CaFile = ReadFile(top, "ca_file"),
            Limits = ReadLimits(top),
        };
        config = ReadSip(top, config);
        config = ReadMedia(top, config);
        config = ReadPolicy(top, config);
        config = config with { Twilio = TwilioSettings.Read(top, config, _environment) };
        config = ReadLogging(top, config);
        IgnoreOthers(top);
        return config;
    }

    private IReadOnlyList<string> ReadUrls(YamlSection top, bool isDev, NetEndPoint http)
    {
        IReadOnlyList<string> urls = top.Texts("ws_url");
        if (urls.Count == 0 && _environment("LIVEKIT_WS_URL") is { Length: > 0 } given && !isDev)
        {
            urls = [given];
        }
        if (urls.Count == 0 && isDev)
        {
            urls = [$"ws://{(http.Address.IsUnspecified ? http with { Address = s_loopback } : http)}"];
        }
        foreach (string url in urls)
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("ws" or "wss" or "http" or "https") || uri.Host.Length == 0)
            {
                top.Error("ws_url", $"'{url}' is not an address such as wss://livekit.example.com");
            }
        }
        return urls;
    }

    private ServerConfig ReadSip(YamlSection top, ServerConfig config)
    {
        ushort port = top.Port("sip_port", 5060);
        ushort listen = top.Port("sip_port_listen", port);
        NetAddress address = top.Address("listen_ip");
        if (!address.IsSet)
        {
            address = config.IsDev ? s_loopback : NetAddress.FromV4(0);
        }
        NetEndPoint endPoint = _overrides.Sip ?? new NetEndPoint(address, listen);
        bool useExternal = top.Bool("use_external_ip", false);
        NetAddress signal = top.Address("nat_1_to_1_ip");
        if (useExternal && signal.IsSet)
        {
            top.Error("nat_1_to_1_ip", "excludes use_external_ip: keep one of the two");
        }
        string sourceFrom = top.Text("source_from", "");
        if (sourceFrom.Length > 0 && sourceFrom != "via" && !sourceFrom.StartsWith("header:", StringComparison.OrdinalIgnoreCase))
        {
            top.Error("source_from", $"'{sourceFrom}' is unknown; known are via and header:NAME");
        }
        if (sourceFrom.Length == 0 && top.Has("trusted_proxies"))
        {
            top.Error("trusted_proxies", "needs source_from: where the proxy writes the carrier's address, via or header:NAME");
        }
        if (sourceFrom.Length > 0 && !top.Has("trusted_proxies"))
        {
            top.Error("source_from", "needs trusted_proxies: nobody else's word about addresses is taken");
        }
        string hostname = top.Verbatim("sip_hostname", "");
        if (hostname.Length > 0 && Uri.CheckHostName(hostname.Replace("${IP}", "192-0-2-1", StringComparison.Ordinal)) != UriHostNameType.Dns)
        {
            top.Error("sip_hostname", $"'{hostname}' is not a host name such as sip.example.com");
        }
        NetAddress media = top.Address("media_nat_1_to_1_ip");
        int challenge = ReadChallenge(top, 407);
        return config with
        {
            Challenge = challenge,
            Listeners = ReadListeners(top, challenge),
            SipListen = endPoint,
            SipPortAnnounced = _overrides.Sip is { } given ? given.Port : port,
            SipHostname = hostname,
            Tls = ReadTls(top, challenge),
            SignalAddress = signal,
            MediaAddress = media.IsSet ? media : signal,
            UseExternalIp = useExternal,
            MediaUseExternalIp = top.Bool("media_use_external_ip", useExternal),
            StunServers = ReadStunServers(top, config.StunServers),
            DnsServers = DnsSettings.Read(top),
            LocalNets = top.Networks("local_net"),
            HideInboundPort = top.Bool("hide_inbound_port", false),
            AddRecordRoute = top.Bool("add_record_route", false),
            TrustedProxies = top.Networks("trusted_proxies"),
            SourceFrom = sourceFrom,
        };
    }

    private static IReadOnlyList<string> ReadStunServers(YamlSection top, IReadOnlyList<string> usual)
    {
        IReadOnlyList<string> servers = top.Texts("stun_servers");
        foreach (string server in servers)
        {
            int colon = server.LastIndexOf(':');
            if (colon == 0 || (colon > 0 && !ushort.TryParse(server.AsSpan(colon + 1), out _)))
            {
                top.Error("stun_servers", $"'{server}' is not host or host:port");
            }
        }
        return servers.Count == 0 ? usual : servers;
    }

    private ServerConfig ReadMedia(YamlSection top, ServerConfig config)
    {
        YamlSection codecs = top.Section("codecs");
        Dictionary<string, bool> switches = new(StringComparer.Ordinal);
        foreach (string name in codecs.Keys)
        {
            switches[name.Split('/')[0].ToLowerInvariant()] = codecs.Bool(name, true);
        }
        PortSpan rtp = top.Ports("rtp_port", config.RtpPorts);
        return config with
        {
            RtpPorts = _overrides.Rtp ?? rtp,
            IcePorts = top.Has("ice_port_range") ? top.Ports("ice_port_range", default) : null,
            Codecs = switches,
            RoomCodec = top.Choice("room_codec", "auto", "auto", "opus", "g711") switch
            {
                "opus" => Passthrough.Opus,
                "g711" => Passthrough.G711,
                _ => Passthrough.Auto,
            },
            SymmetricRtp = top.Bool("symmetric_rtp", true),
            IgnoreLocalAddrInSdp = top.Bool("ignore_local_addr_in_sdp", true),
            Prompts = PromptSettings.Read(top, config.Limits),
        };
    }

    private ServerConfig ReadPolicy(YamlSection top, ServerConfig config)
    {
        YamlSection policy = top.Section("policy");
        string? folder = policy.TextOrNull("folder");
        folder = _overrides.PolicyFolder ?? folder;
        bool isInRedis = policy.Bool("redis", config.Redis is not null && folder is null);
        HookConfig? hook = HookSettings.Read(policy, isAlone: folder is null && !isInRedis);
        policy.Finish();
        if (isInRedis && config.Redis is null)
        {
            policy.Error("redis", "needs the section 'redis' with an address");
        }
        if (isInRedis && folder is not null && _overrides.PolicyFolder is null)
        {
            policy.Error("folder", "excludes redis: keep one of the two");
        }
        YamlSection interconnect = top.Section("interconnect");
        _ = interconnect.Networks("allowed_addresses");
        string[] addresses = [.. interconnect.Texts("allowed_addresses")];
        interconnect.Finish();
        string compat = top.Choice("compat", isInRedis ? "livekit" : "strict", "livekit", "strict");
        return config with
        {
            PolicyFolder = folder,
            PolicyInRedis = isInRedis && _overrides.PolicyFolder is null,
            Hook = hook,
            Compat = compat == "livekit" ? Compat.LiveKit : Compat.Strict,
            InterconnectAddresses = addresses,
            Refusals = ReadRefusals(top.Section("responses")),
        };
    }

    private static Refusals ReadRefusals(YamlSection section)
    {
        Refusals refusals = section.Choice("preset", "default", "default", "livekit") == "livekit" ? Refusals.LiveKit : Refusals.Default;
        foreach (string name in Refusals.Names)
        {
            if (!Refusals.TryParse(name, out RefusalCode code) || !section.Has(name))
            {
                continue;
            }
            YamlSection one = section.Section(name);
            Refusal old = refusals[code];
            refusals = refusals.With(code, new Refusal(
                one.Integer("status", old.Status, 400, 699),
                one.Text("reason", old.Reason),
                one.Integer("cause", old.Q850Cause, 0, 127),
                one.Integer("retry_after", old.RetryAfterSeconds, 0, 86_400)));
            one.Finish();
        }
        section.Finish();
        return refusals;
    }

    private ServerConfig ReadLogging(YamlSection top, ServerConfig config)
    {
        YamlSection logging = top.Section("logging");
        string level = top.Text("log_level", "info");
        level = logging.Text("level", level).ToLowerInvariant();
        if (level is not ("debug" or "info" or "warn" or "warning" or "error"))
        {
            top.Error("log_level", $"'{level}' is unknown; known are debug, info, warn, error");
        }
        bool isJson = logging.Bool("json", false);
        string format = top.Choice("log_format", isJson ? "json" : "text", "text", "json");
        logging.Ignored("log lines are neither sampled nor filtered by component", "sample", "sample_initial", "sample_interval", "component_levels", "item_sample_seconds", "item_sample_initial", "item_sample_interval");
        logging.Finish();
        return config with { LogLevel = _overrides.IsVerbose ? "debug" : level == "warning" ? "warn" : level, LogJson = format == "json" };
    }

    private static Limits ReadLimits(YamlSection top)
    {
        Limits limits = new();
        TimeSpan ringing = top.Duration("sip_ringing_interval", limits.RingingInterval);
        if (ringing < TimeSpan.FromSeconds(1) || ringing > TimeSpan.FromMinutes(1))
        {
            top.Error("sip_ringing_interval", "must lie between 1s and 60s");
        }
        YamlSection strangers = top.Section("strangers");
        limits = limits with
        {
            StrangerRate = strangers.Number("rate", limits.StrangerRate, 0.01, 1_000_000),
            StrangerBurst = strangers.Number("burst", limits.StrangerBurst, 1, 1_000_000),
            StrangersRate = strangers.Number("rate_of_all", limits.StrangersRate, 0.01, 1_000_000),
            AlikeAfter = strangers.Number("alike_after", limits.AlikeAfter, 0, 1_000_000),
            BanAfter = strangers.Number("ban_after", limits.BanAfter, 0, 1_000_000),
            BanTime = strangers.Duration("ban_for", limits.BanTime),
        };
        strangers.Finish();
        int callsMax = top.Integer("max_active_calls", limits.CallsMax, 1, 1_000_000);
        return limits with
        {
            RingingInterval = ringing,
            DrainTimeout = top.Duration("drain_for", limits.DrainTimeout),
            MediaTimeout = top.Duration("media_timeout", limits.MediaTimeout),
            MediaTimeoutInitial = top.Duration("media_timeout_initial", limits.MediaTimeoutInitial),
            CpuMax = top.Number("max_cpu_utilization", limits.CpuMax, 0.01, 1),
            CallsMax = top.Integer("calls_max", callsMax, 1, 1_000_000),
        };
    }

    private static int ReadChallenge(YamlSection section, int fallback) =>
        section.Choice("challenge", fallback == 401 ? "401" : "407", "407", "401") == "401" ? 401 : 407;

    private static IReadOnlyList<ListenerConfig> ReadListeners(YamlSection top, int challenge)
    {
        List<ListenerConfig> listeners = [];
        foreach (YamlSection one in top.Sections("listeners"))
        {
            NetEndPoint listen = one.EndPoint("listen", default);
            string text = one.Text("advertise", "");
            NetEndPoint outside = listen;
            if (!one.Has("listen"))
            {
                one.Error("listen", "is missing: the address and port to listen at, such as 10.0.0.5:5060");
            }
            if (NetAddress.TryParse(text, out NetAddress address))
            {
                outside = listen with { Address = address };
            }
            else if (text.Length > 0 && !NetEndPoint.TryParse(text, out outside))
            {
                one.Error("advertise", $"'{text}' is neither an IP address nor an address and port such as 203.0.113.5:5060");
            }
            if (text.Length > 0 && outside.Address.IsUnspecified)
            {
                one.Error("advertise", $"'{text}' is an address that nobody can reach");
            }
            NetAddress media = one.Address("advertise_media");
            listeners.Add(new ListenerConfig(listen, outside, media.IsSet ? media : text.Length > 0 ? outside.Address : default, ReadChallenge(one, challenge)));
            one.Finish();
        }
        return listeners;
    }

    private static TlsConfig? ReadTls(YamlSection top, int challenge)
    {
        YamlSection tls = top.Section("tls");
        if (!top.Has("tls"))
        {
            return null;
        }
        List<(string, string)> certificates = [];
        foreach (YamlSection certificate in tls.Sections("certs"))
        {
            string certFile = certificate.Text("cert_file", "");
            string keyFile = certificate.Text("key_file", "");
            Exists(certificate, "cert_file", certFile);
            Exists(certificate, "key_file", keyFile);
            certificate.Finish();
            certificates.Add((certFile, keyFile));
        }
        if (certificates.Count == 0)
        {
            top.Error("tls", "needs at least one entry in 'certs' with cert_file and key_file");
        }
        ushort port = tls.Port("port", 5061);
        TlsConfig config = new()
        {
            PortAnnounced = port,
            PortListen = tls.Port("port_listen", port),
            Challenge = ReadChallenge(tls, challenge),
            Certificates = certificates,
            MinVersion = tls.Choice("min_version", "", "", "tls1.2", "tls1.3", "TLS1.2", "TLS1.3", "1.2", "1.3"),
            Ciphers = [.. tls.Texts("cipher_suites"), .. tls.Texts("ciphers")],
            Alpn = tls.Texts("alpn"),
            ClientCaFile = ReadFile(tls, "client_ca") ?? "",
            ClientMustAuthenticate = tls.Choice("client_auth", "require", "require", "request") == "require",
        };
        if (tls.Has("client_auth") && config.ClientCaFile.Length == 0)
        {
            tls.Error("client_auth", "needs client_ca, the file of the authorities that stand behind clients");
        }
        if (!TlsCiphers.TryPolicy(config.Ciphers, out _, out string wrong))
        {
            tls.Error("cipher_suites", wrong[(wrong.IndexOf(':', StringComparison.Ordinal) + 2)..]);
        }
        tls.Ignored("the library's newest version is always offered", "max_version");
        tls.Ignored("keys are never written to a file", "key_log");
        tls.Finish();
        return config;
    }

    private static RedisConfig? ReadRedis(YamlSection top)
    {
        YamlSection redis = top.Section("redis");
        if (!top.Has("redis"))
        {
            return null;
        }
        string address = redis.Text("address", "");
        IReadOnlyList<string> sentinels = redis.Texts("sentinel_addresses");
        IReadOnlyList<string> cluster = redis.Texts("cluster_addresses");
        IReadOnlyList<string> all = sentinels.Count > 0 ? sentinels : cluster.Count > 0 ? cluster : address.Length > 0 ? [address] : [];
        if (all.Count == 0)
        {
            top.Error("redis", "needs an address such as localhost:6379");
        }
        YamlSection tls = redis.Section("tls");
        RedisConfig config = new()
        {
            Addresses = all,
            Username = redis.Text("username", ""),
            Password = redis.Secret("password", ""),
            Db = redis.Integer("db", 0, 0, 65_535),
            UseTls = redis.Bool("use_tls", false) | tls.Bool("enabled", false),
            SentinelMasterName = redis.Text("sentinel_master_name", ""),
            SentinelUsername = redis.Text("sentinel_username", ""),
            SentinelPassword = redis.Secret("sentinel_password", ""),
        };
        redis.Ignored("one connection serves all and has its own timeouts", "dial_timeout", "read_timeout", "write_timeout", "max_redirects", "pool_timeout", "pool_size");
        redis.Finish();
        return config;
    }

    private static string? ReadRecords(YamlSection top)
    {
        YamlSection records = top.Section("records");
        string? file = records.TextOrNull("file");
        records.Finish();
        return file;
    }

    private static string? ReadFile(YamlSection section, string key)
    {
        string? file = section.TextOrNull(key);
        if (file is not null)
        {
            Exists(section, key, file);
        }
        return file;
    }

    private static void Exists(YamlSection section, string key, string file)
    {
        if (file.Length == 0 || !File.Exists(file))
        {
            section.Error(key, file.Length == 0 ? "is missing" : $"there is no file '{file}'");
        }
    }

    private static void IgnoreOthers(YamlSection top)
    {
        top.Ignored("there is no profiler port", "pprof_port");
        top.Ignored("nodes do not share a message bus", "cluster_id", "sip_trunk_ids");
        top.Ignored("calls are only taken, not placed", "outbound_route_headers", "tcp");
        top.Ignored("a response that fits the protocol is sent", "udp_max_payload");
        top.Ignored("calls end when they end; see `siproom drain --for`", "rtp_draining_idle_timeout", "rtp_draining_duration");
        top.Ignored("every refused INVITE is decided anew", "disable_rejected_invite_cache");
        top.Ignored("digits are passed on as events, the jitter buffer is always on", "audio_dtmf", "enable_jitter_buffer", "enable_jitter_buffer_prob");
        top.Ignored("there is no tracing exporter", "jaeger_url");
        top.Ignored("the call starts with the 200", "experimental");
    }

    private void Demand(ServerConfig config, ConfigProblems problems)
    {
        if (_overrides.IsOffline || problems.IsUnreadable)
        {
            return;
        }
        void Missing(string value, string key, string variable)
        {
            if (value.Length == 0)
            {
                problems.Error(0, $"'{key}' is missing: set it in the file or as {variable} (or start with --dev)");
            }
        }
        Missing(config.ApiKey, "api_key", "LIVEKIT_API_KEY");
        Missing(config.ApiSecret, "api_secret", "LIVEKIT_API_SECRET");
        Missing(config.WsUrls.Count == 0 ? "" : config.WsUrls[0], "ws_url", "LIVEKIT_WS_URL");
        if (!config.IsDev && config.PolicyFolder is null && !config.PolicyInRedis && config.Hook is null)
        {
            problems.Error(0, "'policy' is missing: policy: { folder: DIR }, policy: { redis: true } with 'redis', policy: { hook: { url: … } }, or --policy DIR");
        }
    }
}
