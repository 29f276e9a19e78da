using System;
using Proxy.Audio.Codecs;
using Proxy.Bridge.Records;
using Proxy.Core;
using Proxy.Core.Diagnostics;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Participant;
using Proxy.Rtp.Dtmf;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Srtp;
using Proxy.WebRtc;

namespace Proxy.Bridge.Media;

/// <summary>
/// Shard. The media of one call, both legs: made by the signal thread, given to a shard with <see cref="Attach"/>, owned by
/// it until <see cref="CallCommandKind.Close"/>. No socket and no clock: datagrams and time come in, datagrams go out
/// through <see cref="IMediaIo"/>.
/// </summary>
public sealed class CallMedia
{
    private const int StaticNoisePayloadType = 13;
    private readonly Limits _limits;
    private readonly CallMediaOptions _options;
    private readonly DtmfReceiver _dtmf = new();
    private readonly SipRtcp _rtcp = new();
    private readonly byte[] _cname;
    private IMediaIo? _io;
    private Uplink? _uplink;
    private Downlink? _downlink;
    private SipAudio? _audio;
    private SrtpSession? _srtp;
    private SourceLatch _latch;
    private RoomCodec? _roomCodec;
    private int _roomNumber;
    private MonoTime _startedAt;
    private long _heardMicros;
    private bool _isDeaf;
    private bool _isTimeoutResting;
    private bool _hasHeard;
    private bool _hasTimedOut;
    private bool _isStopped;

    public CallMedia(Limits limits, CallMediaOptions options)
    {
        _limits = limits;
        _options = options;
        _cname = System.Text.Encoding.ASCII.GetBytes(options.Cname);
        Reservation = options.Reservation;
        Scratch = null!;
    }

    public MediaReservation Reservation { get; }

    /// <summary>Place of the call on its shard; the runtime's.</summary>
    public int ShardSlot { get; set; } = -1;

    /// <summary>Given back with every event; the runtime's.</summary>
    public Proxy.Core.Collections.SlotId Call { get; set; }

    public MediaReport Report { get; } = new();

    /// <summary>The room that is or was joined last; null before <see cref="CallCommandKind.OpenRoom"/>.</summary>
    public RoomMedia? Room { get; private set; }

    public MediaScratch Scratch { get; private set; }

    /// <summary>Audio runs: the loop calls <see cref="Tick"/> every 20 ms.</summary>
    public bool IsRunning => _audio is not null;

    /// <summary>A shard has it.</summary>
    public bool IsAttached => _io is not null;

    /// <summary>Any thread may read. When the caller was heard last, or began to be listened to; zero before.</summary>
    public MonoTime HeardAt => new(System.Threading.Volatile.Read(ref _heardMicros));

    /// <summary>The earliest time at which <see cref="HandleTimeout"/> has work; the 20 ms grid comes on top.</summary>
    public MonoTime NextDeadline => MonoTime.Min(Room?.NextDeadline ?? MonoTime.Never, _uplink?.NextDeadline ?? MonoTime.Never);

    /// <summary>Gives the media to its shard.</summary>
    public void Attach(IMediaIo io, MediaScratch scratch, Proxy.Core.Memory.PacketSlab slab)
    {
        _io = io;
        Scratch = scratch;
        _uplink = new Uplink(_limits, slab, _options.Opus);
        _downlink = new Downlink(_limits, slab, _options.SipSsrc, _options.SipSequence, _options.SipTimestamp);
    }

    public void Handle(in CallCommand command, MonoTime now)
    {
        switch (command.Kind)
        {
            case CallCommandKind.OpenRoom:
                OpenRoom((Func<MonoTime, RoomMedia>)command.Payload!, now);
                break;
            case CallCommandKind.Room when Room is null:
                Invariant.Fail("a room's command comes after the room");
                break;
            case CallCommandKind.Room:
                Room.Handle((MediaCommand)command.Payload!, now);
                ConfigureUplink();
                Pump(now);
                break;
            case CallCommandKind.StartSip:
                Start((SipAudio)command.Payload!, now);
                break;
            case CallCommandKind.Renegotiate:
                Renegotiate((SipAudio)command.Payload!, now);
                break;
            case CallCommandKind.SendDtmf:
                _downlink!.TryQueueDigits((string)command.Payload!);
                break;
            case CallCommandKind.Play:
                _downlink!.Play((Playback?)command.Payload);
                break;
            case CallCommandKind.Deafen:
                _isDeaf = (bool)command.Payload!;
                break;
            case CallCommandKind.RestTimeout:
                _isTimeoutResting = (bool)command.Payload!;
                SetHeard(now);
                break;
            case CallCommandKind.StopSip:
                _isStopped = true;
                break;
            case CallCommandKind.Close:
                Close(now);
                break;
            default:
                Invariant.Fail("a media command of no known kind");
                break;
        }
    }

