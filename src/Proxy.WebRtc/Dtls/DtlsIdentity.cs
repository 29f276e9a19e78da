using System;
using Proxy.Core.Diagnostics;
using Proxy.Native.OpenSsl;

namespace Proxy.WebRtc.Dtls;

/// <summary>
/// Any thread. Our DTLS certificate (ECDSA P-256, self-signed, made at start, never stored) and the OpenSSL context that
/// every association shares. One for the process.
/// </summary>
public sealed class DtlsIdentity : IDtlsFactory, IDisposable
{
    private readonly DtlsContext _context;

    private DtlsIdentity(DtlsContext context) => _context = context;

    /// <summary>Makes the key and certificate: about 0.2 ms. Throws when OpenSSL refuses; called at start only.</summary>
    public static DtlsIdentity Create() =>
        new(DtlsContext.TryCreate(out string? error) ?? throw new InvariantException(error ?? "no DTLS context"));

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> FingerprintSha256 => _context.FingerprintSha256;

    /// <inheritdoc/>
    public IDtls Create(bool isClient) =>
        new OpenSslDtls(_context.TryOpen(isClient, OpenSslDtls.DatagramBytes) ?? throw new InvariantException("OpenSSL is out of memory"), isClient);

    public void Dispose() => _context.Dispose();
}
