using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Proxy.Core;
using Proxy.Core.Diagnostics;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.LiveKit.Protocol;
using Proxy.Participant.Data;
using Proxy.Participant.Signal;
using Proxy.WebRtc;

namespace Proxy.Participant;

/// <summary>
/// Signal thread. One participant's signalling as a machine: joins, offers, obeys answers, subscribes, resumes and
/// leaves. Its media half is <see cref="RoomMedia"/>, on a shard; the Bridge carries <see cref="MediaCommand"/> there and
/// <see cref="PeerEvent"/> back.
/// </summary>
/// <remarks>
/// Phases: Idle → Joining (dial, first offer in the address) → Connecting (joined; waits for the answer, ICE and DTLS) →
/// Active → Leaving → Ended. A lost WebSocket is dialled again only when Active: before, the server drops us with it.
/// </remarks>
public sealed class RoomParticipant
{
    private const int FrameMax = 2 * 1024 * 1024;
    private static readonly TimeSpan s_leaveTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_explanationWait = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_answerTimeout = TimeSpan.FromSeconds(10);

    private readonly RoomJoin _join;
    private readonly Limits _limits;
    private readonly IRandom _random;
    private readonly Outbox _outbox = new();
    private readonly SignalLink _link = new();
    private readonly Roster _roster = new();
    private readonly SelfState _self = new();
    private readonly Negotiation _negotiation;
    private readonly MediaPlan _media;
    private readonly RoomData _data;
    private readonly OwnTrack _track;
    private readonly Attendance _attendance;

    private Phase _phase = Phase.Idle;
    private MonoTime _joinBy = MonoTime.Never;
    private MonoTime _leaveBy = MonoTime.Never;
    private MonoTime _explainBy = MonoTime.Never;
    private MonoTime _answerBy = MonoTime.Never;
    private string _token;
    private string _sid = "";
    private string _roomMetadata = "";
    private bool _isPeerConnected;

    public RoomParticipant(RoomJoin join, Limits limits, IRandom random)
    {
        Invariant.Holds(join.Fingerprint.Length == 32 && join.Ssrc != 0, "a join has a SHA-256 fingerprint and an SSRC");
        _join = join;
        _limits = limits;
        _random = random;
        _token = join.Token;
        Span<byte> id = stackalloc byte[8];
        random.Fill(id);
        _negotiation = new Negotiation(join, BinaryPrimitives.ReadUInt64BigEndian(id) >> 1);
        _media = new MediaPlan(_outbox, join.Ssrc);
        _data = new RoomData(_outbox, _roster);
        _track = new OwnTrack(join.Cid);
        _attendance = new Attendance(_outbox, _roster, _media, _track, join.AutoSubscribe);
    }

    private enum Phase
    {
        Idle,
        Joining,
        Connecting,
        Active,
        Leaving,
        Ended,
    }

    /// <summary>The room took us in and has not let us go.</summary>
    public bool IsJoined => _phase is Phase.Connecting or Phase.Active;

    /// <summary>Media is up.</summary>
    public bool IsActive => _phase == Phase.Active;

    /// <summary>The Ended event was put out; nothing follows.</summary>
    public bool IsEnded => _phase == Phase.Ended;

    /// <summary>What the last answer obliges us to send; null before.</summary>
    public PublishTrack? Publish => _media.Publish;

    /// <summary>The earliest time at which <see cref="HandleTimeout"/> has work.</summary>
    public MonoTime NextDeadline => IsEnded
        ? MonoTime.Never
        : MonoTime.Min(MonoTime.Min(MonoTime.Min(_joinBy, _leaveBy), _explainBy), MonoTime.Min(_answerBy, _link.NextDeadline));

    /// <summary>Frames, answers and data packets that could not be read, or were stale.</summary>
    public int FramesIgnored { get; private set; }

    /// <summary>Begins the join; once.</summary>
    public void Start(MonoTime now)
    {
        Invariant.Holds(_phase == Phase.Idle, "a participant starts once");
        _phase = Phase.Joining;
        _joinBy = now + _limits.RoomJoinTimeout;
        Dial(JoinUrl.FirstJoin(_join, _negotiation.BeginOffer()), now);
    }

