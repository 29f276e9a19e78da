using System;
using System.Collections.Generic;
using System.Net;
using Proxy.Bridge;
using Proxy.Core;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Policy.Trunks;
using Proxy.Server.Hook;
using Proxy.Sip;

namespace Proxy.Server.Config;

/// <summary>Any thread. Everything the configuration says, checked and complete; made by <see cref="ConfigLoader"/>, changed by nobody.</summary>
public sealed record ServerConfig
{
    /// <summary>The file, <c>(--config-body)</c>, or <c>(defaults)</c>.</summary>
    public string Source { get; init; } = "(defaults)";

    /// <summary>The room server is built in and the node listens on loopback unless told otherwise.</summary>
    public bool IsDev { get; init; }

    // ---- The room server ----

    public string ApiKey { get; init; } = "";

    /// <summary>A secret: never logged.</summary>
    public string ApiSecret { get; init; } = "";

    /// <summary>Tried in order.</summary>
    public IReadOnlyList<string> WsUrls { get; init; } = [];

    /// <summary>Null when policy does not come from Redis.</summary>
    public RedisConfig? Redis { get; init; }

    // ---- SIP ----

    /// <summary>Where UDP and TCP are bound.</summary>
    public NetEndPoint SipListen { get; init; } = new(NetAddress.FromV4(0), 5060);

    /// <summary>Port that Contact and Via name: a port in front of ours, or ours.</summary>
    public ushort SipPortAnnounced { get; init; } = 5060;

    /// <summary>Host that Contact names on TLS; empty: the address.</summary>
    public string SipHostname { get; init; } = "";

    public TlsConfig? Tls { get; init; }

    /// <summary>Further addresses where UDP and TCP are bound: another network, another outside address.</summary>
    public IReadOnlyList<ListenerConfig> Listeners { get; init; } = [];

    /// <summary>What credentials are asked for with, 407 or 401; a listener may say otherwise.</summary>
    public int Challenge { get; init; } = 407;

    /// <summary>What signalling advertises; unset: the address towards the caller.</summary>
    public NetAddress SignalAddress { get; init; }

    /// <summary>What c= advertises; unset: as <see cref="SignalAddress"/>, else the address towards the caller.</summary>
    public NetAddress MediaAddress { get; init; }

    /// <summary>Ask a STUN server for the outside address at the start.</summary>
    public bool UseExternalIp { get; init; }

    public bool MediaUseExternalIp { get; init; }

    /// <summary>Who is asked for the outside address, <c>host:port</c>, in order; the default is livekit/sip's.</summary>
    public IReadOnlyList<string> StunServers { get; init; } = ["global.stun.twilio.com:3478", "stun.l.google.com:19302", "stun1.l.google.com:19302"];

    /// <summary>Who is asked about names of next hops (RFC 3263); empty: the servers of /etc/resolv.conf.</summary>
    public IReadOnlyList<IPEndPoint> DnsServers { get; init; } = [];

    /// <summary>Networks that an automatically found local address must lie in; empty: any.</summary>
    public IReadOnlyList<SipSourceRange> LocalNets { get; init; } = [];

    /// <summary>Say nothing to sources that match no trunk; counted and recorded.</summary>
    public bool HideInboundPort { get; init; }

    public bool AddRecordRoute { get; init; }

    /// <summary>SBCs before us whose word about the caller's address is taken.</summary>
    public IReadOnlyList<SipSourceRange> TrustedProxies { get; init; } = [];

    /// <summary><c>via</c>, or the name of the header field that holds the carrier's address; empty: the packet's source.</summary>
    public string SourceFrom { get; init; } = "";

    // ---- Media ----

    /// <summary>UDP ports towards the carriers.</summary>
    public PortSpan RtpPorts { get; init; } = new(10_000, 20_000);

    /// <summary>UDP ports of the participants; null: the kernel's choice.</summary>
    public PortSpan? IcePorts { get; init; }

    /// <summary>Switches of <c>codecs:</c> by lower-case encoding name without clock rate; what is absent is on.</summary>
    public IReadOnlyDictionary<string, bool> Codecs { get; init; } = new Dictionary<string, bool>();

    /// <summary>What the caller's track is in the room.</summary>
    public Passthrough RoomCodec { get; init; }

    /// <summary>Send to where media comes from. On unless switched off: carriers behind NAT are the rule.</summary>
    public bool SymmetricRtp { get; init; } = true;

    /// <summary>A private c= is ignored until the first packet came.</summary>
    public bool IgnoreLocalAddrInSdp { get; init; } = true;

    /// <summary>What callers hear from us: built in, or from WAV files.</summary>
    public CallPrompts Prompts { get; init; } = CallPrompts.BuiltIn();

