using System;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using static Proxy.Native.OpenSsl.DtlsImports;

namespace Proxy.Native.OpenSsl;

/// <summary>Any thread. An SSL_CTX for DTLS 1.2 with SRTP and one fresh self-signed ECDSA P-256 certificate; made once, shared by all sessions.</summary>
/// <remarks>RFC 5763, RFC 5764, RFC 8827 §6.5. Peers are authenticated by the owner, who compares the certificate's fingerprint.</remarks>
public sealed unsafe class DtlsContext : IDisposable
{
    /// <summary>Seconds a certificate is good for; nobody checks it, but it must have a value.</summary>
    private const int CertificateSeconds = 30 * 24 * 3600;

    /// <summary>A day back, for peers whose clock is behind.</summary>
    private const int BackDatedSeconds = -24 * 3600;

    /// <summary>Largest record that we write, bytes; keeps OpenSSL's write buffer small.</summary>
    private const int MaxSendFragment = 1_400;

    private readonly ContextHandle _handle;
    private readonly byte[] _fingerprint = new byte[SHA256.HashSizeInBytes];

    private DtlsContext(ContextHandle handle) => _handle = handle;

    /// <summary>SHA-256 of our certificate in DER.</summary>
    public ReadOnlyMemory<byte> FingerprintSha256 => _fingerprint;

    /// <summary>Generates key and certificate and sets the context up.</summary>
    /// <returns>Null when OpenSSL refuses; <paramref name="error"/> says what.</returns>
    public static DtlsContext? TryCreate(out string? error)
    {
        error = null;
        if (OPENSSL_version_major() != 3)
        {
            error = "OpenSSL 3 is needed";
            return null;
        }
        ERR_clear_error();
        DtlsContext context = new(new ContextHandle(SSL_CTX_new(DTLS_method())));
        if (context._handle.IsInvalid || !context.TryConfigure() || !context.TryMakeCertificate())
        {
            error = DtlsError.Describe("DTLS context");
            context.Dispose();
            return null;
        }
        return context;
    }

    /// <param name="isClient">Whether the session sends the ClientHello.</param>
    /// <param name="mtu">Largest datagram of the handshake, bytes.</param>
    /// <returns>Null when OpenSSL is out of memory.</returns>
    public DtlsSession? TryOpen(bool isClient, int mtu)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        ERR_clear_error();
        return DtlsSession.TryCreate(_handle.DangerousGetHandle(), isClient, mtu);
    }

    public void Dispose() => _handle.Dispose();

    private bool TryConfigure()
    {
        nint context = _handle.DangerousGetHandle();
        SSL_CTX_set_options(context, SslOpNoQueryMtu | SslOpNoTicket | SslOpCipherServerPreference | SslOpNoRenegotiation);
        SSL_CTX_ctrl(context, SslCtrlSetSessionCacheMode, 0, null);
        SSL_CTX_ctrl(context, SslCtrlSetMaxSendFragment, MaxSendFragment, null);
        SSL_CTX_set_verify(context, SslVerifyPeer | SslVerifyFailIfNoPeerCert, 0);
        SSL_CTX_set_cert_verify_callback(context, &TakeAnyCertificate, 0);
        fixed (byte* ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384\0"u8)
        fixed (byte* groups = "X25519:P-256:P-384\0"u8)
        fixed (byte* profiles = "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80\0"u8)
        {
            return SSL_CTX_ctrl(context, SslCtrlSetMinProtoVersion, Dtls12Version, null) == 1
                && SSL_CTX_set_cipher_list(context, ciphers) == 1
                && SSL_CTX_ctrl(context, SslCtrlSetGroupsList, 0, groups) == 1
                && SSL_CTX_set_tlsext_use_srtp(context, profiles) == 0;
        }
    }

    private bool TryMakeCertificate()
    {
        nint key = MakeKey();
        nint certificate = X509_new();
        nint context = _handle.DangerousGetHandle();
        bool isMade = key != 0 && certificate != 0
            && TryFillCertificate(certificate, key)
            && DtlsSession.TryDigest(certificate, _fingerprint)
            && SSL_CTX_use_certificate(context, certificate) == 1
            && SSL_CTX_use_PrivateKey(context, key) == 1;
        X509_free(certificate);
        EVP_PKEY_free(key);
        return isMade;
    }

    private static nint MakeKey()
    {
        nint generator = EVP_PKEY_CTX_new_id(EvpPkeyEc, 0);
        nint key = 0;
        if (generator == 0
            || EVP_PKEY_keygen_init(generator) != 1
            || EVP_PKEY_CTX_set_ec_paramgen_curve_nid(generator, NidPrime256v1) != 1
            || EVP_PKEY_keygen(generator, &key) != 1)
        {
            key = 0;
        }
        EVP_PKEY_CTX_free(generator);
        return key;
    }

    private static bool TryFillCertificate(nint certificate, nint key)
    {
        ulong serial;
        nint name = X509_get_subject_name(certificate);
        fixed (byte* field = "CN\0"u8)
        fixed (byte* value = "WebRTC\0"u8)
        {
            return RAND_bytes((byte*)&serial, sizeof(ulong)) == 1
                && X509_set_version(certificate, 2) == 1
                && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1
                && X509_gmtime_adj(X509_getm_notBefore(certificate), BackDatedSeconds) != 0
                && X509_gmtime_adj(X509_getm_notAfter(certificate), CertificateSeconds) != 0
                && X509_NAME_add_entry_by_txt(name, field, MbstringAscii, value, -1, -1, 0) == 1
                && X509_set_issuer_name(certificate, name) == 1
                && X509_set_pubkey(certificate, key) == 1
                && X509_sign(certificate, key, EVP_sha256()) > 0;
        }
    }

    /// <summary>Replaces chain building: certificates are self-signed, the fingerprint decides.</summary>
    [UnmanagedCallersOnly]
    private static int TakeAnyCertificate(nint store, nint argument) => 1;

    private sealed class ContextHandle : SafeHandle
    {
        public ContextHandle(nint context)
            : base(0, ownsHandle: true) => SetHandle(context);

        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            SSL_CTX_free(handle);
            return true;
        }
    }
}
