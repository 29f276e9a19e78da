using System;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.WebRtc;
using Proxy.WebRtc.Dtls;

namespace Proxy.DevRoom.Forwarding;

/// <summary>Room loop. Real transports: ICE-lite, DTLS-SRTP and data channels of <see cref="PeerConnection"/>.</summary>
public sealed class WebRtcTransportFactory(IDtlsFactory dtls, IRandom random) : IPeerTransportFactory
{
    public ReadOnlyMemory<byte> FingerprintSha256 => dtls.FingerprintSha256;

    public IPeerTransport Create(PeerOptions options, MonoTime now) => new WebRtcTransport(new PeerConnection(options, dtls, random, now));

    private sealed class WebRtcTransport(PeerConnection peer) : IPeerTransport
    {
        public PeerState State => peer.State;

        public NetEndPoint Remote => peer.Remote;

        public MonoTime NextDeadline => peer.NextDeadline;

        public void SetRemote(RemoteDescription remote, MonoTime now) => peer.SetRemote(remote, now);

        public void SetLocalCredentials(IceCredentials local, MonoTime now) => peer.SetLocalCredentials(local, now);

        public void AddRemoteCandidate(in NetEndPoint candidate, MonoTime now) => peer.AddRemoteCandidate(candidate, now);

        public PacketKind HandleDatagram(Span<byte> datagram, in NetEndPoint from, MonoTime now, out int length) =>
            peer.HandleDatagram(datagram, from, now, out length);

        public int ProtectRtp(Span<byte> buffer, int length) => peer.ProtectRtp(buffer, length);

        public int ProtectRtcp(Span<byte> buffer, int length) => peer.ProtectRtcp(buffer, length);

        public bool TryPollDatagram(Span<byte> buffer, out int length, out NetEndPoint to) => peer.TryPollDatagram(buffer, out length, out to);

        public bool TryPollEvent(out PeerEvent peerEvent) => peer.TryPollEvent(out peerEvent);

        public void HandleTimeout(MonoTime now) => peer.HandleTimeout(now);

        public bool SendData(string label, ReadOnlySpan<byte> payload, MonoTime now) => peer.SendData(label, payload, now);

        public void Close(MonoTime now) => peer.Close(now);

        public void Dispose() => peer.Dispose();
    }
}
