using System;
using System.Collections.Generic;
using Proxy.Core.Memory;
using Proxy.Core.Net;

namespace Proxy.WebRtc;

/// <summary>What <see cref="PeerConnection.HandleDatagram"/> made of a datagram.</summary>
public enum PacketKind
{
    /// <summary>A plain RTP packet now lies at the start of the buffer.</summary>
    Rtp,

    /// <summary>A plain compound RTCP packet now lies at the start of the buffer.</summary>
    Rtcp,

    /// <summary>STUN, DTLS or SCTP: handled; poll for what is to be sent and for events.</summary>
    Consumed,

    /// <summary>Dropped and counted; the state is unchanged.</summary>
    Dropped,
}

/// <summary>The life of a peer transport.</summary>
public enum PeerState
{
    /// <summary>Waits for the remote description or the first valid pair.</summary>
    Connecting,

    /// <summary>ICE has a valid pair and the DTLS handshake is done: SRTP flows.</summary>
    Connected,

    /// <summary>ICE or DTLS failed, or consent was lost; see <see cref="PeerEvent.Reason"/>.</summary>
    Failed,

    /// <summary>Closed by us or by the peer's close_notify.</summary>
    Closed,
}

/// <summary>RFC 4145 <c>a=setup</c>.</summary>
public enum SetupRole
{
    ActPass,
    Active,
    Passive,
}

/// <summary>ICE user fragment and password (RFC 8839 §5.4), ASCII.</summary>
public sealed record IceCredentials(string Ufrag, string Pwd)
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    /// <summary>Fresh ones: 48 and 144 random bits (RFC 8445 §5.3 asks for 24 and 128).</summary>
    public static IceCredentials Create(IRandom random) => new(Text(random, 8), Text(random, 24));

    private static string Text(IRandom random, int length)
    {
        Span<byte> bytes = stackalloc byte[32];
        Span<char> text = stackalloc char[32];
        random.Fill(bytes[..length]);
        for (int i = 0; i < length; i++)
        {
            text[i] = Alphabet[bytes[i] & 63];
        }
        return new string(text[..length]);
    }

    /// <summary>Without the password.</summary>
    public override string ToString() => Ufrag;
}

/// <summary>What the other side's SDP says about its transport; made on the signalling side, given to the owner of the peer.</summary>
/// <param name="Ice">Its credentials.</param>
/// <param name="IsIceLite"><c>a=ice-lite</c> stood there.</param>
/// <param name="FingerprintSha256">32 bytes; the DTLS certificate must have it.</param>
/// <param name="Setup">Its <c>a=setup</c>: Active means that it sends the ClientHello.</param>
/// <param name="Candidates">UDP host/srflx/relay candidates known so far; TCP and mDNS ones are left out by the reader.</param>
public sealed record RemoteDescription(
    IceCredentials Ice, bool IsIceLite, ReadOnlyMemory<byte> FingerprintSha256, SetupRole Setup, IReadOnlyList<NetEndPoint> Candidates);

/// <summary>How a peer transport is made.</summary>
public sealed record PeerOptions
{
    /// <summary>Our credentials, as in our SDP.</summary>
    public required IceCredentials Local { get; init; }

    /// <summary>True: full agent, controlling (the participant). False: ICE-lite, controlled (the room server).</summary>
    public required bool IsControlling { get; init; }

    /// <summary>Our part in the DTLS handshake once the remote description is known: ActPass lets the remote choose (we are then passive unless it is passive).</summary>
    public required SetupRole Setup { get; init; }

    /// <summary>Whether data channels run over this transport.</summary>
    public bool HasData { get; init; }

    /// <summary>Labels of data channels that we open (<c>_reliable</c>: ordered, reliable; <c>_lossy</c>: unordered, 0 retransmits); empty where the peer opens them.</summary>
    public IReadOnlyList<string> OpenChannels { get; init; } = [];

    /// <summary>Time from the remote description to Connected after which the peer fails.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);
}

public enum PeerEventKind
{
    /// <summary>ICE and DTLS are up.</summary>
    Connected,

    /// <summary>A data channel is open in both directions; <see cref="PeerEvent.Label"/>.</summary>
    ChannelOpen,

    /// <summary>A binary message on <see cref="PeerEvent.Label"/>.</summary>
    Data,

    /// <summary>The peer reset a data channel's stream, or the SCTP association ended; <see cref="PeerEvent.Label"/>.</summary>
    ChannelClosed,

    /// <summary>The transport is lost; <see cref="PeerEvent.Reason"/> says why.</summary>
    Failed,

    /// <summary>The peer closed the DTLS association.</summary>
    Closed,
}

/// <summary>Something that the owner of a peer passes on; rare (never per RTP packet), may allocate.</summary>
public readonly record struct PeerEvent(PeerEventKind Kind, string? Label, byte[]? Payload, string? Reason);
