using System;
using Proxy.Core.Time;

namespace Proxy.WebRtc.Dtls;

/// <summary>The life of a DTLS association.</summary>
public enum DtlsState
{
    Handshaking,

    /// <summary>The handshake is done; the peer's certificate is not yet compared with its fingerprint: that is the owner's part.</summary>
    Connected,

    /// <summary>A fatal alert, a broken handshake or too many retransmissions.</summary>
    Failed,

    /// <summary>close_notify came.</summary>
    Closed,
}

/// <summary>
/// One owner. One DTLS 1.2 association with the <c>use_srtp</c> extension (RFC 6347, RFC 5764) over datagrams that the
/// owner carries. OpenSSL stands behind it in the product; in tests a plain double, because OpenSSL reads its own clock.
/// </summary>
public interface IDtls : IDisposable
{
    DtlsState State { get; }

    /// <summary>When a flight is to be sent again.</summary>
    MonoTime NextDeadline { get; }

    /// <summary>The chosen protection profile's number (RFC 5764 §4.1.2, RFC 7714 §14.2); 0 before Connected or when none was agreed.</summary>
    int SrtpProfileId { get; }

    /// <summary>Sends the ClientHello, or waits for it.</summary>
    void Start(MonoTime now);

    /// <summary>Takes one datagram; <see cref="TryReadData"/> is to be drained before the next. A handshake step costs up to 0.4 ms of CPU.</summary>
    void HandleDatagram(ReadOnlySpan<byte> datagram, MonoTime now);

    void HandleTimeout(MonoTime now);

    /// <summary>Next datagram to send, at most 1,200 bytes; drain until false.</summary>
    bool TryPollDatagram(Span<byte> buffer, out int length);

    /// <summary>Next message that the peer sent; drain until false, also by owners who expect none (a lost last flight is sent again here).</summary>
    bool TryReadData(Span<byte> buffer, out int length);

    /// <summary>Encrypts one message into one record.</summary>
    /// <returns>False when not connected.</returns>
    bool Send(ReadOnlySpan<byte> payload, MonoTime now);

    /// <summary>SHA-256 of the peer's certificate.</summary>
    /// <returns>False before Connected, or without a certificate.</returns>
    bool TryGetPeerFingerprint(Span<byte> sha256);

    /// <summary>The keying material of RFC 5764 §4.2: client key, server key, client salt, server salt.</summary>
    bool TryExportSrtpKeys(Span<byte> material);

    /// <summary>Queues close_notify; poll once more, then dispose.</summary>
    void Close(MonoTime now);
}

/// <summary>Any thread. Makes DTLS associations that share one certificate.</summary>
public interface IDtlsFactory
{
    /// <summary>SHA-256 of our certificate, for <c>a=fingerprint</c>.</summary>
    ReadOnlyMemory<byte> FingerprintSha256 { get; }

    /// <param name="isClient">Whether we send the ClientHello.</param>
    IDtls Create(bool isClient);
}