    /// <summary>The dial <paramref name="socket"/> was upgraded (101).</summary>
    public void HandleSocketOpened(int socket, MonoTime now)
    {
        if (!IsEnded && _link.IsCurrent(socket))
        {
            _link.Opened(now);
        }
    }

    /// <summary>The dial failed.</summary>
    /// <param name="httpStatus">The server's status; 0 when there was no HTTP answer.</param>
    /// <param name="body">Its body (text), or the reason of the failure; may hold a token, is cut before it is repeated.</param>
    public void HandleSocketRefused(int socket, int httpStatus, ReadOnlySpan<byte> body, MonoTime now)
    {
        if (IsEnded || !_link.IsCurrent(socket))
        {
            return;
        }
        RoomEnd end = LeaveReasons.OfStatus(httpStatus);
        // A running session outlives a server that is restarting or short of breath; 400 and 401 will not get better.
        if (_phase == Phase.Active && end is RoomEnd.Unreachable or RoomEnd.Refused)
        {
            LoseLink(now);
            return;
        }
        string what = httpStatus == 0 ? "the room server cannot be reached" : $"the room server refuses the join with HTTP {httpStatus}";
        string why = RefusalText.Clean(body);
        _link.Drop();
        End(end, why.Length > 0 ? $"{what}: {why}" : what);
    }

    /// <summary>The WebSocket is gone, whoever closed it.</summary>
    public void HandleSocketClosed(int socket, MonoTime now)
    {
        if (!IsEnded && _link.IsCurrent(socket))
        {
            LoseLink(now);
        }
    }

    /// <summary>One binary message of the server.</summary>
    public void HandleFrame(int socket, ReadOnlySpan<byte> protobuf, MonoTime now)
    {
        if (IsEnded || !_link.IsCurrent(socket))
        {
            return;
        }
        _link.Heard(now);
        SignalResponse? frame = protobuf.Length <= FrameMax ? SignalFrames.Read(protobuf) : null;
        if (frame is null || !TryHandle(frame, now))
        {
            FramesIgnored++;
        }
        TryOffer(now);
    }

    /// <summary>An event of the media half.</summary>
    public void HandlePeerEvent(in PeerEvent peerEvent, MonoTime now)
    {
        if (IsEnded)
        {
            return;
        }
        switch (peerEvent.Kind)
        {
            case PeerEventKind.Connected:
                _isPeerConnected = true;
                TryActivate();
                break;
            case PeerEventKind.ChannelOpen:
                _data.HandleOpen(peerEvent.Label);
                break;
            case PeerEventKind.ChannelClosed:
                _data.HandleClosed(peerEvent.Label);
                break;
            case PeerEventKind.Data:
                FramesIgnored += _data.TryHandle(peerEvent.Payload, _sid) ? 0 : 1;
                break;
            case PeerEventKind.Failed or PeerEventKind.Closed when _phase == Phase.Leaving:
                // The server tears the transport down before or after its goodbye.
                break;
            case PeerEventKind.Failed:
                End(RoomEnd.MediaFailed, $"the media connection to the room failed: {peerEvent.Reason ?? "unknown"}");
                break;
            case PeerEventKind.Closed:
                // Removed, deleted, replaced: the goodbye that says which goes another way and may come a moment later.
                _explainBy = now + s_explanationWait;
                break;
            default:
                break;
        }
    }

    public void HandleTimeout(MonoTime now)
    {
        if (IsEnded)
        {
            return;
        }
        if (_leaveBy <= now)
        {
            End(RoomEnd.Left, "we left the room; the server did not say goodbye");
            return;
        }
        if (_explainBy <= now)
        {
            End(RoomEnd.MediaFailed, "the room server closed the media connection");
            return;
        }
        if (_joinBy <= now)
        {
            End(RoomEnd.JoinTimeout, JoinStage());
            return;
        }
        if (_answerBy <= now)
        {
            _answerBy = MonoTime.Never;
            _negotiation.Abandon();
        }
        StepLink(now);
        TryOffer(now);
    }

    /// <summary>Next output; drain until false after every input.</summary>
    public bool TryPoll(out ParticipantOutput output) => _outbox.TryTake(out output);

