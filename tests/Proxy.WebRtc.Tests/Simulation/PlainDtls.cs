using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.WebRtc.Dtls;

namespace Proxy.WebRtc.Tests.Simulation;

/// <summary>
/// One owner. A double of DTLS without cryptography: hello, hello back, finished, each repeated every 100 ms until the other
/// side moves on. It encrypts nothing and authenticates nobody; it lives only in tests with virtual time.
/// </summary>
internal sealed class PlainDtls : IDtls
{
    private const byte Handshake = 22;
    private const byte Alert = 21;
    private const byte Data = 23;
    private const int HelloBytes = 1 + 1 + 32 + 32;

    private readonly bool _isClient;
    private readonly byte[] _fingerprint;
    private readonly byte[] _nonce = new byte[32];
    private readonly byte[] _peerFingerprint = new byte[32];
    private readonly byte[] _peerNonce = new byte[32];
    private readonly Queue<byte[]> _output = new();
    private readonly Queue<byte[]> _input = new();

    public PlainDtls(bool isClient, byte[] fingerprint, IRandom random)
    {
        _isClient = isClient;
        _fingerprint = fingerprint;
        random.Fill(_nonce);
    }

    public DtlsState State { get; private set; }

    public MonoTime NextDeadline { get; private set; } = MonoTime.Never;

    public int SrtpProfileId => State == DtlsState.Connected ? 7 : 0;

    public void Start(MonoTime now)
    {
        if (_isClient)
        {
            SendHello(1);
            NextDeadline = now.AddMillis(100);
        }
    }

    public void HandleDatagram(ReadOnlySpan<byte> datagram, MonoTime now)
    {
        if (datagram.IsEmpty || State is DtlsState.Closed or DtlsState.Failed)
        {
            return;
        }
        switch (datagram[0])
        {
            case Handshake when datagram.Length == HelloBytes:
                HandleHello(datagram);
                break;
            case Data when State == DtlsState.Connected:
                _input.Enqueue(datagram[1..].ToArray());
                break;
            case Alert:
                State = DtlsState.Closed;
                break;
            default:
                break;
        }
    }

    public void HandleTimeout(MonoTime now)
    {
        if (now >= NextDeadline)
        {
            SendHello(1);
            NextDeadline = now.AddMillis(100);
        }
    }

    public bool TryPollDatagram(Span<byte> buffer, out int length)
    {
        length = 0;
        if (!_output.TryDequeue(out byte[]? datagram))
        {
            return false;
        }
        datagram.CopyTo(buffer);
        length = datagram.Length;
        return true;
    }

    public bool TryReadData(Span<byte> buffer, out int length)
    {
        length = 0;
        if (!_input.TryDequeue(out byte[]? message))
        {
            return false;
        }
        message.CopyTo(buffer);
        length = message.Length;
        return true;
    }

    public bool Send(ReadOnlySpan<byte> payload, MonoTime now)
    {
        if (State != DtlsState.Connected)
        {
            return false;
        }
        _output.Enqueue([Data, .. payload]);
        return true;
    }

    public bool TryGetPeerFingerprint(Span<byte> sha256)
    {
        _peerFingerprint.CopyTo(sha256);
        return State == DtlsState.Connected;
    }

    public bool TryExportSrtpKeys(Span<byte> material)
    {
        byte[] secret = _isClient ? [.. _nonce, .. _peerNonce] : [.. _peerNonce, .. _nonce];
        HKDF.Expand(HashAlgorithmName.SHA256, SHA256.HashData(secret), material, []);
        return true;
    }

    public void Close(MonoTime now)
    {
        _output.Enqueue([Alert, 0]);
        State = DtlsState.Closed;
        NextDeadline = MonoTime.Never;
    }

    public void Dispose()
    {
    }

    private void HandleHello(ReadOnlySpan<byte> hello)
    {
        if (hello[1] == (_isClient ? 1 : 2))
        {
            return;
        }
        hello.Slice(2, 32).CopyTo(_peerFingerprint);
        hello.Slice(34, 32).CopyTo(_peerNonce);
        State = DtlsState.Connected;
        NextDeadline = MonoTime.Never;
        if (!_isClient)
        {
            SendHello(2);
        }
    }

    private void SendHello(byte step) => _output.Enqueue([Handshake, step, .. _fingerprint, .. _nonce]);
}

/// <summary>One owner. Makes <see cref="PlainDtls"/> with a fingerprint of its own.</summary>
internal sealed class PlainDtlsFactory : IDtlsFactory
{
    private readonly byte[] _fingerprint = new byte[32];
    private readonly IRandom _random;

    public PlainDtlsFactory(IRandom random)
    {
        _random = random;
        random.Fill(_fingerprint);
    }

    public ReadOnlyMemory<byte> FingerprintSha256 => _fingerprint;

    public IDtls Create(bool isClient) => new PlainDtls(isClient, _fingerprint, _random);
}
