using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using Proxy.Core.Diagnostics;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Rtp.Srtp;
using Proxy.WebRtc.Dtls;
using Proxy.WebRtc.Ice;
using Proxy.WebRtc.Sctp;
using Proxy.WebRtc.Stun;

namespace Proxy.WebRtc;

/// <summary>
/// One owner (a shard or the room loop). One peer transport as a machine: ICE, DTLS, SRTP and data channels over one
/// UDP flow; no socket, no clock.
/// </summary>
/// <remarks>
/// RFC 8827 §6.5, RFC 7983. DTLS starts only over a pair that ICE has validated; DTLS and media from any other address are
/// dropped and counted. After every Handle, Set, Send, Close and timeout the owner drains <see cref="TryPollDatagram"/> and
/// <see cref="TryPollEvent"/>.
/// </remarks>
public sealed class PeerConnection : IDisposable
{
    /// <summary>Events that wait for the owner, more than one packet can free at once; data messages beyond are dropped and counted.</summary>
    private const int EventsMax = 2 * SctpLimits.InboundChunks;

    private const int FingerprintBytes = 32;

    /// <summary>Largest decrypted record that is read; a datagram holds no more.</summary>
    private const int ReadBytes = 1_500;

    private readonly IDtlsFactory _dtlsFactory;
    private readonly IRandom _random;
    private readonly IceAgent _ice;
    private readonly Queue<PeerEvent> _events = new();
    private RemoteDescription? _remote;
    private IDtls? _dtls;
    private SrtpSession? _srtp;
    private ISctp? _sctp;
    private DataChannels? _channels;
    private byte[]? _earlyDtls;
    private MonoTime _now;
    private MonoTime _connectEnd = MonoTime.Never;
    private bool _isDtlsClient;
    private bool _isSctpBusy;
    private bool _isDisposed;

    /// <param name="options">Our side.</param>
    /// <param name="dtls">The process's <see cref="DtlsIdentity"/>; a plain double in tests with virtual time.</param>
    /// <param name="random">Transaction ids, tie-breaker, tags.</param>
    /// <param name="now">Start of its life.</param>
    public PeerConnection(PeerOptions options, IDtlsFactory dtls, IRandom random, MonoTime now)
    {
        Options = options;
        _dtlsFactory = dtls;
        _random = random;
        _now = now;
        _ice = new IceAgent(options.Local, !options.IsControlling, random, Counters);
    }

    public PeerOptions Options { get; }

    /// <summary>What was dropped, and why.</summary>
    public PeerCounters Counters { get; } = new();

    public PeerState State { get; private set; }

    /// <summary>Where media is sent: the selected pair's remote side; unset before.</summary>
    public NetEndPoint Remote => _ice.Selected;

    /// <summary>The SRTP profile in use; null before Connected.</summary>
    public SrtpProfile? SrtpProfile => _srtp?.Profile;

    /// <summary>Whether a DTLS handshake runs; then a datagram for which <see cref="IsDtls"/> holds costs up to 0.4 ms (at most two a turn).</summary>
    public bool IsHandshaking => State == PeerState.Connecting && _remote is not null;

    /// <summary>The earliest time at which <see cref="HandleTimeout"/> has work.</summary>
    public MonoTime NextDeadline
    {
        get
        {
            if (State is PeerState.Failed or PeerState.Closed)
            {
                return MonoTime.Never;
            }
            MonoTime next = MonoTime.Min(_connectEnd, _ice.NextDeadline);
            next = _dtls is null ? next : MonoTime.Min(next, _dtls.NextDeadline);
            return _sctp is null ? next : MonoTime.Min(next, _sctp.NextDeadline);
        }
    }

    /// <summary>RFC 7983: whether a datagram's first byte says DTLS.</summary>
    public static bool IsDtls(ReadOnlySpan<byte> datagram) => !datagram.IsEmpty && datagram[0] is >= 20 and <= 63;

