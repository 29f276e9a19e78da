using System;
using System.Runtime.InteropServices;
using Proxy.Core.Diagnostics;
using static Proxy.Native.OpenSsl.DtlsImports;

namespace Proxy.Native.OpenSsl;

/// <summary>What a call into a session came to.</summary>
public enum DtlsResult
{
    /// <summary>Done; for a read: there was a message.</summary>
    Ok,

    /// <summary>More datagrams are needed.</summary>
    More,

    /// <summary>The peer sent close_notify.</summary>
    Closed,

    /// <summary>Fatal; the session must not be used further, <see cref="DtlsSession.Error"/> says why.</summary>
    Failed,
}

/// <summary>One owner. One SSL object over two memory BIOs: datagrams go in one by one, records come out as a byte stream.</summary>
public sealed unsafe class DtlsSession : IDisposable
{
    /// <summary>First wait for an answer, microseconds; OpenSSL's own second is far too long for a call set-up.</summary>
    private const uint FirstTimeoutMicros = 100_000;

    private const uint LongestTimeoutMicros = 1_600_000;

    private readonly SessionHandle _handle;
    private readonly nint _input;
    private readonly nint _output;
    private bool _isReleased;

    private DtlsSession(SessionHandle handle, nint input, nint output)
    {
        _handle = handle;
        _input = input;
        _output = output;
    }

    /// <summary>OpenSSL's words for a failure; no secrets are in them.</summary>
    public string? Error { get; private set; }

    /// <summary>Number of the agreed SRTP profile; 0 when there is none.</summary>
    public int SrtpProfileId
    {
        get
        {
            ERR_clear_error();
            SrtpProtectionProfile* profile = SSL_get_selected_srtp_profile(Ssl);
            return profile == null ? 0 : (int)profile->Id;
        }
    }

    /// <summary>What waits to be sent: whole records, one behind the other. Good until the next call.</summary>
    public ReadOnlySpan<byte> Output
    {
        get
        {
            byte* data = null;
            nint length = BIO_ctrl(_output, BioCtrlInfo, 0, &data);
            return length <= 0 || data == null ? default : new ReadOnlySpan<byte>(data, checked((int)length));
        }
    }

