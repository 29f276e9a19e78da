using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Proxy.Core.Memory;
using Proxy.Core.Time;

namespace Proxy.WebRtc.Sctp;

/// <summary>
/// One owner. The subset of SCTP that data channels need, as a machine: both roles and simultaneous opening, DATA with
/// fragments, SACK, retransmission, FORWARD TSN, HEARTBEAT ACK, ABORT, SHUTDOWN, answers to stream resets.
/// </summary>
/// <remarks>
/// RFC 9260, RFC 3758, RFC 6525 §5.2 (as answerer), RFC 8261. Not here: multi-homing, path MTU discovery, own heartbeats (ICE
/// consent tells whether the peer lives), ECN, address reconfiguration, interleaving, restart within one DTLS association
/// (RFC 9260 §5.2.4 A), a signed cookie (the peer is authenticated by DTLS and could only deceive itself).
/// </remarks>
internal sealed class SctpAssociation : ISctp
{
    private const int InitAckBytesMax = 256;
    private const int ReportBytesMax = 64;

    private readonly IRandom _random;
    private readonly PeerCounters _counters;
    private readonly Queue<Control> _control = new();
    private readonly Queue<ushort> _resets = new();
    private readonly uint _localTag;
    private readonly uint _cookieNonce;
    private readonly uint _initialTsn;
    private readonly SctpSender _sender;
    private SctpReceiver? _receiver;
    private Phase _phase;
    private uint _peerTag;
    private uint _lastResetRequest;
    private uint _lastResetResult;
    private byte[]? _peerCookie;
    private MonoTime _handshakeDeadline = MonoTime.Never;
    private int _handshakeAttempts;
    private bool _isHandshakeDue;

    public SctpAssociation(IRandom random, PeerCounters counters)
    {
        _random = random;
        _counters = counters;
        _localTag = NonZero();
        _cookieNonce = NonZero();
        _initialTsn = NonZero();
        _sender = new SctpSender(_initialTsn);
    }

    private enum Phase
    {
        Closed,
        CookieWait,
        CookieEchoed,
        Established,
        Ended,
    }

    public SctpState State => _phase switch
    {
        Phase.Established => SctpState.Established,
        Phase.Ended => SctpState.Ended,
        _ => SctpState.Connecting,
    };

    public MonoTime NextDeadline => _phase switch
    {
        Phase.Ended => MonoTime.Never,
        Phase.Established => MonoTime.Min(_sender.Deadline, _receiver!.SackDeadline),
        _ => _handshakeDeadline,
    };

    public void Start(MonoTime now)
    {
        if (_phase == Phase.Closed)
        {
            Enter(Phase.CookieWait, now);
        }
    }

    /// <summary>RFC 9260 §8.5: what has a wrong checksum, port or tag is dropped.</summary>
    public void HandlePacket(ReadOnlySpan<byte> packet, MonoTime now)
    {
        if (_phase == Phase.Ended)
        {
            return;
        }
        if (packet.Length < SctpWire.HeaderBytes + SctpWire.ChunkHeaderBytes
            || BinaryPrimitives.ReadUInt16BigEndian(packet[2..]) != SctpWire.Port
            || BinaryPrimitives.ReadUInt32LittleEndian(packet[8..]) != SctpWire.Checksum(packet)
            || !IsTagRight(packet))
        {
            _counters.SctpMalformed++;
            return;
        }
        TlvReader chunks = new(packet[SctpWire.HeaderBytes..]);
        bool hasData = false;
        while (_phase != Phase.Ended && chunks.TryNext(out ReadOnlySpan<byte> chunk))
        {
            hasData |= chunk[0] == SctpWire.Data;
            if (!HandleChunk(chunk, now))
            {
                break;
            }
        }
        _counters.SctpMalformed += chunks.IsBroken ? 1 : 0;
        if (hasData && _phase == Phase.Established)
        {
            _receiver!.PacketEnds(now);
        }
    }

    public void HandleTimeout(MonoTime now)
    {
        if (_phase is Phase.CookieWait or Phase.CookieEchoed && now >= _handshakeDeadline)
        {
            if (++_handshakeAttempts >= SctpLimits.HandshakeAttempts)
            {
                End();
                return;
            }
            _isHandshakeDue = true;
            long pause = Math.Min(SctpLimits.HandshakeMillis << Math.Min(_handshakeAttempts, 10), SctpLimits.RtoMaxMillis);
            _handshakeDeadline = now.AddMillis(pause);
        }
        if (_phase == Phase.Established)
        {
            _sender.HandleTimeout(now);
            if (_sender.Timeouts > SctpLimits.TimeoutsMax)
            {
                Abort(now);
            }
        }
    }