    // ---- Policy ----

    /// <summary>Null when policy is in Redis or, with --dev, built in.</summary>
    public string? PolicyFolder { get; init; }

    public bool PolicyInRedis { get; init; }

    /// <summary>The policy hook; null without one.</summary>
    public HookConfig? Hook { get; init; }

    public Compat Compat { get; init; }

    /// <summary>Where calls to numbers of the inventory come from, <c>interconnect.allowed_addresses</c>; empty: the inventory answers no call.</summary>
    public string[] InterconnectAddresses { get; init; } = [];

    public Refusals Refusals { get; init; } = Refusals.Default;

    /// <summary><c>twilio:</c> and <c>public_http:</c>.</summary>
    public TwilioConfig Twilio { get; init; } = new();

    // ---- Operation ----

    public NetEndPoint Http { get; init; } = new(NetAddress.FromV4(0x7F000001), 7888);

    /// <summary>livekit/sip's health port, all interfaces; 0: off.</summary>
    public ushort HealthPort { get; init; }

    /// <summary>livekit/sip's metrics port, all interfaces; 0: off.</summary>
    public ushort PrometheusPort { get; init; }

    /// <summary>UDP port of the built-in room server; 0: the kernel's choice.</summary>
    public ushort DevIcePort { get; init; }

    /// <summary><c>debug</c>, <c>info</c>, <c>warn</c>, <c>error</c>.</summary>
    public string LogLevel { get; init; } = "info";

    public bool LogJson { get; init; }

    /// <summary>Call records, one JSON line an attempt; null: none.</summary>
    public string? RecordsFile { get; init; }

    /// <summary>Path of the unix socket that the command-line verbs use; null: the usual place (see <see cref="Http.ControlSocket"/>), empty: none.</summary>
    public string? ControlSocket { get; init; }

    /// <summary>Certificates of authorities for wss://; null: the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>Limits with what the configuration changed.</summary>
    public Limits Limits { get; init; } = new();
}

/// <summary>Any thread. UDP ports, both ends included.</summary>
public readonly record struct PortSpan(ushort First, ushort Last)
{
    public override string ToString() => $"{First}-{Last}";
}

/// <summary>Any thread. One of <c>listeners:</c>.</summary>
/// <param name="Listen">Where UDP and TCP are bound.</param>
/// <param name="Advertised">What Contact names; never a wildcard, unless <paramref name="Listen"/> is one: then the address towards the caller.</param>
/// <param name="MediaAddress">What c= names.</param>
/// <param name="Challenge">401 or 407.</param>
public sealed record ListenerConfig(NetEndPoint Listen, NetEndPoint Advertised, NetAddress MediaAddress, int Challenge);

/// <summary>Any thread. <c>tls:</c>, the SIP listener for TLS.</summary>
public sealed record TlsConfig
{
    public ushort PortAnnounced { get; init; } = 5061;

    public ushort PortListen { get; init; } = 5061;

    /// <summary>401 or 407.</summary>
    public int Challenge { get; init; } = 407;

    /// <summary>PEM files; the first is used where the client names no host.</summary>
    public IReadOnlyList<(string CertFile, string KeyFile)> Certificates { get; init; } = [];

    /// <summary><c>tls1.2</c> or <c>tls1.3</c>; empty: the library's.</summary>
    public string MinVersion { get; init; } = "";

    /// <summary>Cipher suites of TLS 1.2 for old carriers, IANA's or OpenSSL's names; empty: the library's.</summary>
    public IReadOnlyList<string> Ciphers { get; init; } = [];

    /// <summary>ALPN names that are taken; a client that offers others is refused, one that offers none is not. Empty: any.</summary>
    public IReadOnlyList<string> Alpn { get; init; } = [];

    /// <summary>PEM file of the authorities behind clients' certificates; empty: clients are not asked for one.</summary>
    public string ClientCaFile { get; init; } = "";

    /// <summary>A client without a certificate is refused.</summary>
    public bool ClientMustAuthenticate { get; init; }
}

/// <summary>Any thread. <c>redis:</c>.</summary>
public sealed record RedisConfig
{
    /// <summary><c>host:port</c>; several with cluster or sentinel.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    public string Username { get; init; } = "";

    /// <summary>A secret: never logged.</summary>
    public string Password { get; init; } = "";

    public int Db { get; init; }

    public bool UseTls { get; init; }

    /// <summary>Empty without sentinels.</summary>
    public string SentinelMasterName { get; init; } = "";

    public string SentinelUsername { get; init; } = "";

    public string SentinelPassword { get; init; } = "";
}
