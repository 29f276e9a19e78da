using System;

namespace Proxy.WebRtc.Dtls;

/// <summary>
/// Any thread. Our DTLS certificate (ECDSA P-256, self-signed, made at start, never stored) and the OpenSSL context that
/// every association shares. One for the process.
/// </summary>
public sealed class DtlsIdentity : IDtlsFactory, IDisposable
{
    private DtlsIdentity()
    {
    }

    /// <summary>Makes the key and certificate: about 0.2 ms.</summary>
    public static DtlsIdentity Create() => new();

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> FingerprintSha256 => throw new NotImplementedException();

    /// <inheritdoc/>
    IDtls IDtlsFactory.Create(bool isClient) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