    public bool TryPollPacket(Span<byte> buffer, MonoTime now, out int length)
    {
        length = 0;
        Span<byte> packet = buffer[..SctpLimits.PacketBytes];
        if (_control.TryDequeue(out Control? control))
        {
            length = WriteAlone(packet, control.Chunk, control.Tag);
        }
        else if (_isHandshakeDue)
        {
            _isHandshakeDue = false;
            length = WriteHandshake(packet);
        }
        else if (_phase == Phase.Established)
        {
            length = WriteBundle(packet, now);
        }
        return length > 0;
    }

    public bool TrySend(ushort stream, uint ppid, ReadOnlySpan<byte> payload, SctpDelivery delivery, MonoTime now) =>
        _phase == Phase.Established && _sender.TryQueue(stream, ppid, payload, delivery);

    public bool TryReceive(out SctpMessage message)
    {
        message = default;
        return _receiver is not null && _receiver.TryTake(out message);
    }

    public bool TryPollReset(out ushort stream) => _resets.TryDequeue(out stream);

    public void Abort(MonoTime now)
    {
        if (_phase is Phase.Ended)
        {
            return;
        }
        if (_peerTag != 0)
        {
            SendAbort(SctpWire.CauseUserAbort);
        }
        End();
    }

    // ---- Incoming ----

    /// <summary>RFC 9260 §8.5.1.</summary>
    private bool IsTagRight(ReadOnlySpan<byte> packet)
    {
        uint tag = BinaryPrimitives.ReadUInt32BigEndian(packet[4..]);
        byte type = packet[SctpWire.HeaderBytes];
        bool isReflected = (packet[SctpWire.HeaderBytes + 1] & 1) != 0;
        return type switch
        {
            SctpWire.Init => tag == 0,
            SctpWire.Abort or SctpWire.ShutdownComplete when isReflected => _peerTag != 0 && tag == _peerTag,
            _ => tag == _localTag,
        };
    }

    /// <returns>False when the rest of the packet is to be left alone.</returns>
    private bool HandleChunk(ReadOnlySpan<byte> chunk, MonoTime now)
    {
        switch (chunk[0])
        {
            case SctpWire.Init:
                HandleInit(chunk);
                return false;
            case SctpWire.InitAck:
                HandleInitAck(chunk, now);
                return false;
            case SctpWire.CookieEcho:
                return HandleCookieEcho(chunk, now);
            case SctpWire.CookieAck:
                if (_phase == Phase.CookieEchoed)
                {
                    Enter(Phase.Established, now);
                }
                return true;
            case SctpWire.Abort or SctpWire.ShutdownComplete:
                End();
                return false;
            case SctpWire.Shutdown:
                Queue(SctpWire.ShutdownAck, 0, default);
                return true;
            case SctpWire.ShutdownAck:
                Queue(SctpWire.ShutdownComplete, 0, default);
                End();
                return false;
            case SctpWire.Heartbeat:
                Queue(SctpWire.HeartbeatAck, 0, chunk[SctpWire.ChunkHeaderBytes..]);
                return true;
            case SctpWire.HeartbeatAck or SctpWire.Error or SctpWire.Ecne or SctpWire.Cwr or SctpWire.Pad:
                return true;
            default:
                return _phase != Phase.Established || HandleEstablished(chunk, now);
        }
    }

    private bool HandleEstablished(ReadOnlySpan<byte> chunk, MonoTime now)
    {
        switch (chunk[0])
        {
            case SctpWire.Data:
                return HandleData(chunk);
            case SctpWire.Sack:
                _counters.SctpMalformed += _sender.HandleSack(chunk, now) ? 0 : 1;
                return true;
            case SctpWire.ForwardTsn:
                if (chunk.Length >= 8)
                {
                    _receiver!.HandleForwardTsn(chunk);
                }
                return true;
            case SctpWire.ReConfig:
                HandleReConfig(chunk);
                return true;
            default:
                return HandleUnknown(chunk);
        }
    }

    private bool HandleData(ReadOnlySpan<byte> chunk)
    {
        switch (_receiver!.HandleData(chunk))
        {
            case SctpDataVerdict.Fatal:
                _counters.SctpMalformed++;
                SendAbort(SctpWire.CauseNoUserData);
                End();
                return false;
            case SctpDataVerdict.Dropped:
                _counters.DataOverflow++;
                return true;
            default:
                return true;
        }
    }

