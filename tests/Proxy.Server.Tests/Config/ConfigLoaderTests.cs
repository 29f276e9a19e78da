using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Proxy.Core;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Policy.Trunks;
using Proxy.Server.Config;
using Proxy.Server.Hook;
using Xunit;

namespace Proxy.Server.Tests.Config;

public sealed class ConfigLoaderTests
{
    private const string Minimal = "api_key: k\napi_secret: s\nws_url: wss://lk.example.com\npolicy: { folder: /p }\n";

    private static ConfigResult Load(string body, ConfigOverrides? overrides = null, Dictionary<string, string>? environment = null) =>
        new ConfigLoader((overrides ?? new ConfigOverrides()) with { Body = body }, name => environment?.GetValueOrDefault(name)).Load();

    private static ServerConfig Good(string body, ConfigOverrides? overrides = null, Dictionary<string, string>? environment = null)
    {
        ConfigResult result = Load(body, overrides, environment);
        Assert.Empty(result.Errors);
        return Assert.IsType<ServerConfig>(result.Config);
    }

    [Fact]
    public void A_policy_hook_stands_beside_the_rules_or_alone()
    {
        HookConfig beside = Good(Minimal.Replace("folder: /p", "folder: /p, hook: { url: 'https://p.example.com/call', secret: s1, timeout: 250ms, when_down: refuse }", StringComparison.Ordinal)).Hook!;
        Assert.Equal(("https://p.example.com/call", "s1", 250.0, false, true), (beside.Url.ToString(), beside.Secret, beside.Timeout.TotalMilliseconds, beside.AsksAboutAll, beside.RefusesWhenDown));
        ServerConfig alone = Good(Minimal.Replace("folder: /p", "hook: { url: 'http://p/' }", StringComparison.Ordinal));
        Assert.True(alone.Hook!.AsksAboutAll);
        Assert.Null(Good(Minimal).Hook);
    }

    [Theory]
    [InlineData("hook: { secret: s }", "policy.hook.url: is missing")]
    [InlineData("hook: { url: policy }", "policy.hook.url: 'policy' is not a URL")]
    [InlineData("hook: { url: 'http://u:p@h/' }", "without user and password")]
    [InlineData("folder: /p, hook: { url: 'http://h/', timeout: 1m }", "policy.hook.timeout: must lie between 10ms and 10s")]
    [InlineData("folder: /p, hook: { url: 'http://h/', asks: some }", "known are taken, all")]
    [InlineData("hook: { url: 'http://h/', asks: taken }", "no call is taken")]
    [InlineData("folder: /p, hook: { url: 'http://h/', timout: 1s }", "did you mean 'timeout'")]
    public void A_wrong_policy_hook_is_named(string policy, string expected) =>
        Assert.Contains(Load(Minimal.Replace("folder: /p", policy, StringComparison.Ordinal)).Errors, error => error.Contains(expected, StringComparison.Ordinal));