    /// <summary>The ICE user fragment before the colon of a STUN request's USERNAME: which of our peers behind a shared socket it is meant for.</summary>
    /// <param name="datagram">A datagram as received; nothing in it is verified.</param>
    /// <param name="localUfrag">Our fragment, ASCII, borrowed from the datagram.</param>
    /// <returns>False when it is no STUN request with a USERNAME.</returns>
    public static bool TryReadLocalUfrag(ReadOnlySpan<byte> datagram, out ReadOnlySpan<byte> localUfrag)
    {
        localUfrag = default;
        if (!StunView.TryParse(datagram, out StunView message, out _) || message.Type != StunMessageType.BindingRequest)
        {
            return false;
        }
        ReadOnlySpan<byte> username = message.Username;
        int colon = username.IndexOf((byte)':');
        if (colon <= 0)
        {
            return false;
        }
        localUfrag = username[..colon];
        return true;
    }

    /// <summary>New own credentials (an ICE restart that our SDP announces); the old ones stay good for incoming checks until the next restart.</summary>
    public void SetLocalCredentials(IceCredentials local, MonoTime now)
    {
        _now = now;
        _ice.SetLocal(local);
    }

    /// <summary>Sets the other side's ICE and DTLS parameters; may come after its first STUN checks. A second call with other ICE credentials restarts ICE.</summary>
    public void SetRemote(RemoteDescription remote, MonoTime now)
    {
        _now = now;
        if (State is PeerState.Failed or PeerState.Closed)
        {
            return;
        }
        bool isFirst = _remote is null;
        _remote = remote;
        _ice.SetRemote(remote.Ice, now);
        for (int i = 0; i < remote.Candidates.Count; i++)
        {
            _ice.AddCandidate(remote.Candidates[i], now);
        }
        if (isFirst)
        {
            _isDtlsClient = ResolveRole(Options.Setup, remote.Setup);
            _connectEnd = now + Options.ConnectTimeout;
        }
        _ice.HandleTimeout(now);
        StartDtlsWhenReady();
    }

    /// <summary>A trickled UDP candidate.</summary>
    public void AddRemoteCandidate(in NetEndPoint candidate, MonoTime now)
    {
        _now = now;
        _ice.AddCandidate(candidate, now);
        _ice.HandleTimeout(now);
    }

    /// <summary>Handles one datagram in place. For Rtp and Rtcp the plain packet is <c>datagram[..length]</c>.</summary>
    /// <param name="datagram">As received; at most 1,500 bytes.</param>
    /// <param name="from">Whence it came.</param>
    /// <param name="now">This turn's time.</param>
    /// <param name="length">Bytes of the plain packet; 0 unless Rtp or Rtcp.</param>
    [NoAlloc]
    public PacketKind HandleDatagram(Span<byte> datagram, in NetEndPoint from, MonoTime now, out int length)
    {
        _now = now;
        length = 0;
        if (State is PeerState.Failed or PeerState.Closed)
        {
            return PacketKind.Dropped;
        }
        if (datagram.Length < 2)
        {
            Counters.Unknown++;
            return PacketKind.Dropped;
        }
        return datagram[0] switch
        {
            >= 128 and <= 191 => HandleMedia(datagram, from, out length),
            <= 3 => HandleStun(datagram, from),
            >= 20 and <= 63 => HandleDtls(datagram, from),
            _ => DropUnknown(),
        };
    }

    /// <summary>Encrypts an RTP packet in place.</summary>
    /// <param name="buffer">Holds the plain packet and at least 16 bytes of room behind it.</param>
    /// <param name="length">Bytes of the plain packet.</param>
    /// <returns>Bytes of the SRTP packet; 0 when not connected or it does not fit.</returns>
    [NoAlloc]
    public int ProtectRtp(Span<byte> buffer, int length) =>
        State == PeerState.Connected ? _srtp!.ProtectRtp(buffer, length) : 0;

    /// <summary>As <see cref="ProtectRtp"/>, for RTCP (20 bytes of room).</summary>
    [NoAlloc]
    public int ProtectRtcp(Span<byte> buffer, int length) =>
        State == PeerState.Connected ? _srtp!.ProtectRtcp(buffer, length) : 0;

    /// <summary>Next datagram to send (STUN, DTLS, SCTP); drain until false after every Handle and timeout.</summary>
    /// <param name="buffer">At least 1,200 bytes.</param>
    [NoAlloc]
    public bool TryPollDatagram(Span<byte> buffer, out int length, out NetEndPoint to)
    {
        if (_ice.HasOutput && State != PeerState.Failed && _ice.TryPoll(buffer, _now, out length, out to))
        {
            return true;
        }
        length = 0;
        to = _ice.Selected;
        if (_dtls is null || !_ice.HasSelected)
        {
            return false;
        }
        return _dtls.TryPollDatagram(buffer, out length) || (_isSctpBusy && TryPollSctp(buffer, out length));
    }

