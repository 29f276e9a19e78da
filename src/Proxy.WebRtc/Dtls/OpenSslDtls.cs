using System;
using System.Buffers.Binary;
using Proxy.Core.Time;
using Proxy.Native.OpenSsl;

namespace Proxy.WebRtc.Dtls;

/// <summary>One owner. <see cref="IDtls"/> by OpenSSL. Its retransmission timer reads OpenSSL's own clock, so it is right only where <see cref="MonoTime"/> is the machine's.</summary>
internal sealed class OpenSslDtls : IDtls
{
    /// <summary>Largest datagram that we send, bytes: fits every path that IPv6 allows, with room for tunnels.</summary>
    public const int DatagramBytes = 1_200;

    private const int RecordHeaderBytes = 13;

    /// <summary>A timer that OpenSSL finds not yet due is asked again after this long.</summary>
    private const long AgainMicros = 1_000;

    private readonly DtlsSession _session;
    private readonly bool _isClient;
    private bool _hasOutput;

    public OpenSslDtls(DtlsSession session, bool isClient)
    {
        _session = session;
        _isClient = isClient;
    }

    public DtlsState State { get; private set; }

    public MonoTime NextDeadline { get; private set; } = MonoTime.Never;

    /// <summary>OpenSSL's words for a failure.</summary>
    public string? Error => _session.Error;

    public int SrtpProfileId { get; private set; }

    public void Start(MonoTime now)
    {
        if (_isClient)
        {
            Step(now);
        }
    }

    public void HandleDatagram(ReadOnlySpan<byte> datagram, MonoTime now)
    {
        if (State is DtlsState.Failed or DtlsState.Closed)
        {
            return;
        }
        _session.Feed(datagram);
        if (State == DtlsState.Handshaking)
        {
            Step(now);
        }
        else
        {
            // A retransmitted flight of the peer is answered while its messages are read.
            _hasOutput = true;
        }
    }

    public void HandleTimeout(MonoTime now)
    {
        if (now < NextDeadline || State is DtlsState.Failed or DtlsState.Closed)
        {
            return;
        }
        if (_session.HandleTimeout() == DtlsResult.Failed)
        {
            End(DtlsState.Failed);
            return;
        }
        _hasOutput = true;
        Arm(now);
    }

    /// <remarks>
    /// Records are never split: the stream that OpenSSL writes is cut at the 13-byte headers (RFC 6347 §4.1). A ClientHello goes
    /// alone: sent again late, it carries version 1.0 in its header, and an OpenSSL server that is past it throws away the
    /// rest of the datagram with it.
    /// </remarks>
    public bool TryPollDatagram(Span<byte> buffer, out int length)
    {
        length = 0;
        if (!_hasOutput)
        {
            return false;
        }
        ReadOnlySpan<byte> output = _session.Output;
        int limit = Math.Min(buffer.Length, DatagramBytes);
        while (output.Length - length >= RecordHeaderBytes)
        {
            int record = RecordHeaderBytes + BinaryPrimitives.ReadUInt16BigEndian(output[(length + 11)..]);
            bool isTooLong = length + record > (length == 0 ? buffer.Length : limit);
            bool isHello = IsClientHello(output[length..]);
            if (isTooLong || record > output.Length - length || (isHello && length > 0))
            {
                break;
            }
            length += record;
            if (isHello)
            {
                break;
            }
        }
        if (length == 0)
        {
            _hasOutput = false;
            return false;
        }
        _session.TakeOutput(buffer[..length]);
        return true;
    }

    public bool TryReadData(Span<byte> buffer, out int length)
    {
        length = 0;
        if (State != DtlsState.Connected)
        {
            return false;
        }
        switch (_session.Read(buffer, out length))
        {
            case DtlsResult.Ok:
                return true;
            case DtlsResult.Closed:
                End(DtlsState.Closed);
                return false;
            case DtlsResult.Failed:
                End(DtlsState.Failed);
                return false;
            default:
                _session.ReleaseBuffers();
                return false;
        }
    }

    public bool Send(ReadOnlySpan<byte> payload, MonoTime now)
    {
        if (State != DtlsState.Connected)
        {
            return false;
        }
        _hasOutput = true;
        bool isWritten = _session.Write(payload) == DtlsResult.Ok;
        _session.ReleaseBuffers();
        return isWritten;
    }

    public bool TryGetPeerFingerprint(Span<byte> sha256) =>
        State == DtlsState.Connected && _session.TryGetPeerFingerprint(sha256);

    public bool TryExportSrtpKeys(Span<byte> material) =>
        State == DtlsState.Connected && _session.TryExport("EXTRACTOR-dtls_srtp"u8, material);

    public void Close(MonoTime now)
    {
        if (State is DtlsState.Failed or DtlsState.Closed)
        {
            return;
        }
        if (State == DtlsState.Connected)
        {
            _session.Shutdown();
            _hasOutput = true;
        }
        End(DtlsState.Closed);
    }

    public void Dispose() => _session.Dispose();

    /// <summary>An unencrypted handshake record (epoch 0) whose first message is a ClientHello.</summary>
    private static bool IsClientHello(ReadOnlySpan<byte> record) =>
        record.Length > RecordHeaderBytes && record[0] == 22 && record[3] == 0 && record[4] == 0 && record[RecordHeaderBytes] == 1;

    private void Step(MonoTime now)
    {
        DtlsResult result = _session.Handshake();
        // Also after a failure: an alert may wait.
        _hasOutput = true;
        switch (result)
        {
            case DtlsResult.Ok:
                SrtpProfileId = _session.SrtpProfileId;
                State = DtlsState.Connected;
                Arm(now);
                break;
            case DtlsResult.More:
                Arm(now);
                break;
            case DtlsResult.Closed:
                End(DtlsState.Closed);
                break;
            default:
                End(DtlsState.Failed);
                break;
        }
    }

    private void Arm(MonoTime now) =>
        NextDeadline = _session.TryGetTimeout(out long micros) ? now.AddMicros(Math.Max(micros, AgainMicros)) : MonoTime.Never;

    private void End(DtlsState state)
    {
        State = state;
        NextDeadline = MonoTime.Never;
    }
}