    /// <summary>One datagram on the port towards the caller.</summary>
    [NoAlloc]
    public void HandleSip(Span<byte> datagram, in NetEndPoint from, MonoTime now)
    {
        if (_isStopped)
        {
            // What crosses our goodbye belongs to no call any more.
            return;
        }
        Report.SipPacketsIn++;
        Report.SipBytesIn += datagram.Length;
        SipAudio? audio = _audio;
        PacketClass kind = Demux.Of(datagram);
        if (audio is null || kind is not (PacketClass.Rtp or PacketClass.Rtcp))
        {
            Report.Unreadable++;
            return;
        }
        if (_srtp is not null && !Unprotect(kind, ref datagram))
        {
            return;
        }
        if (kind == PacketClass.Rtcp)
        {
            HandleRtcp(datagram, from, now);
        }
        else
        {
            HandleRtp(datagram, audio, from, now);
        }
    }

    /// <summary>One datagram on the port towards the room server.</summary>
    [NoAlloc]
    public void HandleRoom(Span<byte> datagram, in NetEndPoint from, MonoTime now)
    {
        if (Room is null)
        {
            return;
        }
        RoomPacket packet = Room.HandleDatagram(datagram, from, now);
        if (packet.Kind == RoomPacketKind.Audio)
        {
            Report.RoomPacketsIn++;
            // What the room says before the answer has nobody to hear it.
            if (_audio is not null && RtpView.TryParse(datagram[..packet.Length], out RtpView view, out _))
            {
                _downlink!.Push(packet.Slot, view, this, now);
            }
            return;
        }
        Pump(now);
    }

    /// <summary>The 20 ms grid of a running call.</summary>
    [NoAlloc]
    public void Tick(MonoTime now)
    {
        if (_isStopped)
        {
            return;
        }
        SipAudio audio = _audio!;
        _downlink!.Tick(this, audio.Sends, now);
        _uplink!.Tick(this, now);
        int report = _rtcp.TryWrite(Scratch.Packet, _downlink.Sent, _downlink.Ssrc, _cname, now);
        if (report > 0)
        {
            SendRtcp(report, audio);
        }
        CheckTimeout(audio, now);
    }

    public void HandleTimeout(MonoTime now)
    {
        _uplink!.HandleTimeout(this, now);
        Room?.HandleTimeout(now);
        Pump(now);
    }

    /// <summary>Sends <see cref="MediaScratch.Packet"/> to the caller.</summary>
    /// <param name="length">Bytes of the plain RTP packet.</param>
    [NoAlloc]
    internal void SendSip(int length)
    {
        if (_srtp is not null)
        {
            length = _srtp.ProtectRtp(Scratch.Packet, length);
        }
        if (length > 0 && _io!.Send(this, MediaSide.Sip, Scratch.Packet.AsSpan(0, length), _latch.SendTo))
        {
            Report.SipPacketsOut++;
            Report.SipBytesOut += length;
        }
        else
        {
            Report.SendFailures++;
        }
    }

    /// <summary>Sends <see cref="MediaScratch.Packet"/>, already encrypted, to the room.</summary>
    /// <param name="length">Bytes; 0 when the track could not take the frame.</param>
    [NoAlloc]
    internal void SendRoom(int length)
    {
        if (length > 0 && Room is not null && _io!.Send(this, MediaSide.Room, Scratch.Packet.AsSpan(0, length), Room.Remote))
        {
            Report.RoomPacketsOut++;
        }
        else
        {
            Report.SendFailures++;
        }
    }

    internal void Emit(in CallEvent callEvent) => _io!.Emit(this, callEvent);