    private nint Ssl
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _handle.DangerousGetHandle();
        }
    }

    /// <summary>Puts one datagram before the session, which is then to be stepped; what it leaves of it is discarded.</summary>
    public void Feed(ReadOnlySpan<byte> datagram)
    {
        Invariant.Holds(!_handle.IsClosed, "a DTLS session is not used after its end");
        ERR_clear_error();
        BIO_ctrl(_input, BioCtrlReset, 0, null);
        fixed (byte* bytes = datagram)
        {
            BIO_write(_input, bytes, datagram.Length);
        }
    }

    /// <summary>One step of the handshake.</summary>
    public DtlsResult Handshake()
    {
        AcquireBuffers();
        int result = SSL_do_handshake(Ssl);
        return result == 1 ? DtlsResult.Ok : Judge(result, "DTLS handshake");
    }

    /// <summary>Reads one message.</summary>
    public DtlsResult Read(Span<byte> buffer, out int length)
    {
        length = 0;
        AcquireBuffers();
        fixed (byte* bytes = buffer)
        {
            int result = SSL_read(Ssl, bytes, buffer.Length);
            if (result > 0)
            {
                length = result;
                return DtlsResult.Ok;
            }
            return Judge(result, "DTLS read");
        }
    }

    /// <summary>Writes one message as one record.</summary>
    public DtlsResult Write(ReadOnlySpan<byte> payload)
    {
        AcquireBuffers();
        fixed (byte* bytes = payload)
        {
            int result = SSL_write(Ssl, bytes, payload.Length);
            return result == payload.Length ? DtlsResult.Ok : Judge(result, "DTLS write");
        }
    }

    /// <summary>Gives the record buffers (17 KB) back until the next datagram; a peer without data channels needs them hardly ever.</summary>
    public void ReleaseBuffers()
    {
        ERR_clear_error();
        _isReleased = SSL_free_buffers(Ssl) == 1;
    }

    /// <summary>Moves the first bytes of <see cref="Output"/> into the buffer.</summary>
    /// <param name="buffer">Filled whole.</param>
    public void TakeOutput(Span<byte> buffer)
    {
        ERR_clear_error();
        fixed (byte* bytes = buffer)
        {
            int taken = BIO_read(_output, bytes, buffer.Length);
            Invariant.Holds(taken == buffer.Length, "a memory BIO gives what it holds");
        }
    }

    /// <summary>How long until a flight is to be sent again.</summary>
    /// <returns>False when no timer runs.</returns>
    public bool TryGetTimeout(out long micros)
    {
        TimeVal value = default;
        ERR_clear_error();
        bool runs = SSL_ctrl(Ssl, DtlsCtrlGetTimeout, 0, &value) == 1;
        micros = (value.Seconds * 1_000_000) + value.Micros;
        return runs;
    }

    /// <summary>Sends a flight again whose time (by OpenSSL's clock) has come.</summary>
    /// <returns>Ok also when nothing was due.</returns>
    public DtlsResult HandleTimeout()
    {
        AcquireBuffers();
        if ((int)SSL_ctrl(Ssl, DtlsCtrlHandleTimeout, 0, null) >= 0)
        {
            return DtlsResult.Ok;
        }
        Error = DtlsError.Describe("DTLS retransmission");
        return DtlsResult.Failed;
    }

    /// <summary>The TLS exporter of RFC 5705 without a context.</summary>
    public bool TryExport(ReadOnlySpan<byte> label, Span<byte> output)
    {
        ERR_clear_error();
        fixed (byte* labelBytes = label)
        fixed (byte* outputBytes = output)
        {
            return SSL_export_keying_material(Ssl, outputBytes, (nuint)output.Length, labelBytes, (nuint)label.Length, null, 0, 0) == 1;
        }
    }

    /// <summary>SHA-256 of the peer's certificate.</summary>
    /// <param name="sha256">32 bytes.</param>
    public bool TryGetPeerFingerprint(Span<byte> sha256)
    {
        ERR_clear_error();
        nint certificate = SSL_get1_peer_certificate(Ssl);
        if (certificate == 0)
        {
            return false;
        }
        bool isDone = TryDigest(certificate, sha256);
        X509_free(certificate);
        return isDone;
    }

    /// <summary>Writes close_notify.</summary>
    public void Shutdown()
    {
        AcquireBuffers();
        SSL_shutdown(Ssl);
        ERR_clear_error();
    }

    public void Dispose() => _handle.Dispose();

    internal static DtlsSession? TryCreate(nint context, bool isClient, int mtu)
    {
        SessionHandle handle = new(SSL_new(context));
        nint input = BIO_new(BIO_s_mem());
        nint output = BIO_new(BIO_s_mem());
        if (handle.IsInvalid || input == 0 || output == 0)
        {
            BIO_free(input);
            BIO_free(output);
            handle.Dispose();
            ERR_clear_error();
            return null;
        }
        // An empty BIO means "come again", not "end of file".
        BIO_ctrl(input, BioSetMemEofReturn, -1, null);
        BIO_ctrl(output, BioSetMemEofReturn, -1, null);
        nint ssl = handle.DangerousGetHandle();
        SSL_set_bio(ssl, input, output);
        SSL_ctrl(ssl, SslCtrlSetMtu, mtu, null);
        DTLS_set_timer_cb(ssl, &NextTimeout);
        if (isClient)
        {
            SSL_set_connect_state(ssl);
        }
        else
        {
            SSL_set_accept_state(ssl);
        }
        return new DtlsSession(handle, input, output);
    }

    internal static bool TryDigest(nint certificate, Span<byte> sha256)
    {
        uint length = (uint)sha256.Length;
        fixed (byte* bytes = sha256)
        {
            return sha256.Length == 32 && X509_digest(certificate, EVP_sha256(), bytes, &length) == 1 && length == 32;
        }
    }

    /// <summary>OpenSSL asks with 0 for the first wait, then with the last one; it gives up after 12.</summary>
    [UnmanagedCallersOnly]
    private static uint NextTimeout(nint ssl, uint lastMicros) =>
        lastMicros == 0 ? FirstTimeoutMicros : Math.Min(lastMicros * 2, LongestTimeoutMicros);

    /// <summary>OpenSSL's DTLS writer takes its buffer for granted, unlike its reader.</summary>
    private void AcquireBuffers()
    {
        ERR_clear_error();
        if (_isReleased)
        {
            _isReleased = false;
            Invariant.Holds(SSL_alloc_buffers(Ssl) == 1, "OpenSSL gets its buffers back");
        }
    }

    private DtlsResult Judge(int result, string what)
    {
        switch (SSL_get_error(Ssl, result))
        {
            case SslErrorWantRead:
            case SslErrorWantWrite:
                return DtlsResult.More;
            case SslErrorZeroReturn:
                return DtlsResult.Closed;
            default:
                Error = DtlsError.Describe(what);
                return DtlsResult.Failed;
        }
    }

    private sealed class SessionHandle : SafeHandle
    {
        public SessionHandle(nint ssl)
            : base(0, ownsHandle: true) => SetHandle(ssl);

        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            SSL_free(handle);
            return true;
        }
    }
}
