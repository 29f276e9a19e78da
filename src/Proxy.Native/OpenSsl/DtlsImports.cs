using System.Runtime.InteropServices;

namespace Proxy.Native.OpenSsl;

/// <summary>Any thread. The entry points of OpenSSL 3 that DTLS and certificates use, as in ssl.h, bio.h, x509.h and evp.h; nothing else.</summary>
internal static unsafe partial class DtlsImports
{
    public const int SslCtrlSetMtu = 17;
    public const int SslCtrlSetSessionCacheMode = 44;
    public const int SslCtrlSetMaxSendFragment = 52;
    public const int DtlsCtrlGetTimeout = 73;
    public const int DtlsCtrlHandleTimeout = 74;
    public const int SslCtrlSetGroupsList = 92;
    public const int SslCtrlSetMinProtoVersion = 123;
    public const int Dtls12Version = 0xFEFD;
    public const ulong SslOpNoQueryMtu = 1UL << 12;
    public const ulong SslOpNoTicket = 1UL << 14;
    public const ulong SslOpCipherServerPreference = 1UL << 22;
    public const ulong SslOpNoRenegotiation = 1UL << 30;
    public const int SslVerifyPeer = 1;
    public const int SslVerifyFailIfNoPeerCert = 2;
    public const int SslErrorNone = 0;
    public const int SslErrorWantRead = 2;
    public const int SslErrorWantWrite = 3;
    public const int SslErrorZeroReturn = 6;
    public const int BioCtrlReset = 1;
    public const int BioCtrlInfo = 3;
    public const int BioSetMemEofReturn = 130;
    public const int EvpPkeyEc = 408;
    public const int NidPrime256v1 = 415;
    public const int MbstringAscii = 0x1001;

    // ssl
    [LibraryImport(NativeLibraries.Ssl)]
    public static partial nint DTLS_method();

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial nint SSL_CTX_new(nint method);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial void SSL_CTX_free(nint context);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial nint SSL_CTX_ctrl(nint context, int command, nint larg, void* parg);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial ulong SSL_CTX_set_options(nint context, ulong options);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial int SSL_CTX_set_cipher_list(nint context, byte* list);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial int SSL_CTX_use_certificate(nint context, nint certificate);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial int SSL_CTX_use_PrivateKey(nint context, nint key);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial void SSL_CTX_set_verify(nint context, int mode, nint callback);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial void SSL_CTX_set_cert_verify_callback(nint context, delegate* unmanaged<nint, nint, int> callback, nint argument);

    /// <returns>0 on success, unlike its neighbours.</returns>
    [LibraryImport(NativeLibraries.Ssl)]
    public static partial int SSL_CTX_set_tlsext_use_srtp(nint context, byte* profiles);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial nint SSL_new(nint context);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial void SSL_free(nint ssl);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial void SSL_set_bio(nint ssl, nint read, nint write);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial void SSL_set_connect_state(nint ssl);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial void SSL_set_accept_state(nint ssl);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial int SSL_do_handshake(nint ssl);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial int SSL_read(nint ssl, byte* buffer, int length);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial int SSL_write(nint ssl, byte* buffer, int length);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial int SSL_shutdown(nint ssl);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial int SSL_free_buffers(nint ssl);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial int SSL_alloc_buffers(nint ssl);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial int SSL_get_error(nint ssl, int result);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial nint SSL_ctrl(nint ssl, int command, nint larg, void* parg);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial void DTLS_set_timer_cb(nint ssl, delegate* unmanaged<nint, uint, uint> callback);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial SrtpProtectionProfile* SSL_get_selected_srtp_profile(nint ssl);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial int SSL_export_keying_material(
        nint ssl, byte* output, nuint outputLength, byte* label, nuint labelLength, byte* context, nuint contextLength, int useContext);

    [LibraryImport(NativeLibraries.Ssl)]
    public static partial nint SSL_get1_peer_certificate(nint ssl);

    // crypto
    [LibraryImport(NativeLibraries.Crypto)]
    public static partial void ERR_clear_error();

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial nuint ERR_peek_error();

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial byte* ERR_reason_error_string(nuint error);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial uint OPENSSL_version_major();

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial int RAND_bytes(byte* output, int length);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial nint BIO_s_mem();

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial nint BIO_new(nint method);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial int BIO_free(nint bio);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial int BIO_write(nint bio, byte* data, int length);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial int BIO_read(nint bio, byte* data, int length);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial nint BIO_ctrl(nint bio, int command, nint larg, void* parg);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial nint EVP_PKEY_CTX_new_id(int id, nint engine);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial void EVP_PKEY_CTX_free(nint context);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial int EVP_PKEY_keygen_init(nint context);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial int EVP_PKEY_CTX_set_ec_paramgen_curve_nid(nint context, int nid);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial int EVP_PKEY_keygen(nint context, nint* key);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial void EVP_PKEY_free(nint key);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial nint EVP_sha256();

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial nint X509_new();

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial void X509_free(nint certificate);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial int X509_set_version(nint certificate, nint version);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial nint X509_get_serialNumber(nint certificate);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial int ASN1_INTEGER_set_uint64(nint integer, ulong value);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial nint X509_getm_notBefore(nint certificate);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial nint X509_getm_notAfter(nint certificate);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial nint X509_gmtime_adj(nint time, nint seconds);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial nint X509_get_subject_name(nint certificate);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial int X509_NAME_add_entry_by_txt(nint name, byte* field, int type, byte* bytes, int length, int location, int set);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial int X509_set_issuer_name(nint certificate, nint name);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial int X509_set_pubkey(nint certificate, nint key);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial int X509_sign(nint certificate, nint key, nint digest);

    [LibraryImport(NativeLibraries.Crypto)]
    public static partial int X509_digest(nint certificate, nint digest, byte* output, uint* length);
}

/// <summary>SRTP_PROTECTION_PROFILE of srtp.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SrtpProtectionProfile
{
    public byte* Name;
    public nuint Id;
}

/// <summary>struct timeval of a 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeVal
{
    public long Seconds;
    public long Micros;
}