    private bool Unprotect(PacketClass kind, ref Span<byte> datagram)
    {
        SrtpVerdict verdict = kind == PacketClass.Rtp
            ? _srtp!.UnprotectRtp(datagram, out int length)
            : _srtp!.UnprotectRtcp(datagram, out length);
        if (verdict == SrtpVerdict.Ok)
        {
            datagram = datagram[..length];
            return true;
        }
        if (verdict == SrtpVerdict.Replayed)
        {
            Report.Duplicates++;
        }
        else if (verdict == SrtpVerdict.Malformed)
        {
            // RTCP in clear: baresip says hello and goodbye so, before it has keys and after it threw them away. No key is wrong.
            Report.Unreadable++;
        }
        else
        {
            Report.SrtpFailures++;
        }
        return false;
    }

    private void HandleRtp(ReadOnlySpan<byte> datagram, SipAudio audio, in NetEndPoint from, MonoTime now)
    {
        if (!RtpView.TryParse(datagram, out RtpView packet, out _))
        {
            Report.Unreadable++;
            return;
        }
        int payloadType = packet.PayloadType;
        bool isEvent = payloadType == audio.DtmfPayloadType;
        bool isNoise = payloadType is StaticNoisePayloadType || payloadType == audio.NoisePayloadType;
        if (payloadType != audio.PayloadType && !isEvent && !isNoise)
        {
            Report.Unreadable++;
            return;
        }
        if (_latch.Check(from, packet.Ssrc, packet.SequenceNumber, now) != LatchVerdict.Accept)
        {
            Report.Foreign++;
            return;
        }
        Hear(packet, now);
        if (isEvent)
        {
            HandleEvent(packet, now);
        }
        else if (_isDeaf)
        {
            // Nobody in the room hears a caller who still hears ringing.
            return;
        }
        else if (isNoise)
        {
            _uplink!.TakeOut(packet, this, now);
        }
        else
        {
            _uplink!.Push(packet, this, now);
        }
    }

    private void Hear(in RtpView packet, MonoTime now)
    {
        SetHeard(now);
        _rtcp.Received.OnPacket(packet.Ssrc, packet.SequenceNumber, packet.Timestamp, now);
        if (!_hasHeard)
        {
            _hasHeard = true;
            Report.FirstPacketMs = (now - _startedAt).TotalMilliseconds;
            Emit(new CallEvent(CallEventKind.FirstPacket, 0, null));
        }
    }

    private void HandleEvent(in RtpView packet, MonoTime now)
    {
        if (_dtmf.Receive(packet, out char digit) == DtmfVerdict.Digit)
        {
            Report.DtmfIn++;
            Emit(new CallEvent(CallEventKind.Dtmf, digit, null));
        }
        if (!_isDeaf)
        {
            _uplink!.TakeOut(packet, this, now);
        }
    }

    internal void SetHeard(MonoTime now) => System.Threading.Volatile.Write(ref _heardMicros, now.Micros);

    private void HandleRtcp(ReadOnlySpan<byte> datagram, in NetEndPoint from, MonoTime now)
    {
        // Reports are only statistics, yet a stranger's are none of ours.
        if (from.Address != _latch.SendTo.Address)
        {
            Report.Foreign++;
            return;
        }
        _rtcp.Handle(datagram, _downlink!.Sent, _downlink.Ssrc, now);
    }

    private void Start(SipAudio audio, MonoTime now)
    {
        _startedAt = now;
        SetHeard(now);
        _latch = new SourceLatch(audio.Remote, audio.SignallingSource);
        _rtcp.Start(now);
        Apply(audio);
    }

    private void Renegotiate(SipAudio audio, MonoTime now)
    {
        if (_audio is null)
        {
            Start(audio, now);
            return;
        }
        _latch.Renegotiate(audio.Remote);
        SetHeard(now);
        _hasTimedOut = false;
        Apply(audio);
    }

