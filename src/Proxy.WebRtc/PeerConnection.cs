using System;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.WebRtc.Dtls;

namespace Proxy.WebRtc;

/// <summary>
/// One owner (a shard or the room loop). One peer transport as a machine: ICE, DTLS, SRTP and data channels over one
/// UDP flow; no socket, no clock.
/// </summary>
public sealed class PeerConnection : IDisposable
{
    // CONTRACT FIRST: the signatures below are what Participant, Bridge and DevRoom build on; the WebRtc helper fills them in.

    /// <param name="options">Our side.</param>
    /// <param name="dtls">The process's <see cref="DtlsIdentity"/>; a plain double in tests with virtual time.</param>
    /// <param name="random">Transaction ids, tie-breaker, tags.</param>
    /// <param name="now">Start of its life.</param>
    public PeerConnection(PeerOptions options, IDtlsFactory dtls, IRandom random, MonoTime now)
    {
        Options = options;
    }

    public PeerOptions Options { get; }

    /// <summary>What was dropped, and why.</summary>
    public PeerCounters Counters { get; } = new();

    /// <summary>Whether a DTLS handshake runs; then a datagram for which <see cref="IsDtls"/> holds costs up to 0.4 ms (at most two a turn).</summary>
    public bool IsHandshaking => throw new NotImplementedException();

    /// <summary>RFC 7983: whether a datagram's first byte says DTLS.</summary>
    public static bool IsDtls(ReadOnlySpan<byte> datagram) => !datagram.IsEmpty && datagram[0] is >= 20 and <= 63;

    /// <summary>The ICE user fragment before the colon of a STUN request's USERNAME: which of our peers behind a shared socket it is meant for.</summary>
    /// <param name="datagram">A datagram as received; nothing in it is verified.</param>
    /// <param name="localUfrag">Our fragment, ASCII, borrowed from the datagram.</param>
    /// <returns>False when it is no STUN request with a USERNAME.</returns>
    public static bool TryReadLocalUfrag(ReadOnlySpan<byte> datagram, out ReadOnlySpan<byte> localUfrag) => throw new NotImplementedException();

    /// <summary>New own credentials (an ICE restart that our SDP announces); the old ones stay good for incoming checks until the new pair is up.</summary>
    public void SetLocalCredentials(IceCredentials local, MonoTime now) => throw new NotImplementedException();

    public PeerState State => throw new NotImplementedException();

    /// <summary>Where media is sent: the selected pair's remote side; unset before.</summary>
    public NetEndPoint Remote => throw new NotImplementedException();

    /// <summary>The earliest time at which <see cref="HandleTimeout"/> has work.</summary>
    public MonoTime NextDeadline => throw new NotImplementedException();

    /// <summary>Sets the other side's ICE and DTLS parameters; may come after its first STUN checks. A second call with other ICE credentials restarts ICE.</summary>
    public void SetRemote(RemoteDescription remote, MonoTime now) => throw new NotImplementedException();

    /// <summary>A trickled UDP candidate.</summary>
    public void AddRemoteCandidate(in NetEndPoint candidate, MonoTime now) => throw new NotImplementedException();

    /// <summary>Handles one datagram in place. For Rtp and Rtcp the plain packet is <c>datagram[..length]</c>.</summary>
    public PacketKind HandleDatagram(Span<byte> datagram, in NetEndPoint from, MonoTime now, out int length) => throw new NotImplementedException();

    /// <summary>Encrypts an RTP packet in place.</summary>
    /// <param name="buffer">Holds the plain packet and at least 16 bytes of room behind it.</param>
    /// <param name="length">Bytes of the plain packet.</param>
    /// <returns>Bytes of the SRTP packet; 0 when not connected or it does not fit.</returns>
    public int ProtectRtp(Span<byte> buffer, int length) => throw new NotImplementedException();

    /// <summary>As <see cref="ProtectRtp"/>, for RTCP (20 bytes of room).</summary>
    public int ProtectRtcp(Span<byte> buffer, int length) => throw new NotImplementedException();

    /// <summary>Next datagram to send (STUN, DTLS, SCTP); drain until false after every Handle and timeout.</summary>
    public bool TryPollDatagram(Span<byte> buffer, out int length, out NetEndPoint to) => throw new NotImplementedException();

    /// <summary>Next event; drain until false.</summary>
    public bool TryPollEvent(out PeerEvent peerEvent) => throw new NotImplementedException();

    public void HandleTimeout(MonoTime now) => throw new NotImplementedException();

    /// <summary>Sends a binary message.</summary>
    /// <returns>False when the channel is not open or its send buffer is full.</returns>
    public bool SendData(string label, ReadOnlySpan<byte> payload, MonoTime now) => throw new NotImplementedException();

    /// <summary>Queues a DTLS close_notify; poll datagrams once more, then dispose.</summary>
    public void Close(MonoTime now) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