    /// <summary>Sets attributes of our participant; an empty value deletes. Kept until the server has decided on them.</summary>
    public void SetAttributes(IReadOnlyDictionary<string, string> attributes, MonoTime now)
    {
        _self.Set(attributes);
        SendSelf();
    }

    /// <summary>Sets our participant's metadata.</summary>
    public void SetMetadata(string metadata, MonoTime now)
    {
        _self.SetMetadata(metadata);
        SendSelf();
    }

    /// <summary>Sends one DTMF digit of the phone into the room, to everybody (reliable).</summary>
    /// <param name="digit">0-9 * # A-D.</param>
    /// <returns>False when the digit is none, or the data channel is not open yet and too many wait.</returns>
    public bool SendDtmf(char digit, MonoTime now) =>
        !IsEnded && DataPackets.Dtmf(digit) is { } packet && _data.TrySend(DataPackets.Reliable, packet);

    /// <summary>Answers a call of a method (<see cref="RoomEventKind.Rpc"/>).</summary>
    /// <returns>False when it could not be sent.</returns>
    public bool Answer(in RpcAnswer answer) => !IsEnded && _data.Answer(answer);

    /// <summary>Sends a user packet to everybody.</summary>
    /// <param name="payload">At most 15,000 bytes.</param>
    /// <returns>False when it is too long, or the data channel is not open yet and too many wait.</returns>
    public bool SendData(string topic, ReadOnlySpan<byte> payload, bool isReliable, MonoTime now) =>
        !IsEnded && payload.Length <= DataPackets.PayloadMax
        && _data.TrySend(isReliable ? DataPackets.Reliable : DataPackets.Lossy, DataPackets.User(topic, payload, isReliable));

    /// <summary>Mutes or unmutes our own track in the room.</summary>
    public void SetMuted(bool isMuted, MonoTime now)
    {
        _track.Want(isMuted);
        SendMute();
    }

    /// <summary>Leaves: waits up to one second for the server's echo, then ends with <see cref="RoomEnd.Left"/>.</summary>
    public void Leave(MonoTime now)
    {
        if (_phase is Phase.Leaving or Phase.Ended)
        {
            return;
        }
        if (_link.State != LinkState.Up)
        {
            End(RoomEnd.Left, "we left the room");
            return;
        }
        _phase = Phase.Leaving;
        _joinBy = MonoTime.Never;
        _answerBy = MonoTime.Never;
        _leaveBy = now + s_leaveTimeout;
        _outbox.Send(SignalFrames.Leave());
    }

    private bool TryHandle(SignalResponse frame, MonoTime now)
    {
        if (frame.MessageCase == SignalResponse.MessageOneofCase.Leave)
        {
            HandleLeave(frame.Leave);
            return true;
        }
        if (_phase == Phase.Leaving)
        {
            return true;
        }
        if (frame.MessageCase == SignalResponse.MessageOneofCase.RefreshToken)
        {
            _token = frame.RefreshToken.Length > 0 ? frame.RefreshToken : _token;
            return true;
        }
        if (_phase == Phase.Joining)
        {
            return frame.MessageCase == SignalResponse.MessageOneofCase.Join && TryJoin(frame.Join, now);
        }
        if (_link.State != LinkState.Up)
        {
            return frame.MessageCase == SignalResponse.MessageOneofCase.Reconnect && Resume(now);
        }
        return TryHandleJoined(frame);
    }

