using System;
using System.Collections.Generic;
using Proxy.WebRtc;

namespace Proxy.Participant;

/// <summary>Any thread. An audio codec of the room side.</summary>
public enum RoomCodec
{
    /// <summary>G.711 µ-law, payload type 0, 8 kHz.</summary>
    Pcmu,

    /// <summary>G.711 A-law, payload type 8, 8 kHz.</summary>
    Pcma,

    /// <summary>Opus, payload type 111, RTP clock 48 kHz.</summary>
    Opus,
}

/// <summary>Any thread. Everything needed to join one room as one participant; made by the Bridge.</summary>
public sealed record RoomJoin
{
    /// <summary>Base address of the room server: <c>ws://host:port</c> or <c>wss://…</c>; <c>http(s)</c> is read as <c>ws(s)</c>.</summary>
    public required string WsUrl { get; init; }

    /// <summary>Access token (JWT) with identity, room, kind and grants; a secret: never logged.</summary>
    public required string Token { get; init; }

    /// <summary>Our identity, as in the token.</summary>
    public required string Identity { get; init; }

    /// <summary>Attributes set at the join besides those in the token; normally empty.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>The codec that we would like to publish; the server's answer decides (<see cref="PublishTrack.Codec"/>).</summary>
    public RoomCodec Codec { get; init; } = RoomCodec.Pcmu;

    /// <summary>Whether the server subscribes us to every remote track by itself.</summary>
    public bool AutoSubscribe { get; init; } = true;

    /// <summary>Our ICE credentials; the same are given to <see cref="PeerOptions.Local"/>.</summary>
    public required IceCredentials Ice { get; init; }

    /// <summary>SHA-256 of our DTLS certificate, 32 bytes.</summary>
    public required ReadOnlyMemory<byte> Fingerprint { get; init; }

    /// <summary>SSRC of the published track; not 0.</summary>
    public required uint Ssrc { get; init; }

    /// <summary>Client id of the published track: letters, digits, '-', '_'.</summary>
    public string Cid { get; init; } = "phone-audio";

    /// <summary>Name of the published track.</summary>
    public string TrackName { get; init; } = "phone";

    /// <summary>RTCP CNAME, in the offer and in our SDES: letters, digits, '-', '_'.</summary>
    public string Cname { get; init; } = "phone";

    /// <summary>Without token and password.</summary>
    public override string ToString() => $"{Identity} at {WsUrl}";
}
