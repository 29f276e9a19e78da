using System;
using System.Text;
using Proxy.Core.Diagnostics;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Participant.Tracks;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Rtcp;
using Proxy.WebRtc;

namespace Proxy.Participant;

/// <summary>Shard. What <see cref="RoomMedia.HandleDatagram"/> made of a datagram.</summary>
public enum RoomPacketKind
{
    /// <summary>The plain RTP packet of <see cref="RoomPacket.Slot"/> lies in the first <see cref="RoomPacket.Length"/> bytes.</summary>
    Audio,

    /// <summary>STUN, DTLS, SCTP or RTCP: handled; poll for datagrams and events.</summary>
    Consumed,

    /// <summary>Dropped and counted, in <see cref="RoomMedia.Counters"/> or the peer's.</summary>
    Dropped,
}

/// <summary>Shard. One datagram's fate.</summary>
/// <param name="Slot">Index for <see cref="RoomMedia.RemoteAt"/>; -1 when not audio.</param>
/// <param name="Length">Bytes of the plain RTP packet; 0 when not audio.</param>
/// <param name="Codec">Of the packet's payload type.</param>
public readonly record struct RoomPacket(RoomPacketKind Kind, int Slot, int Length, RoomCodec Codec);

/// <summary>Shard. One participant's media: the peer transport, the published track and the remote tracks.</summary>
public sealed class RoomMedia : IDisposable
{
    /// <summary>Remote tracks that can be heard at once; more are not mixed and counted.</summary>
    public const int RemoteSlots = 16;

    private const long ReportIntervalMs = 5_000;
    private const long FirstReportMs = 1_000;

    private readonly PeerConnection _peer;
    private readonly uint _ssrc;
    private readonly byte[] _cname;
    private readonly RemoteAudio[] _remotes = new RemoteAudio[RemoteSlots];
    private readonly uint[] _ssrcs = new uint[RemoteSlots];
    private MonoTime _reportAt = MonoTime.Never;
    private MonoTime _now;
    private uint _jitter;
    private bool _isReportDue;

    /// <param name="peer">The transport; owned and disposed here. Options: controlling, ActPass, HasData, channels <c>_reliable</c>, <c>_lossy</c>.</param>
    /// <param name="ssrc">As in <see cref="RoomJoin.Ssrc"/>.</param>
    /// <param name="cname">As in <see cref="RoomJoin.Cname"/>.</param>
    /// <param name="firstSequence">Random start of our sequence numbers.</param>
    /// <param name="firstTimestamp">Random start of our timestamps.</param>
    public RoomMedia(PeerConnection peer, uint ssrc, string cname, ushort firstSequence, uint firstTimestamp)
    {
        _peer = peer;
        _ssrc = ssrc;
        _cname = Encoding.ASCII.GetBytes(cname);
        _jitter = firstTimestamp;
        Track = new AudioTrack(peer, ssrc, firstSequence, firstTimestamp);
        for (int i = 0; i < RemoteSlots; i++)
        {
            _remotes[i] = new RemoteAudio();
        }
    }

    public PeerState State => _peer.State;

    /// <summary>The transport's own counters.</summary>
    public PeerCounters PeerCounters => _peer.Counters;

    public RoomMediaCounters Counters { get; } = new();

    /// <summary>A DTLS handshake runs: see <see cref="PeerConnection.IsHandshaking"/>.</summary>
    public bool IsHandshaking => _peer.IsHandshaking;

    /// <summary>Where the datagrams of <see cref="Track"/> are sent; unset before the transport is up.</summary>
    public NetEndPoint Remote => _peer.Remote;

    public MonoTime NextDeadline => MonoTime.Min(_reportAt, _peer.NextDeadline);

    /// <summary>The published track.</summary>
    public AudioTrack Track { get; }

    /// <summary>A remote track's slot, 0 ≤ slot &lt; <see cref="RemoteSlots"/>.</summary>
    public RemoteAudio RemoteAt(int slot) => _remotes[slot];

    /// <summary>Carries out a command of the signal side.</summary>
    public void Handle(MediaCommand command, MonoTime now)
    {
        switch (command.Kind)
        {
            case MediaCommandKind.SetRemote:
                _peer.SetRemote(command.Remote!, now);
                break;
            case MediaCommandKind.AddCandidate:
                _peer.AddRemoteCandidate(command.Candidate, now);
                break;
            case MediaCommandKind.SetPublish:
                Track.SetPublish(command.Publish!);
                break;
            case MediaCommandKind.SetDownTracks:
                SetDownTracks(command);
                break;
            case MediaCommandKind.SendData:
                Counters.DataRefused += _peer.SendData(command.Label!, command.Payload!, now) ? 0 : 1;
                break;
            case MediaCommandKind.Close:
                _reportAt = MonoTime.Never;
                _peer.Close(now);
                break;
            default:
                Invariant.Fail("a media command has a known kind");
                break;
        }
    }

    /// <summary>Handles one datagram from the room server in place.</summary>
    [NoAlloc]
    public RoomPacket HandleDatagram(Span<byte> datagram, in NetEndPoint from, MonoTime now)
    {
        switch (_peer.HandleDatagram(datagram, from, now, out int length))
        {
            case PacketKind.Rtp:
                return Demultiplex(datagram[..length], now);
            case PacketKind.Rtcp:
                ReadReports(datagram[..length], now);
                return Without(RoomPacketKind.Consumed);
            case PacketKind.Consumed:
                StartReports(now);
                return Without(RoomPacketKind.Consumed);
            default:
                return Without(RoomPacketKind.Dropped);
        }
    }