    private bool TryHandleJoined(SignalResponse frame)
    {
        switch (frame.MessageCase)
        {
            case SignalResponse.MessageOneofCase.Answer:
                return TryAnswer(frame.Answer);
            case SignalResponse.MessageOneofCase.Trickle:
                return TryCandidate(frame.Trickle);
            case SignalResponse.MessageOneofCase.Update:
                _attendance.Apply(frame.Update.Participants, _sid);
                return true;
            case SignalResponse.MessageOneofCase.TrackPublished:
                return TryTrackPublished(frame.TrackPublished);
            case SignalResponse.MessageOneofCase.MediaSectionsRequirement:
                _negotiation.Require(frame.MediaSectionsRequirement.NumAudios);
                return true;
            case SignalResponse.MessageOneofCase.TrackSubscribed:
                return TrySubscribed(frame.TrackSubscribed.TrackSid);
            case SignalResponse.MessageOneofCase.Mute:
                return _attendance.TryMute(frame.Mute.Sid, frame.Mute.Muted);
            case SignalResponse.MessageOneofCase.RoomUpdate:
                HandleRoom(frame.RoomUpdate.Room);
                return true;
            case SignalResponse.MessageOneofCase.RequestResponse:
                _self.Acknowledge(frame.RequestResponse.RequestId);
                return true;
            case SignalResponse.MessageOneofCase.RoomMoved:
                End(RoomEnd.RejoinNeeded, "the participant was moved to another room");
                return true;
            case SignalResponse.MessageOneofCase.None:
            case SignalResponse.MessageOneofCase.Join:
            case SignalResponse.MessageOneofCase.Offer:
                return false;
            default:
                // Speakers, quality, pongs, permissions: nothing that a phone needs.
                return true;
        }
    }

    private bool TryJoin(JoinResponse join, MonoTime now)
    {
        if (join.Participant is null || join.Participant.Sid.Length == 0)
        {
            return false;
        }
        _phase = Phase.Connecting;
        _sid = join.Participant.Sid;
        _link.SetPing(join.PingInterval, join.PingTimeout);
        _link.Up(now);
        _outbox.Tell(new RoomEvent(RoomEventKind.Joined)
        {
            RoomSid = join.Room?.Sid ?? "",
            ParticipantSid = _sid,
            RoomExisted = JoinedRoom.Existed(join),
            Text = join.ServerInfo?.Version is { Length: > 0 } version ? version : join.ServerVersion,
        });
        HandleRoom(join.Room);
        _attendance.Apply(join.OtherParticipants, _sid);
        SendSelf();
        SendMute();
        return true;
    }

    /// <summary>The server knows the session of the last socket: media never stopped, only messages were lost.</summary>
    private bool Resume(MonoTime now)
    {
        _link.Up(now);
        _outbox.Send(SignalFrames.Sync(_join.AutoSubscribe));
        // Sections may have changed while nobody told us.
        _negotiation.Abandon();
        _negotiation.Require(0);
        SendSelf();
        SendMute();
        _outbox.Tell(new RoomEvent(RoomEventKind.Resumed));
        return true;
    }

    private bool TryAnswer(SessionDescription description)
    {
        if (!_negotiation.TryComplete(description))
        {
            return false;
        }
        _answerBy = MonoTime.Never;
        if (!AnswerReader.TryRead(description.Sdp, out Answer answer))
        {
            return false;
        }
        if (answer.Find(_negotiation.SendMid) is not { IsRejected: false, Codecs.Count: > 0 } own)
        {
            End(RoomEnd.PublishRefused, "the room server accepts none of our audio codecs");
            return true;
        }
        _media.Apply(answer, own, description.MidToTrackId, _roster);
        TryActivate();
        return true;
    }

    private bool TryCandidate(TrickleRequest trickle)
    {
        if (trickle.Target != SignalTarget.Publisher)
        {
            return false;
        }
        if (trickle.CandidateInit.Length == 0)
        {
            return trickle.Final;
        }
        // TCP and mDNS candidates are no fault of the frame.
        if (CandidateReader.TryReadJson(trickle.CandidateInit, out NetEndPoint candidate))
        {
            _media.Trickle(candidate);
        }
        return true;
    }

    private bool TryTrackPublished(TrackPublishedResponse published)
    {
        if (!_track.TryName(published.Cid, published.Track?.Sid ?? ""))
        {
            return false;
        }
        SendMute();
        return true;
    }

    private bool TrySubscribed(string trackSid)
    {
        if (!_track.Is(trackSid))
        {
            return false;
        }
        _outbox.Tell(new RoomEvent(RoomEventKind.Subscribed));
        return true;
    }

    private void HandleRoom(Room? room)
    {
        if (room is not null && room.Metadata != _roomMetadata)
        {
            _roomMetadata = room.Metadata;
            _outbox.Tell(new RoomEvent(RoomEventKind.RoomMetadata) { Text = _roomMetadata, RoomSid = room.Sid });
        }
    }