    [Fact]
    public void Dns_servers_are_addresses_with_a_port_where_it_is_another()
    {
        Assert.Equal(["192.0.2.53:53", "127.0.0.1:5353", "[2001:db8::53]:53", "[::1]:54"],
            Good(Minimal + "dns_servers: [192.0.2.53, '127.0.0.1:5353', '2001:db8::53', '[::1]:54']\n").DnsServers.Select(s => s.ToString()));
        Assert.Empty(Good(Minimal).DnsServers);
        foreach (string bad in new[] { "dns.example.com", "5353", "192.0.2.53:0", "192.0.2" })
        {
            Assert.Contains("dns_servers", Assert.Single(Load(Minimal + $"dns_servers: ['{bad}']\n").Errors), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Trusted_proxies_and_source_from_need_each_other()
    {
        Assert.Contains("needs source_from", Assert.Single(Load(Minimal + "trusted_proxies: [192.0.2.1]\n").Errors), StringComparison.Ordinal);
        Assert.Contains("needs trusted_proxies", Assert.Single(Load(Minimal + "source_from: via\n").Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Twilio_needs_an_auth_token_on_a_public_address_and_sends_calls_to_where_we_are()
    {
        Dictionary<string, string> environment = new() { ["TWILIO_AUTH_TOKEN"] = "t" };
        TwilioConfig twilio = Good(Minimal + "public_http: 0.0.0.0:8080\nnat_1_to_1_ip: 198.51.100.7\nsip_port: 5080\n", environment: environment).Twilio;
        Assert.Equal(("t", "198.51.100.7:5080", "0.0.0.0:8080"), (twilio.AuthToken, twilio.SipHost, twilio.PublicHttp.ToString()));
        Assert.Equal("sip.example.com", Good(Minimal + "sip_hostname: sip.example.com\n").Twilio.SipHost);
        Assert.Equal("", Good(Minimal).Twilio.SipHost);
        Assert.Contains("public_http", Assert.Single(Load(Minimal + "public_http: 0.0.0.0:8080\n").Errors), StringComparison.Ordinal);
        Assert.Contains("sip_host", Assert.Single(Load(Minimal + "twilio: { sip_host: 'a b' }\n").Errors), StringComparison.Ordinal);
        Assert.Contains("public_url", Assert.Single(Load(Minimal + "twilio: { public_url: pbx }\n").Errors), StringComparison.Ordinal);
        Assert.Contains("needs the section", Assert.Single(Load(Minimal + "twilio: { transport: tls }\n").Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Interconnect_lists_networks()
    {
        Assert.Equal(["192.0.2.7", "198.51.100.0/24"], Good(Minimal + "interconnect: { allowed_addresses: [192.0.2.7, 198.51.100.0/24] }\n").InterconnectAddresses);
        Assert.Contains("sip.example is not a network", Assert.Single(Load(Minimal + "interconnect: { allowed_addresses: [sip.example] }\n").Errors).Replace("'", "", StringComparison.Ordinal));
    }

    [Fact]
    public void Livekit_sip_file_starts_unchanged_and_each_key_without_effect_gives_one_notice()
    {
        const string Body = """
            log_level: debug
            api_key: APIabc
            api_secret: verysecret
            ws_url: wss://project.livekit.cloud
            redis:
              address: redis:6379
              username: u
              password: pw
              db: 2
              pool_size: 10
            health_port: 8080
            prometheus_port: 6789
            pprof_port: 6060
            sip_port: 5070
            sip_port_listen: 5080
            sip_hostname: sip-${IP}.example.com
            rtp_port: 10000-20000
            use_external_ip: true
            local_net: 10.0.0.0/8
            codecs:
              PCMU/8000: true
              G722/8000: false
            media_timeout: 20s
            media_timeout_initial: 1m30s
            sip_ringing_interval: 2s
            max_cpu_utilization: 0.8
            hide_inbound_port: true
            enable_jitter_buffer: true
            logging: { level: info, json: true, sample: false }
            """;
        ConfigResult result = Load(Body);
        Assert.Empty(result.Errors);
        ServerConfig config = result.Config!;
        Assert.Equal(["(config body):10: redis.pool_size", "(config body):13: pprof_port", "(config body):28: enable_jitter_buffer", "(config body):29: logging.sample"], Heads(result.Notices));
        Assert.True(config.PolicyInRedis);
        Assert.Equal(Compat.LiveKit, config.Compat);
        Assert.Equal(5070, config.SipPortAnnounced);
        Assert.Equal("0.0.0.0:5080", config.SipListen.ToString());
        Assert.Equal("sip-${IP}.example.com", config.SipHostname);
        Assert.Equal(TimeSpan.FromSeconds(90), config.Limits.MediaTimeoutInitial);
        Assert.Equal(0.8, config.Limits.CpuMax);
        Assert.False(config.Codecs["g722"]);
        Assert.True(config.LogJson);
        Assert.Equal("info", config.LogLevel);
        Assert.Equal(("redis:6379", "u", "pw", 2), (config.Redis!.Addresses[0], config.Redis.Username, config.Redis.Password, config.Redis.Db));
    }

    [Fact]
    public void Every_error_is_told_at_once_with_its_line()
    {
        ConfigResult result = Load("api_key: k\nsip_prot: 5060\nrtp_port: 20000-10000\nhttp: nowhere\nmedia_timeout: 15\nmax_cpu_utilization: 7\ntls: { certs: [] }\nlocal_net: [10.0.0.0/40]\n");
        Assert.Null(result.Config);
        Assert.Equal(
            [
                "(config body): 'api_secret' is missing: set it in the file or as LIVEKIT_API_SECRET (or start with --dev)",
                "(config body): 'ws_url' is missing: set it in the file or as LIVEKIT_WS_URL (or start with --dev)",
                "(config body): 'policy' is missing: policy: { folder: DIR }, policy: { redis: true } with 'redis', policy: { hook: { url: … } }, or --policy DIR",
                "(config body):2: unknown key 'sip_prot'; did you mean 'sip_port'?",
                "(config body):3: rtp_port: '20000-10000' is not a range of ports such as 10000-20000",
                "(config body):4: http: 'nowhere' is not an address and port such as 127.0.0.1:7888",
                "(config body):5: media_timeout: '15' is not a time such as 15s, 1m30s or 200ms",
                "(config body):6: max_cpu_utilization: '7' is not a number from 0.01 to 1",
                "(config body):7: tls: needs at least one entry in 'certs' with cert_file and key_file",
                "(config body):8: local_net: '10.0.0.0/40' is not a network such as 203.0.113.0/24",
            ],
            result.Errors);
    }

    [Fact]
    public void Tls_takes_livekits_keys_and_our_own()
    {
        string file = System.IO.Path.GetTempFileName();
        ServerConfig config = Good(Minimal + $"sip_hostname: sip-${{IP}}.example.com\ncontrol: off\ndrain_for: 90s\ntls: {{ port: 5061, port_listen: 15061, certs: [{{ cert_file: {file}, key_file: {file} }}], min_version: tls1.3,"
            + $" cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256], ciphers: [AES128-SHA], alpn: [sip], client_ca: {file}, client_auth: request }}\n");
        TlsConfig tls = config.Tls!;
        Assert.Equal((5061, 15061, "tls1.3", file, false), (tls.PortAnnounced, tls.PortListen, tls.MinVersion, tls.ClientCaFile, tls.ClientMustAuthenticate));
        Assert.Equal(["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "AES128-SHA"], tls.Ciphers);
        Assert.Equal(["sip"], tls.Alpn);
        Assert.Equal(("sip-${IP}.example.com", "", TimeSpan.FromSeconds(90)), (config.SipHostname, config.ControlSocket, config.Limits.DrainTimeout));
        ConfigResult wrong = Load(Minimal + $"sip_hostname: not a host\ntls: {{ certs: [{{ cert_file: {file}, key_file: {file} }}], cipher_suites: [RC4], client_auth: require }}\n");
        Assert.Null(wrong.Config);
        Assert.Contains(wrong.Errors, e => e.Contains("sip_hostname: 'not a host' is not a host name", StringComparison.Ordinal));
        Assert.Contains(wrong.Errors, e => e.Contains("tls.cipher_suites: 'RC4' is unknown", StringComparison.Ordinal));
        Assert.Contains(wrong.Errors, e => e.Contains("tls.client_auth: needs client_ca", StringComparison.Ordinal));
        System.IO.File.Delete(file);
    }

    [Fact]
    public void Dev_needs_no_file_and_stays_on_loopback()
    {
        ServerConfig config = Good("", new ConfigOverrides { IsDev = true });
        Assert.Equal(("devkey", "secret"), (config.ApiKey, config.ApiSecret));
        Assert.Equal("127.0.0.1:7880", config.Http.ToString());
        Assert.Equal("127.0.0.1:5060", config.SipListen.ToString());
        Assert.Equal(["ws://127.0.0.1:7880"], config.WsUrls);
        Assert.Null(config.PolicyFolder);
    }

    [Fact]
    public void Dev_takes_key_and_secret_of_the_environment_but_not_its_room_server()
    {
        Dictionary<string, string> environment = new() { ["LIVEKIT_API_KEY"] = "a", ["LIVEKIT_API_SECRET"] = "b", ["LIVEKIT_WS_URL"] = "wss://cloud" };
        ServerConfig config = Good("", new ConfigOverrides { IsDev = true }, environment);
        Assert.Equal(("a", "b", "ws://127.0.0.1:7880"), (config.ApiKey, config.ApiSecret, config.WsUrls[0]));
    }

    [Fact]
    public void Command_line_goes_before_the_file()
    {
        Assert.True(NetEndPoint.TryParse("127.0.0.2:5099", out NetEndPoint sip));
        ServerConfig config = Good(Minimal + "sip_port: 5070\nrtp_port: 1000-2000\nhttp: 127.0.0.1:1\n", new ConfigOverrides { Sip = sip, Rtp = new PortSpan(3000, 3100), PolicyFolder = "/other" });
        Assert.Equal(sip, config.SipListen);
        Assert.Equal(5099, config.SipPortAnnounced);
        Assert.Equal(new PortSpan(3000, 3100), config.RtpPorts);
        Assert.Equal("/other", config.PolicyFolder);
    }

    [Fact]
    public void Secrets_come_from_environment_and_file()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, "from-file\n");
        ServerConfig config = Good($"api_key: ${{KEY}}-x\napi_secret: file:{file}\nws_url: [ws://a, 'ws://b']\npolicy: {{ folder: p }}\n", null, new() { ["KEY"] = "env" });
        File.Delete(file);
        Assert.Equal(("env-x", "from-file"), (config.ApiKey, config.ApiSecret));
        Assert.Equal(["ws://a", "ws://b"], config.WsUrls);
        ConfigResult missing = Load("api_key: ${NOPE}\napi_secret: file:/nope\nws_url: ws://a\npolicy: { folder: p }\n");
        Assert.Contains("(config body):1: api_key: the environment has no variable 'NOPE'", missing.Errors);
        Assert.Contains(missing.Errors, e => e.StartsWith("(config body):2: api_secret: the file '/nope' cannot be read", StringComparison.Ordinal));
    }

    [Fact]
    public void Own_keys_are_read()
    {
        ServerConfig config = Good(Minimal + """
            trusted_proxies: [192.0.2.1, 2001:db8::/32]
            source_from: header:X-Real-IP
            ice_port_range: 40000-41000
            calls_max: 200
            room_codec: opus
            records: { file: /var/log/calls.jsonl }
            log_format: json
            responses:
              preset: livekit
              trunk_cap: { status: 486, reason: Busy, cause: 17 }
            """);
        Assert.Equal(2, config.TrustedProxies.Count);
        Assert.Equal(new PortSpan(40000, 41000), config.IcePorts);
        Assert.Equal(200, config.Limits.CallsMax);
        Assert.Equal(Passthrough.Opus, config.RoomCodec);
        Assert.Equal("/var/log/calls.jsonl", config.RecordsFile);
        Assert.Equal(new Refusal(486, "Busy", 17, 0), config.Refusals[RefusalCode.TrunkCap]);
        Assert.Equal("Rejected", config.Refusals[RefusalCode.RingTimeout].Reason);
    }

    [Fact]
    public void Strangers_and_listeners_are_read()
    {
        ServerConfig config = Good(Minimal + """
            strangers: { rate: 5, burst: 7, rate_of_all: 50, alike_after: 0, ban_after: 3, ban_for: 1h }
            challenge: 401
            listeners:
              - { listen: 10.0.0.5:5060, advertise: 203.0.113.5, challenge: 407 }
              - { listen: "[2001:db8::5]:5070", advertise: "[2001:db8::6]:5080", advertise_media: 2001:db8::7 }
              - { listen: 10.0.0.6:5060 }
            """);
        Limits limits = config.Limits;
        Assert.Equal((5.0, 7.0, 50.0, 0.0, 3.0, TimeSpan.FromHours(1)),
            (limits.StrangerRate, limits.StrangerBurst, limits.StrangersRate, limits.AlikeAfter, limits.BanAfter, limits.BanTime));
        Assert.Equal(401, config.Challenge);
        Assert.Equal(["10.0.0.5:5060 203.0.113.5:5060 203.0.113.5 407", "[2001:db8::5]:5070 [2001:db8::6]:5080 2001:db8::7 401", "10.0.0.6:5060 10.0.0.6:5060 - 401"],
            config.Listeners.Select(l => $"{l.Listen} {l.Advertised} {(l.MediaAddress.IsSet ? l.MediaAddress.ToString() : "-")} {l.Challenge}"));
    }

    [Theory]
    [InlineData("listeners: [{ advertise: 203.0.113.5 }]", "listen: is missing")]
    [InlineData("listeners: [{ listen: 10.0.0.5:5060, advertise: 0.0.0.0 }]", "nobody can reach")]
    [InlineData("listeners: [{ listen: 10.0.0.5:5060, advertise: sip.example.com }]", "neither an IP address nor")]
    [InlineData("challenge: 403", "403")]
    [InlineData("strangers: { ban_fro: 1h }", "did you mean 'ban_for'")]
    public void Wrong_strangers_and_listeners_are_named(string body, string part)
    {
        ConfigResult result = Load(body);
        Assert.Contains(result.Errors, e => e.Contains(part, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("- a\n- b\n", "must hold keys")]
    [InlineData("a: [1\n", "not YAML")]
    [InlineData("a: 1\na: 2\n", "not YAML")]
    [InlineData("x", "must hold keys")]
    [InlineData("sip_port: { a: 1 }", "sip_port: must be a plain value")]
    [InlineData("redis: yes", "redis: must hold keys of its own")]
    [InlineData("responses: { trunk_cpa: { status: 486 } }", "did you mean 'trunk_cap'")]
    public void Broken_file_is_an_error_and_never_an_exception(string body, string part)
    {
        ConfigResult result = Load(body);
        Assert.Contains(result.Errors, e => e.Contains(part, StringComparison.Ordinal));
    }

    [Fact]
    public void Missing_file_is_one_sentence()
    {
        ConfigResult result = new ConfigLoader(new ConfigOverrides { File = "/does/not/exist.yaml", IsDev = true }, _ => null).Load();
        Assert.StartsWith("/does/not/exist.yaml: cannot be read: ", Assert.Single(result.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("15s", 15_000)]
    [InlineData("1m30s", 90_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("200ms", 200)]
    [InlineData("0", 0)]
    [InlineData("15000000000", 15_000)]
    [InlineData("-2s", -2_000)]
    public void Go_times_are_read(string text, int expectedMs)
    {
        Assert.True(GoDuration.TryParse(text, out TimeSpan value));
        Assert.Equal(TimeSpan.FromMilliseconds(expectedMs), value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("15")]
    [InlineData("s")]
    [InlineData("1x")]
    [InlineData("1.2.3s")]
    [InlineData("99999999999h")]
    public void Other_times_are_not(string text) => Assert.False(GoDuration.TryParse(text, out _));

    private static string[] Heads(IReadOnlyList<string> notices)
    {
        string[] heads = new string[notices.Count];
        for (int i = 0; i < heads.Length; i++)
        {
            heads[i] = notices[i][..notices[i].IndexOf(" has no effect", StringComparison.Ordinal)];
        }
        Array.Sort(heads, StringComparer.Ordinal);
        return heads;
    }

    [Fact]
    public void Prompts_are_built_in_or_WAV_files_and_a_bad_file_is_one_sentence()
    {
        string file = Path.GetTempFileName();
        byte[] wav = new byte[44 + 1_600];
        "RIFF"u8.CopyTo(wav);
        "WAVEfmt "u8.CopyTo(wav.AsSpan(8));
        wav[16] = 16;
        wav[20] = 1;
        wav[22] = 1;
        BitConverter.TryWriteBytes(wav.AsSpan(24), 8_000);
        wav[34] = 16;
        "data"u8.CopyTo(wav.AsSpan(36));
        BitConverter.TryWriteBytes(wav.AsSpan(40), 1_600);
        wav[44] = 5;
        File.WriteAllBytes(file, wav);
        Assert.Equal(40_000, Good(Minimal).Prompts.Ringback.Length);
        ServerConfig config = Good(Minimal + $"prompts: {{ pin_enter: {file} }}\n");
        Assert.Equal((800, 5), (config.Prompts.PinEnter.Length, config.Prompts.PinEnter[0]));
        config = Good(Minimal + $"prompts: {{ room_lost: {file}, alone: {file} }}\n");
        Assert.Equal((800, 800), (config.Prompts.RoomLost.Length, config.Prompts.Alone.Length));
        string five = file + ".long";
        byte[] tooLong = new byte[44 + (6 * 16_000)];
        wav.CopyTo(tooLong, 0);
        BitConverter.TryWriteBytes(tooLong.AsSpan(40), 6 * 16_000);
        File.WriteAllBytes(five, tooLong);
        Assert.Contains("at most 5 s", Assert.Single(Load(Minimal + $"prompts: {{ room_lost: {five}, alone: {five} }}\n").Errors).ToString(), StringComparison.Ordinal);
        File.Delete(five);
        BitConverter.TryWriteBytes(wav.AsSpan(24), 44_100);
        File.WriteAllBytes(file, wav);
        ConfigResult bad = Load(Minimal + $"prompts: {{ pin_enter: {file}, pin_wrong: /nowhere.wav, pin: x }}\n");
        Assert.Equal(3, bad.Errors.Count);
        Assert.Contains(bad.Errors, e => e.ToString()!.Contains("44100 Hz", StringComparison.Ordinal));
        File.Delete(file);
    }
}