    public void HandleTimeout(MonoTime now)
    {
        _now = now;
        if (_reportAt <= now)
        {
            _isReportDue = true;
            _reportAt = now.AddMillis(NextInterval());
        }
        if (_peer.NextDeadline <= now)
        {
            _peer.HandleTimeout(now);
        }
        StartReports(now);
    }

    /// <summary>Next datagram to send that is not audio of ours (STUN, DTLS, SCTP, RTCP); drain until false after every input.</summary>
    public bool TryPollDatagram(Span<byte> buffer, out int length, out NetEndPoint to)
    {
        if (_peer.TryPollDatagram(buffer, out length, out to))
        {
            return true;
        }
        if (!_isReportDue)
        {
            return false;
        }
        _isReportDue = false;
        length = WriteReport(buffer);
        to = _peer.Remote;
        return length > 0 && to.IsSet;
    }

    /// <summary>Next event for <see cref="RoomParticipant.HandlePeerEvent"/>; drain until false.</summary>
    public bool TryPollEvent(out PeerEvent peerEvent) => _peer.TryPollEvent(out peerEvent);

    public void Dispose() => _peer.Dispose();

    private static RoomPacket Without(RoomPacketKind kind) => new(kind, -1, 0, default);

    private RoomPacket Demultiplex(ReadOnlySpan<byte> plain, MonoTime now)
    {
        if (!RtpView.TryParse(plain, out RtpView packet, out _))
        {
            Counters.Malformed++;
            return Without(RoomPacketKind.Dropped);
        }
        int slot = SlotOf(packet.Ssrc);
        if (slot < 0)
        {
            Counters.UnknownSsrc++;
            return Without(RoomPacketKind.Dropped);
        }
        RemoteAudio remote = _remotes[slot];
        if (!remote.TryGetCodec(packet.PayloadType, out RoomCodec codec))
        {
            Counters.UnknownPayload++;
            return Without(RoomPacketKind.Dropped);
        }
        remote.OnPacket(packet, codec, now);
        return new RoomPacket(RoomPacketKind.Audio, slot, plain.Length, codec);
    }

    private int SlotOf(uint ssrc) => ssrc == 0 ? -1 : _ssrcs.AsSpan().IndexOf(ssrc);

    private void ReadReports(ReadOnlySpan<byte> plain, MonoTime now)
    {
        if (!RtcpView.TryParse(plain, out RtcpView compound, out _))
        {
            Counters.Malformed++;
            return;
        }
        while (compound.TryNext(out RtcpPacket packet))
        {
            int slot = packet.TryGetSenderInfo(out SenderInfo info) ? SlotOf(packet.SenderSsrc) : -1;
            if (slot >= 0)
            {
                _remotes[slot].Statistics.OnSenderReport(info, now);
            }
            for (int i = 0; i < packet.ReportCount; i++)
            {
                ReportBlock block = packet.Report(i);
                if (block.Ssrc == _ssrc)
                {
                    Track.Statistics.OnReport(block, now);
                }
            }
        }
    }

    private void StartReports(MonoTime now)
    {
        if (_reportAt.IsNever && _peer.State == PeerState.Connected)
        {
            _reportAt = now.AddMillis(FirstReportMs);
        }
    }

    // RFC 3550 §6.3.1: half to one and a half of the interval, so that calls do not report in step.
    private long NextInterval()
    {
        _jitter = (_jitter * 1_664_525) + 1_013_904_223;
        return (ReportIntervalMs / 2) + (ReportIntervalMs * (_jitter >> 16) / 65_536);
    }

    private int WriteReport(Span<byte> buffer)
    {
        Span<ReportBlock> reports = stackalloc ReportBlock[RemoteSlots];
        int count = 0;
        foreach (RemoteAudio remote in _remotes)
        {
            if (remote.IsTaken && remote.Statistics.Received > 0)
            {
                reports[count++] = remote.Statistics.MakeReport(_now);
            }
        }
        // A receiver that has sent nothing has no sender part (RFC 3550 §6.4).
        SenderInfo? info = Track.Statistics.Packets > 0 ? Track.Statistics.MakeSenderInfo(_now) : null;
        int plain = RtcpWriter.WriteReport(buffer, _ssrc, info, reports[..count], _cname);
        return plain == 0 ? 0 : _peer.ProtectRtcp(buffer, plain);
    }

    private void SetDownTracks(MediaCommand command)
    {
        for (int slot = 0; slot < RemoteSlots; slot++)
        {
            if (_remotes[slot].IsTaken && !IsListed(command, _remotes[slot]))
            {
                _remotes[slot].Free();
                _ssrcs[slot] = 0;
            }
        }
        foreach (DownTrack track in command.DownTracks!)
        {
            int slot = SlotOf(track.Ssrc);
            if (slot >= 0)
            {
                _remotes[slot].Describe(track);
            }
            else
            {
                Take(track);
            }
        }
    }

    private void Take(DownTrack track)
    {
        int free = _ssrcs.AsSpan().IndexOf(0u);
        if (free < 0)
        {
            Counters.SlotsFull++;
            return;
        }
        _remotes[free].Take(track);
        _ssrcs[free] = track.Ssrc;
    }

    private static bool IsListed(MediaCommand command, RemoteAudio remote)
    {
        foreach (DownTrack track in command.DownTracks!)
        {
            if (track.Ssrc == remote.Ssrc && track.TrackSid == remote.TrackSid)
            {
                return true;
            }
        }
        return false;
    }
}
