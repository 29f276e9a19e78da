using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net;
using Proxy.Rtp.Srtp;
using Proxy.WebRtc.Dtls;

namespace Proxy.Relay;

/// <summary>
/// One call through rtpengine: side A sends and gets plain RTP, side B is the DTLS client and sends and gets SRTP. The
/// set-up runs on the main thread; afterwards the sender owns what is sent, each receiver its side's counts.
/// </summary>
internal sealed class RelayCall(int number)
{
    private static readonly string[] s_replace = ["origin", "session-connection"];

    public string Id { get; } = $"relay-{number}-{Guid.NewGuid():N}";

    public int Number => number;

    /// <summary>rtpengine's port for side A.</summary>
    public int PortA { get; private set; }

    /// <summary>rtpengine's port for side B.</summary>
    public int PortB { get; private set; }

    public SocketAddressPair To { get; private set; }

    public IDtls? Dtls { get; private set; }

    public SrtpSession? Srtp { get; set; }

    public RelaySide A { get; } = new();

    public RelaySide B { get; } = new();

    /// <summary>Offer of A and answer of B; afterwards both of rtpengine's ports are known.</summary>
    public void SetUp(RtpEngine engine, RelayOptions options, int portA, int portB, DtlsIdentity identity)
    {
        var offer = new Dictionary<string, object>
        {
            ["command"] = "offer",
            ["call-id"] = Id,
            ["from-tag"] = "a",
            ["sdp"] = Sdp(options.Local, portA, "RTP/AVP", ""),
            ["transport-protocol"] = "UDP/TLS/RTP/SAVPF",
            ["ICE"] = "remove",
            ["DTLS"] = "passive",
            ["rtcp-mux"] = new[] { "require" },
            ["replace"] = s_replace,
        };
        PortB = ReadPort((string)engine.Ask(offer)["sdp"]);
        string secure = "a=setup:active\r\na=fingerprint:sha-256 " + Hex(identity.FingerprintSha256.Span) + "\r\na=rtcp-mux\r\n";
        var answer = new Dictionary<string, object>
        {
            ["command"] = "answer",
            ["call-id"] = Id,
            ["from-tag"] = "a",
            ["to-tag"] = "b",
            ["sdp"] = Sdp(options.Local, portB, "UDP/TLS/RTP/SAVPF", secure),
            ["transport-protocol"] = "RTP/AVP",
            ["ICE"] = "remove",
            ["rtcp-mux"] = new[] { "demux" },
            ["replace"] = s_replace,
        };
        PortA = ReadPort((string)engine.Ask(answer)["sdp"]);
        To = new SocketAddressPair(
            new IPEndPoint(options.Engine.Address, PortA).Serialize(), new IPEndPoint(options.Engine.Address, PortB).Serialize());
        Dtls = identity.Create(isClient: true);
    }

    /// <summary>Keys of the finished handshake (RFC 5764 §4.2; we are the client).</summary>
    public SrtpSession Key()
    {
        SrtpProfile profile = Dtls!.SrtpProfileId switch
        {
            1 => SrtpProfile.AesCm128HmacSha1_80,
            7 => SrtpProfile.AeadAes128Gcm,
            8 => SrtpProfile.AeadAes256Gcm,
            _ => throw new IOException("no common SRTP profile"),
        };
        SrtpParameters lengths = SrtpParameters.Of(profile);
        (int key, int salt) = (lengths.KeyBytes, lengths.SaltBytes);
        var material = new byte[2 * (key + salt)];
        if (!Dtls.TryExportSrtpKeys(material))
        {
            throw new IOException("no keys of the DTLS handshake");
        }
        ReadOnlySpan<byte> all = material;
        byte[] client = [.. all[..key], .. all.Slice(2 * key, salt)];
        byte[] server = [.. all.Slice(key, key), .. all.Slice((2 * key) + salt, salt)];
        return new SrtpSession(profile, client, server);
    }

    private static string Sdp(IPAddress local, int port, string profile, string more) =>
        $"v=0\r\no=- 1 1 IN IP4 {local}\r\ns=-\r\nc=IN IP4 {local}\r\nt=0 0\r\nm=audio {port.ToString(CultureInfo.InvariantCulture)} {profile} 0\r\n"
        + $"a=rtpmap:0 PCMU/8000\r\na=sendrecv\r\na=ptime:20\r\n{more}";

    private static int ReadPort(string sdp)
    {
        int at = sdp.IndexOf("m=audio ", StringComparison.Ordinal);
        return at >= 0 ? int.Parse(sdp[(at + 8)..].Split(' ')[0], CultureInfo.InvariantCulture) : throw new IOException("rtpengine's SDP has no audio");
    }

    private static string Hex(ReadOnlySpan<byte> fingerprint)
    {
        string plain = Convert.ToHexString(fingerprint);
        var pairs = new string[fingerprint.Length];
        for (int i = 0; i < pairs.Length; i++)
        {
            pairs[i] = plain.Substring(2 * i, 2);
        }
        return string.Join(':', pairs);
    }
}

/// <summary>Where the two sides' packets go, as the kernel wants it.</summary>
internal readonly record struct SocketAddressPair(SocketAddress A, SocketAddress B);

/// <summary>What one side sent (the sender's), and what came out for it (its receiver's).</summary>
internal sealed class RelaySide
{
    private int _next = -1;

    public int Sent { get; set; }

    public int Received { get; private set; }

    public int Lost { get; private set; }

    public void Hear(int sequence)
    {
        Lost += _next < 0 ? 0 : Math.Max(0, (int)(short)(sequence - _next));
        _next = (sequence + 1) & 0xFFFF;
        Received++;
    }
}