    private void HandleLeave(LeaveRequest leave)
    {
        if (_phase == Phase.Leaving)
        {
            End(RoomEnd.Left, "we left the room", isReleased: true);
            return;
        }
        (RoomEnd end, string text) = LeaveReasons.OfLeave(leave);
        bool isReleased = leave.Action == LeaveRequest.Types.Action.Disconnect && !leave.CanReconnect;
        End(_phase == Phase.Joining && end == RoomEnd.Other ? RoomEnd.JoinFailed : end, text, isReleased);
    }

    private void TryActivate()
    {
        if (_phase == Phase.Connecting && _isPeerConnected && Publish is not null)
        {
            _phase = Phase.Active;
            _joinBy = MonoTime.Never;
            _outbox.Tell(new RoomEvent(RoomEventKind.Active) { ParticipantSid = _sid, Publish = Publish });
        }
    }

    private void TryOffer(MonoTime now)
    {
        if (IsJoined && _link.State == LinkState.Up && _negotiation is { IsWanted: true, IsInFlight: false })
        {
            _answerBy = now + s_answerTimeout;
            _outbox.Send(SignalFrames.Offer(_negotiation.BeginOffer()));
        }
    }

    private void LoseLink(MonoTime now)
    {
        if (_phase == Phase.Leaving)
        {
            _link.Drop();
            End(RoomEnd.Left, "we left the room");
            return;
        }
        if (_phase != Phase.Active)
        {
            _link.Drop();
            End(RoomEnd.SignalLost, "the room server closed the connection before the call was up");
            return;
        }
        bool isFirst = _link.State == LinkState.Up;
        _answerBy = MonoTime.Never;
        _negotiation.Abandon();
        Span<byte> jitter = stackalloc byte[1];
        _random.Fill(jitter);
        if (!_link.PlanRedial(jitter[0], now))
        {
            _link.Drop();
            End(RoomEnd.SignalLost, "the connection to the room server was lost and could not be taken up again");
        }
        else if (isFirst)
        {
            _outbox.Tell(new RoomEvent(RoomEventKind.Reconnecting));
        }
    }

    private void StepLink(MonoTime now)
    {
        while (!IsEnded)
        {
            switch (_link.Step(now))
            {
                case LinkStep.Ping:
                    _outbox.Send(SignalFrames.Ping(now));
                    break;
                case LinkStep.Redial:
                    Dial(JoinUrl.Resume(_join, _sid), now);
                    break;
                case LinkStep.Dead when _phase == Phase.Joining:
                    End(RoomEnd.JoinTimeout, JoinStage());
                    break;
                case LinkStep.Dead:
                    _outbox.CloseSocket();
                    LoseLink(now);
                    break;
                default:
                    return;
            }
        }
    }

    private void Dial(JoinRequest request, MonoTime now)
    {
        _outbox.Socket = _link.Dial(now);
        _outbox.Dial(JoinUrl.Write(_join.WsUrl, request), _token);
    }

    private void SendSelf()
    {
        if (_self.IsPending && IsJoined && _link.State == LinkState.Up)
        {
            _outbox.Send(_self.Request());
        }
    }

    private void SendMute()
    {
        if (IsJoined && _link.State == LinkState.Up && _track.Request() is { } frame)
        {
            _outbox.Send(frame);
        }
    }

    private string JoinStage() => _phase switch
    {
        Phase.Joining when _link.State == LinkState.Dialling => "the room server did not answer the dial in time",
        Phase.Joining => "the room server did not complete the join in time",
        _ when Publish is null => "the room server did not answer our offer in time",
        _ => "the media connection to the room did not come up in time",
    };

    private void End(RoomEnd end, string sentence, bool isReleased = false)
    {
        if (_link.HasSocket)
        {
            _outbox.CloseSocket();
        }
        _link.Drop();
        _phase = Phase.Ended;
        _outbox.Command(new MediaCommand(MediaCommandKind.Close));
        _outbox.Tell(new RoomEvent(RoomEventKind.Ended) { End = end, Text = sentence, IsReleased = isReleased });
    }
}