    /// <summary>RFC 9260 §3.2: the two highest bits say whether to go on and whether to report.</summary>
    private bool HandleUnknown(ReadOnlySpan<byte> chunk)
    {
        if ((chunk[0] & 0x40) != 0)
        {
            ReadOnlySpan<byte> shown = chunk[..Math.Min(chunk.Length, ReportBytesMax)];
            Span<byte> cause = stackalloc byte[4 + ReportBytesMax];
            BinaryPrimitives.WriteUInt16BigEndian(cause, SctpWire.CauseUnrecognizedChunk);
            BinaryPrimitives.WriteUInt16BigEndian(cause[2..], (ushort)(4 + shown.Length));
            shown.CopyTo(cause[4..]);
            Queue(SctpWire.Error, 0, cause[..(4 + shown.Length)]);
        }
        return (chunk[0] & 0x80) != 0;
    }

    // ---- Handshake ----

    /// <summary>RFC 9260 §5.1, §5.2.1, §5.2.2: always answered with our one tag and number; nothing is kept but in the cookie.</summary>
    private void HandleInit(ReadOnlySpan<byte> chunk)
    {
        if (!SctpInit.TryRead(chunk, out SctpInit init))
        {
            _counters.SctpMalformed++;
            return;
        }
        Span<byte> answer = stackalloc byte[InitAckBytesMax];
        int length = SctpInit.WriteBody(answer, _localTag, _initialTsn);
        length += init.WriteCookie(answer[length..], _cookieNonce);
        length += SctpInit.WriteUnrecognized(answer[length..], chunk);
        Queue(SctpWire.InitAck, 0, answer[..length], init.Tag);
    }

    private void HandleInitAck(ReadOnlySpan<byte> chunk, MonoTime now)
    {
        if (_phase != Phase.CookieWait)
        {
            return;
        }
        if (!SctpInit.TryRead(chunk, out SctpInit init) || init.Cookie.IsEmpty || init.Cookie.Length > SctpLimits.CookieBytes)
        {
            _counters.SctpMalformed++;
            return;
        }
        Adopt(init);
        _peerCookie = init.Cookie.ToArray();
        Enter(Phase.CookieEchoed, now);
    }

    private bool HandleCookieEcho(ReadOnlySpan<byte> chunk, MonoTime now)
    {
        if (!SctpInit.TryReadCookie(chunk[SctpWire.ChunkHeaderBytes..], _cookieNonce, out SctpInit init)
            || (_phase == Phase.Established && init.Tag != _peerTag))
        {
            _counters.SctpMalformed++;
            return false;
        }
        if (_phase != Phase.Established)
        {
            Adopt(init);
            Enter(Phase.Established, now);
        }
        Queue(SctpWire.CookieAck, 0, default);
        return true;
    }

    private void Adopt(in SctpInit init)
    {
        _peerTag = init.Tag;
        _receiver = new SctpReceiver(init.InitialTsn);
        _sender.PeerWindow = init.Window;
        _sender.CanForward = init.CanForward;
        _lastResetRequest = init.InitialTsn - 1;
    }

    private void Enter(Phase phase, MonoTime now)
    {
        _phase = phase;
        _handshakeAttempts = 0;
        _isHandshakeDue = phase is Phase.CookieWait or Phase.CookieEchoed;
        _handshakeDeadline = _isHandshakeDue ? now.AddMillis(SctpLimits.HandshakeMillis) : MonoTime.Never;
        if (phase == Phase.Established)
        {
            _peerCookie = null;
        }
    }

    private void End()
    {
        _phase = Phase.Ended;
        _isHandshakeDue = false;
        _handshakeDeadline = MonoTime.Never;
    }

    // ---- Stream resets ----

    /// <summary>RFC 6525 §5.2.2: the peer's outgoing streams begin again; anything else is denied.</summary>
    private void HandleReConfig(ReadOnlySpan<byte> chunk)
    {
        TlvReader parameters = new(chunk[SctpWire.ChunkHeaderBytes..]);
        Span<byte> answer = stackalloc byte[12];
        while (parameters.TryNext(out ReadOnlySpan<byte> parameter))
        {
            int type = BinaryPrimitives.ReadUInt16BigEndian(parameter);
            if (type == SctpWire.ParamResetResponse || parameter.Length < 8)
            {
                continue;
            }
            uint request = BinaryPrimitives.ReadUInt32BigEndian(parameter[4..]);
            uint result = type == SctpWire.ParamOutgoingReset && parameter.Length >= 16 ? Reset(request, parameter) : 2;
            BinaryPrimitives.WriteUInt16BigEndian(answer, SctpWire.ParamResetResponse);
            BinaryPrimitives.WriteUInt16BigEndian(answer[2..], 12);
            BinaryPrimitives.WriteUInt32BigEndian(answer[4..], request);
            BinaryPrimitives.WriteUInt32BigEndian(answer[8..], result);
            Queue(SctpWire.ReConfig, 0, answer);
        }
    }