    /// <summary>Next event; drain until false.</summary>
    public bool TryPollEvent(out PeerEvent peerEvent) => _events.TryDequeue(out peerEvent);

    public void HandleTimeout(MonoTime now)
    {
        _now = now;
        if (State is PeerState.Failed or PeerState.Closed)
        {
            return;
        }
        _ice.HandleTimeout(now);
        if (_ice.IsLost)
        {
            Fail("ICE consent lost");
            return;
        }
        if (now >= _connectEnd)
        {
            Fail(_ice.HasSelected ? "DTLS handshake took too long" : "no ICE pair answered");
            return;
        }
        if (_dtls is not null && now >= _dtls.NextDeadline)
        {
            _dtls.HandleTimeout(now);
            AfterDtls();
        }
        if (_sctp is not null && now >= _sctp.NextDeadline)
        {
            _sctp.HandleTimeout(now);
            PumpChannels();
        }
    }

    /// <summary>Sends a binary message.</summary>
    /// <returns>False when the channel is not open or its send buffer is full.</returns>
    public bool SendData(string label, ReadOnlySpan<byte> payload, MonoTime now)
    {
        _now = now;
        if (State != PeerState.Connected || _channels is null || !_channels.TrySend(label, payload, now))
        {
            return false;
        }
        _isSctpBusy = true;
        return true;
    }