    private void Apply(SipAudio audio)
    {
        bool sameKeys = _audio is not null && _audio.Srtp == audio.Srtp
            && _audio.LocalKeyAndSalt.Span.SequenceEqual(audio.LocalKeyAndSalt.Span)
            && _audio.RemoteKeyAndSalt.Span.SequenceEqual(audio.RemoteKeyAndSalt.Span);
        bool sameCodec = _audio is not null && _audio.Law == audio.Law && _audio.PayloadType == audio.PayloadType;
        if (!sameKeys)
        {
            _srtp?.Dispose();
            _srtp = audio.Srtp is { } profile
                ? new SrtpSession(profile, audio.LocalKeyAndSalt.Span, audio.RemoteKeyAndSalt.Span)
                : null;
        }
        _audio = audio;
        _downlink!.Configure(audio);
        if (!sameCodec)
        {
            _roomCodec = null;
        }
        ConfigureUplink();
    }

    private void ConfigureUplink()
    {
        if (_audio is null || Room?.Track.Codec is not { } codec || codec == _roomCodec)
        {
            return;
        }
        _roomCodec = codec;
        _uplink!.Configure(_audio.Law, _audio.PayloadType, codec, Room.Track);
    }

    private void CheckTimeout(SipAudio audio, MonoTime now)
    {
        TimeSpan limit = _hasHeard ? audio.MediaTimeout : audio.MediaTimeoutInitial;
        // A caller on hold may play music or nothing at all: silence then means nothing.
        bool isHeld = !audio.Receives || !audio.Sends;
        if (_hasTimedOut || _isTimeoutResting || isHeld || limit <= TimeSpan.Zero || now - HeardAt < limit)
        {
            return;
        }
        _hasTimedOut = true;
        Emit(new CallEvent(CallEventKind.MediaTimeout, _hasHeard ? 0 : 1, null));
    }

    private void SendRtcp(int length, SipAudio audio)
    {
        if (_srtp is not null)
        {
            length = _srtp.ProtectRtcp(Scratch.Packet, length);
        }
        // Behind NAT the caller's RTCP address is as private as its RTP address; the latched address is where it lives.
        NetEndPoint to = _latch.SendTo == audio.Remote ? audio.RemoteRtcp : _latch.SendTo;
        if (length > 0)
        {
            _io!.Send(this, MediaSide.Sip, Scratch.Packet.AsSpan(0, length), to);
        }
    }

    private void Pump(MonoTime now)
    {
        while (Room is not null && Room.TryPollDatagram(Scratch.Packet, out int length, out NetEndPoint to))
        {
            _io!.Send(this, MediaSide.Room, Scratch.Packet.AsSpan(0, length), to);
        }
        while (Room is not null && Room.TryPollEvent(out PeerEvent peerEvent))
        {
            Emit(new CallEvent(CallEventKind.Peer, _roomNumber, peerEvent));
        }
        _ = now;
    }

    /// <summary>The first room, or the one that is joined instead of it.</summary>
    private void OpenRoom(Func<MonoTime, RoomMedia> make, MonoTime now)
    {
        CloseRoom(now);
        _uplink!.Dispose();
        _downlink!.Dispose();
        _roomCodec = null;
        _roomNumber++;
        Room = make(now);
        Pump(now);
    }

    private void CloseRoom(MonoTime now)
    {
        if (Room is null)
        {
            return;
        }
        Room.Handle(new MediaCommand(MediaCommandKind.Close), now);
        Pump(now);
        for (int slot = 0; slot < RoomMedia.RemoteSlots; slot++)
        {
            Report.RoomLost += Math.Max(0, Room.RemoteAt(slot).Statistics.Lost);
        }
        Room.Dispose();
    }

    private void Close(MonoTime now)
    {
        _audio = null;
        CloseRoom(now);
        Report.SipLost = Math.Max(0, _rtcp.Received.Lost);
        Report.SipJitterMs = _rtcp.Received.JitterMs;
        Report.IsPassthrough = _uplink!.IsPassthrough;
        _uplink.Dispose();
        _downlink!.Dispose();
        _srtp?.Dispose();
        _srtp = null;
        Emit(new CallEvent(CallEventKind.Closed, 0, Report));
    }
}

/// <summary>Any thread. How a call's media is made.</summary>
public sealed record CallMediaOptions
{
    public required MediaReservation Reservation { get; init; }

    public required string Cname { get; init; }

    public required uint SipSsrc { get; init; }

    public required ushort SipSequence { get; init; }

    public required uint SipTimestamp { get; init; }

    public OpusOptions Opus { get; init; } = new();
}