    /// <returns>The result of RFC 6525 §4.4: 1 performed, 6 in progress.</returns>
    private uint Reset(uint request, ReadOnlySpan<byte> parameter)
    {
        if (request == _lastResetRequest)
        {
            return _lastResetResult;
        }
        uint lastTsn = BinaryPrimitives.ReadUInt32BigEndian(parameter[12..]);
        if (SctpWire.IsAfter(lastTsn, _receiver!.Cumulative))
        {
            return 6;
        }
        for (int at = 16; at + 2 <= parameter.Length; at += 2)
        {
            ushort stream = BinaryPrimitives.ReadUInt16BigEndian(parameter[at..]);
            _receiver.ResetStream(stream);
            if (_resets.Count < SctpLimits.StreamsInUse)
            {
                _resets.Enqueue(stream);
            }
        }
        if (parameter.Length == 16)
        {
            _receiver.ResetAllStreams();
        }
        _lastResetRequest = request;
        _lastResetResult = 1;
        return 1;
    }

    // ---- Outgoing ----

    private void SendAbort(ushort cause)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, cause);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], 4);
        _control.Clear();
        Queue(SctpWire.Abort, 0, bytes);
    }

    private void Queue(byte type, byte flags, ReadOnlySpan<byte> value, uint tag = 0)
    {
        if (_control.Count >= SctpLimits.ControlChunks || value.Length > SctpLimits.PacketBytes - SctpWire.HeaderBytes - SctpWire.ChunkHeaderBytes)
        {
            return;
        }
        byte[] chunk = new byte[SctpWire.Padded(SctpWire.ChunkHeaderBytes + value.Length)];
        SctpWire.WriteChunkHeader(chunk, type, flags, SctpWire.ChunkHeaderBytes + value.Length);
        value.CopyTo(chunk.AsSpan(SctpWire.ChunkHeaderBytes));
        _control.Enqueue(new Control(chunk, tag == 0 ? _peerTag : tag));
    }

    private static int WriteAlone(Span<byte> packet, ReadOnlySpan<byte> chunk, uint tag)
    {
        SctpWire.WriteHeader(packet, tag);
        chunk.CopyTo(packet[SctpWire.HeaderBytes..]);
        int length = SctpWire.HeaderBytes + chunk.Length;
        SctpWire.Seal(packet[..length]);
        return length;
    }

    private int WriteHandshake(Span<byte> packet)
    {
        Span<byte> chunk = stackalloc byte[SctpWire.Padded(SctpWire.ChunkHeaderBytes + SctpLimits.CookieBytes)];
        chunk.Clear();
        int length;
        if (_phase == Phase.CookieWait)
        {
            length = SctpWire.ChunkHeaderBytes + SctpInit.WriteBody(chunk[SctpWire.ChunkHeaderBytes..], _localTag, _initialTsn);
            SctpWire.WriteChunkHeader(chunk, SctpWire.Init, 0, length);
            return WriteAlone(packet, chunk[..length], 0);
        }
        length = SctpWire.ChunkHeaderBytes + _peerCookie!.Length;
        SctpWire.WriteChunkHeader(chunk, SctpWire.CookieEcho, 0, length);
        _peerCookie.CopyTo(chunk[SctpWire.ChunkHeaderBytes..]);
        return WriteAlone(packet, chunk[..SctpWire.Padded(length)], _peerTag);
    }

    /// <summary>SACK, FORWARD TSN and DATA in one packet.</summary>
    private int WriteBundle(Span<byte> packet, MonoTime now)
    {
        int at = SctpWire.HeaderBytes;
        if (_receiver!.IsAckDue(now) || (_receiver.HasAckPending && _sender.HasUnsent))
        {
            at += _receiver.WriteSack(packet[at..]);
        }
        if (_sender.HasForward)
        {
            at += _sender.WriteForward(packet[at..], now);
        }
        at += _sender.WriteData(packet[at..], now);
        if (at == SctpWire.HeaderBytes)
        {
            return 0;
        }
        SctpWire.WriteHeader(packet, _peerTag);
        SctpWire.Seal(packet[..at]);
        return at;
    }

    private uint NonZero()
    {
        Span<byte> bytes = stackalloc byte[4];
        _random.Fill(bytes);
        return Math.Max(1, BinaryPrimitives.ReadUInt32BigEndian(bytes));
    }

    private sealed record Control(byte[] Chunk, uint Tag);
}
