using System;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.WebRtc;

namespace Proxy.DevRoom.Forwarding;

/// <summary>Room loop. A participant's transport as the room sees it: <see cref="PeerConnection"/> in the product, a plain-text double in tests.</summary>
public interface IPeerTransport : IDisposable
{
    /// <inheritdoc cref="PeerConnection.State"/>
    PeerState State { get; }

    /// <inheritdoc cref="PeerConnection.Remote"/>
    NetEndPoint Remote { get; }

    /// <inheritdoc cref="PeerConnection.NextDeadline"/>
    MonoTime NextDeadline { get; }

    /// <inheritdoc cref="PeerConnection.SetRemote"/>
    void SetRemote(RemoteDescription remote, MonoTime now);

    /// <inheritdoc cref="PeerConnection.SetLocalCredentials"/>
    void SetLocalCredentials(IceCredentials local, MonoTime now);

    /// <inheritdoc cref="PeerConnection.AddRemoteCandidate"/>
    void AddRemoteCandidate(in NetEndPoint candidate, MonoTime now);

    /// <inheritdoc cref="PeerConnection.HandleDatagram"/>
    PacketKind HandleDatagram(Span<byte> datagram, in NetEndPoint from, MonoTime now, out int length);

    /// <inheritdoc cref="PeerConnection.ProtectRtp"/>
    int ProtectRtp(Span<byte> buffer, int length);

    /// <inheritdoc cref="PeerConnection.ProtectRtcp"/>
    int ProtectRtcp(Span<byte> buffer, int length);

    /// <inheritdoc cref="PeerConnection.TryPollDatagram"/>
    bool TryPollDatagram(Span<byte> buffer, out int length, out NetEndPoint to);

    /// <inheritdoc cref="PeerConnection.TryPollEvent"/>
    bool TryPollEvent(out PeerEvent peerEvent);

    /// <inheritdoc cref="PeerConnection.HandleTimeout"/>
    void HandleTimeout(MonoTime now);

    /// <inheritdoc cref="PeerConnection.SendData"/>
    bool SendData(string label, ReadOnlySpan<byte> payload, MonoTime now);

    /// <inheritdoc cref="PeerConnection.Close"/>
    void Close(MonoTime now);
}

/// <summary>Room loop. Makes transports that share one DTLS certificate.</summary>
public interface IPeerTransportFactory
{
    /// <summary>SHA-256 over the DER of the certificate that every transport shows, 32 bytes.</summary>
    ReadOnlyMemory<byte> FingerprintSha256 { get; }

    IPeerTransport Create(PeerOptions options, MonoTime now);
}