    /// <summary>Queues a DTLS close_notify; poll datagrams once more, then dispose.</summary>
    public void Close(MonoTime now)
    {
        _now = now;
        if (State is PeerState.Failed or PeerState.Closed)
        {
            return;
        }
        if (_sctp is not null && _dtls is not null)
        {
            SayAbort(now);
        }
        _dtls?.Close(now);
        State = PeerState.Closed;
    }

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }
        _isDisposed = true;
        State = State == PeerState.Failed ? PeerState.Failed : PeerState.Closed;
        _ice.Dispose();
        _dtls?.Dispose();
        _srtp?.Dispose();
        _dtls = null;
        _srtp = null;
    }

    /// <summary>The ABORT is encrypted before close_notify ends the DTLS association.</summary>
    private void SayAbort(MonoTime now)
    {
        Span<byte> packet = stackalloc byte[SctpLimits.PacketBytes];
        _sctp!.Abort(now);
        if (_sctp.TryPollPacket(packet, now, out int length))
        {
            _dtls!.Send(packet[..length], now);
        }
    }

    /// <summary>RFC 8842 §5.2, RFC 4145 §4.1.</summary>
    /// <returns>Whether we are the DTLS client.</returns>
    private static bool ResolveRole(SetupRole ours, SetupRole theirs) => ours switch
    {
        SetupRole.Active => true,
        SetupRole.Passive => false,
        _ => theirs == SetupRole.Passive,
    };

    private PacketKind DropUnknown()
    {
        Counters.Unknown++;
        return PacketKind.Dropped;
    }

    private PacketKind HandleMedia(Span<byte> datagram, in NetEndPoint from, out int length)
    {
        length = 0;
        if (_srtp is null)
        {
            Counters.SrtpTooEarly++;
            return PacketKind.Dropped;
        }
        if (!_ice.IsKnown(from))
        {
            Counters.Unvalidated++;
            return PacketKind.Dropped;
        }
        // RFC 5761 §4: the second byte of RTCP is 192–223, where RTP would have payload types 64–95 with the marker.
        bool isRtcp = datagram[1] is >= 192 and <= 223;
        SrtpVerdict verdict = isRtcp ? _srtp.UnprotectRtcp(datagram, out length) : _srtp.UnprotectRtp(datagram, out length);
        if (verdict != SrtpVerdict.Ok)
        {
            Counters.SrtpRefused++;
            length = 0;
            return PacketKind.Dropped;
        }
        return isRtcp ? PacketKind.Rtcp : PacketKind.Rtp;
    }

    private PacketKind HandleStun(Span<byte> datagram, in NetEndPoint from)
    {
        bool isHandled = _ice.Handle(datagram, from, _now);
        StartDtlsWhenReady();
        return isHandled ? PacketKind.Consumed : PacketKind.Dropped;
    }

    private PacketKind HandleDtls(Span<byte> datagram, in NetEndPoint from)
    {
        if (!_ice.IsKnown(from))
        {
            Counters.Unvalidated++;
            return PacketKind.Dropped;
        }
        if (_dtls is null)
        {
            // The peer's ClientHello may overtake the answer to our check: one is kept, so that no retransmission is waited for.
            Counters.DtlsTooEarly += _earlyDtls is null ? 0 : 1;
            _earlyDtls = datagram.ToArray();
            return PacketKind.Consumed;
        }
        _dtls.HandleDatagram(datagram, _now);
        AfterDtls();
        return PacketKind.Consumed;
    }

    private void StartDtlsWhenReady()
    {
        if (_dtls is not null || _remote is null || !_ice.HasSelected)
        {
            return;
        }
        _dtls = _dtlsFactory.Create(_isDtlsClient);
        _dtls.Start(_now);
        if (_earlyDtls is not null)
        {
            _dtls.HandleDatagram(_earlyDtls, _now);
            _earlyDtls = null;
        }
        AfterDtls();
    }

    private void AfterDtls()
    {
        if (_dtls!.State == DtlsState.Connected && _srtp is null)
        {
            FinishHandshake();
        }
        ReadData();
        if (_dtls.State == DtlsState.Failed)
        {
            Fail("DTLS handshake failed");
        }
        else if (_dtls.State == DtlsState.Closed && State != PeerState.Failed)
        {
            State = PeerState.Closed;
            Emit(new PeerEvent(PeerEventKind.Closed, null, null, null));
        }
    }

    private void FinishHandshake()
    {
        Span<byte> fingerprint = stackalloc byte[FingerprintBytes];
        if (!_dtls!.TryGetPeerFingerprint(fingerprint)
            || !CryptographicOperations.FixedTimeEquals(fingerprint, _remote!.FingerprintSha256.Span))
        {
            _dtls.Close(_now);
            Fail("the DTLS certificate does not have the signalled fingerprint");
            return;
        }
        _srtp = SrtpKeying.TryCreate(_dtls, _isDtlsClient);
        if (_srtp is null)
        {
            _dtls.Close(_now);
            Fail("no common SRTP profile");
            return;
        }
        State = PeerState.Connected;
        _connectEnd = MonoTime.Never;
        Emit(new PeerEvent(PeerEventKind.Connected, null, null, null));
        if (Options.HasData)
        {
            _sctp = new SctpAssociation(_random, Counters);
            _channels = new DataChannels(_sctp, _isDtlsClient, Options.OpenChannels, Counters);
            _sctp.Start(_now);
            _isSctpBusy = true;
        }
    }

    private void ReadData()
    {
        Span<byte> buffer = stackalloc byte[ReadBytes];
        while (_dtls!.TryReadData(buffer, out int length))
        {
            _sctp?.HandlePacket(buffer[..length], _now);
            PumpChannels();
        }
    }

    private void PumpChannels()
    {
        if (_channels is null)
        {
            return;
        }
        _isSctpBusy = true;
        _channels.Pump(_now);
        while (_channels.TryPollEvent(out PeerEvent peerEvent))
        {
            Emit(peerEvent);
        }
    }

    private bool TryPollSctp(Span<byte> buffer, out int length)
    {
        Span<byte> packet = stackalloc byte[SctpLimits.PacketBytes];
        while (_sctp!.TryPollPacket(packet, _now, out int plain))
        {
            if (_dtls!.Send(packet[..plain], _now) && _dtls.TryPollDatagram(buffer, out length))
            {
                return true;
            }
        }
        _isSctpBusy = false;
        length = 0;
        return false;
    }

    private void Fail(string reason)
    {
        if (State is PeerState.Failed or PeerState.Closed)
        {
            return;
        }
        State = PeerState.Failed;
        Emit(new PeerEvent(PeerEventKind.Failed, null, null, reason));
    }

    private void Emit(in PeerEvent peerEvent)
    {
        if (_events.Count >= EventsMax && peerEvent.Kind == PeerEventKind.Data)
        {
            Counters.EventsLost++;
            return;
        }
        _events.Enqueue(peerEvent);
    }
}
