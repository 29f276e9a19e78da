using System;
using System.Collections.Generic;
using Proxy.Bridge.Media;
using Proxy.Bridge.Records;
using Proxy.Bridge.Rooms;
using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Participant;
using Proxy.Policy;
using Proxy.Policy.Dispatch;
using Proxy.Sdp;
using Proxy.Sip;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;
using Proxy.WebRtc;

namespace Proxy.Bridge;

/// <summary>Where a call stands; drawn in docs/architecture.md.</summary>
public enum CallPhase
{
    /// <summary>The room is being joined; the caller hears ringing.</summary>
    Joining,

    /// <summary>The room's media is up; somebody there has to publish audio.</summary>
    Ringing,

    /// <summary>200 sent.</summary>
    Answered,

    /// <summary>ACK received.</summary>
    Connected,

    /// <summary>One leg ended; the others are being closed.</summary>
    Ending,

    /// <summary>Nothing of it is left.</summary>
    Over,
}

/// <summary>Signal thread. One call: a SIP leg and a room leg, and what happens between them. Its media lives on a shard.</summary>
public sealed class Call
{
    private static readonly TimeSpan s_downlinkWait = TimeSpan.FromMilliseconds(500);
    /// <summary>Between <c>sip.callStatus = hangup</c> and our leave: clients that get both at once tell their user only the second.</summary>
    private static readonly TimeSpan s_farewell = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_activeWait = TimeSpan.FromSeconds(1);

    private readonly CallServices _services;
    private readonly Verdict _verdict;
    private readonly SipLeg _sip;
    private readonly CallMedia _media;
    private readonly IRoomLeg _room;
    private MonoTime _nextRing;
    private MonoTime _ringUntil;
    private MonoTime _answerAt = MonoTime.Never;
    private MonoTime _endAt = MonoTime.Never;
    private MonoTime _activeAt = MonoTime.Never;
    private MonoTime _leaveAt = MonoTime.Never;
    private bool _isMediaClosed;
    private bool _hasHeardCaller;
    private bool _hasAudience;
    private bool _roomExisted;
    private string _dispatchFailure = "";

    internal Call(SlotId id, CallServices services, Verdict verdict, SipLeg sip, CallMedia media, IRoomLeg room, CallRecord record, MonoTime now)
    {
        Id = id;
        _services = services;
        _verdict = verdict;
        _sip = sip;
        _media = media;
        _room = room;
        Record = record;
        InvitedAt = now;
        _nextRing = now;
        TimeSpan ringing = verdict.RingingTimeout > TimeSpan.Zero ? verdict.RingingTimeout : services.Limits.RingingTimeout;
        _ringUntil = now + ringing;
    }

    public SlotId Id { get; }

    public CallPhase Phase { get; private set; } = CallPhase.Joining;

    public CallRecord Record { get; }

    public MonoTime InvitedAt { get; }

    public SipDialog Dialog => _sip.Dialog;

    internal MediaReservation Reservation => _media.Reservation;

    internal Verdict Verdict => _verdict;

    /// <summary>The room server confirmed our leave: the room port may be used again at once.</summary>
    internal bool HasLeft => _room.HasLeft;

    /// <summary>The earliest time at which <see cref="HandleTimeout"/> has work.</summary>
    public MonoTime NextDeadline
    {
        get
        {
            MonoTime next = _room.NextDeadline;
            return Phase switch
            {
                CallPhase.Joining or CallPhase.Ringing => MonoTime.Min(next, MonoTime.Min(_answerAt, MonoTime.Min(_nextRing, _ringUntil))),
                CallPhase.Answered or CallPhase.Connected => MonoTime.Min(next, MonoTime.Min(_endAt, _activeAt)),
                _ => MonoTime.Min(next, _leaveAt),
            };
        }
    }

    internal void Start(MonoTime now)
    {
        _services.Media.Open(Id, _media);
        _room.Start(now);
        Ring(now);
        DrainRoom(now);
    }

    internal void HandleSip(in SipEvent e, MonoTime now)
    {
        switch (e.Kind)
        {
            case SipEventKind.Cancelled:
                End(new Outcome(EndedBy.Caller, "cancelled", "the caller hung up before the answer", 487, 0), now);
                break;
            case SipEventKind.Confirmed:
                Confirm(e, now);
                break;
            case SipEventKind.ByeReceived:
                End(Outcome.Hangup(EndedBy.Caller, "the caller hung up"), now);
                break;
            case SipEventKind.AckTimeout:
                HandleAckTimeout(now);
                break;
            case SipEventKind.ReInvite:
            case SipEventKind.Update:
                Renegotiate(e, now);
                break;
            case SipEventKind.Info:
                HandleInfo(e, now);
                break;
            case SipEventKind.Refer:
            case SipEventKind.OtherRequest:
                Dialog.Respond(e.Request, e.Kind == SipEventKind.Refer ? 603 : 405, default, default, now);
                break;
            case SipEventKind.PrackTimeout:
                End(new Outcome(EndedBy.Us, "no_prack", "the caller did not acknowledge a reliable response (RFC 3262)", 504, 102), now);
                break;
            case SipEventKind.SessionExpired:
                End(new Outcome(EndedBy.Us, "session_expired", "the caller did not refresh the session in time (RFC 4028)", 200, 102), now);
                break;
            default:
                break;
        }
        DrainRoom(now);
    }

    internal void HandleSocket(in SocketInput input, MonoTime now)
    {
        _room.HandleSocket(input, now);
        DrainRoom(now);
    }

    internal void HandleMedia(in CallEvent e, MonoTime now)
    {
        switch (e.Kind)
        {
            case CallEventKind.Peer:
                _room.HandlePeer((PeerEvent)e.Payload!, now);
                break;
            case CallEventKind.FirstPacket:
                _hasHeardCaller = true;
                SetActive(now);
                break;
            case CallEventKind.Dtmf:
                _room.SendDtmf((char)e.Number, now);
                break;
            case CallEventKind.MediaTimeout:
                string what = e.Number == 1 ? "no RTP ever came from the caller" : "no RTP came from the caller for the media timeout";
                End(new Outcome(EndedBy.Us, "media_timeout", what, 200, 102), now);
                break;
            case CallEventKind.Broken:
                _services.Observer.Broken(Record, (string)e.Payload!);
                End(new Outcome(EndedBy.Us, "internal", "a fault of ours ended the call's media", 500, 41), now);
                break;
            case CallEventKind.Closed:
                Record.Media = (MediaReport)e.Payload!;
                _isMediaClosed = true;
                break;
            default:
                break;
        }
        DrainRoom(now);
    }

    internal void HandleTimeout(MonoTime now)
    {
        _room.HandleTimeout(now);
        DrainRoom(now);
        bool isWaiting = Phase is CallPhase.Joining or CallPhase.Ringing;
        if (isWaiting && now >= _ringUntil)
        {
            EndRefused(RefusalCode.RingTimeout, DescribeRingTimeout(now), now);
        }
        else if (isWaiting && now >= _answerAt)
        {
            Answer(now);
        }
        else if (isWaiting && now >= _nextRing)
        {
            Ring(now);
        }
        if (now >= _endAt && Phase < CallPhase.Ending)
        {
            End(new Outcome(EndedBy.Us, "max_duration", "the call reached its longest duration", 200, 102), now);
        }
        if (now >= _activeAt)
        {
            SetActive(now);
        }
        if (now >= _leaveAt)
        {
            LeaveRoom(now);
            DrainRoom(now);
        }
    }

    /// <summary>Ends the call from outside: hang-up by an operator, drain, fault.</summary>
    internal void End(in Outcome outcome, MonoTime now, ReadOnlySpan<byte> extraHeaders = default)
    {
        if (Phase >= CallPhase.Ending)
        {
            return;
        }
        Phase = CallPhase.Ending;
        Record.Code = outcome.Code;
        Record.Sentence = outcome.Sentence;
        Record.EndedBy = outcome.By.ToString().ToLowerInvariant();
        Record.SipStatus = Record.AnsweredMs >= 0 ? 200 : outcome.SipStatus;
        Record.EndedMs = Elapsed(now);
        _sip.End(outcome, outcome.SipStatus, extraHeaders, now);
        if (Record.JoinedMs >= 0 && !_room.IsEnded)
        {
            _room.SetAttributes(new Dictionary<string, string> { ["sip.callStatus"] = "hangup" }, now);
            _leaveAt = now + s_farewell;
            _services.Media.Command(Id, _media, new CallCommand(CallCommandKind.StopSip, null));
        }
        else
        {
            LeaveRoom(now);
        }
    }

    /// <summary>The transport closes only now: a room server that sees it go takes us for gone, and no attribute of ours arrives any more.</summary>
    private void LeaveRoom(MonoTime now)
    {
        _leaveAt = MonoTime.Never;
        _room.Leave(now);
        _services.Media.Command(Id, _media, new CallCommand(CallCommandKind.Close, null));
    }

    /// <summary>Whether every part is done with the call.</summary>
    internal bool TryFinish()
    {
        if (Phase != CallPhase.Ending || !_isMediaClosed || !_room.IsEnded)
        {
            return false;
        }
        Phase = CallPhase.Over;
        return true;
    }

    private void DrainRoom(MonoTime now)
    {
        while (_room.TryPoll(out RoomEvent? e))
        {
            HandleRoom(e!, now);
        }
        ConsiderAnswer(now);
    }

    private void HandleRoom(RoomEvent e, MonoTime now)
    {
        switch (e.Kind)
        {
            case RoomEventKind.Joined:
                Record.JoinedMs = Elapsed(now);
                Record.RoomSid = e.RoomSid;
                Record.ParticipantSid = e.ParticipantSid;
                DispatchAgents(e.RoomExisted);
                break;
            case RoomEventKind.PublishReady:
                Record.RoomCodec = e.Publish!.Codec.ToString().ToLowerInvariant();
                break;
            case RoomEventKind.Active:
                Record.MediaReadyMs = Elapsed(now);
                Phase = Phase == CallPhase.Joining ? CallPhase.Ringing : Phase;
                break;
            case RoomEventKind.TrackAdded:
                _hasAudience = true;
                break;
            case RoomEventKind.ParticipantJoined:
                // Another phone in the room waits as we do: neither would ever be answered.
                _hasAudience |= e.Participant!.Kind == RemoteKind.Sip;
                break;
            case RoomEventKind.Dtmf:
                if (Phase is CallPhase.Answered or CallPhase.Connected)
                {
                    _services.Media.Command(Id, _media, new CallCommand(CallCommandKind.SendDtmf, e.Text));
                }
                break;
            case RoomEventKind.Ended:
                HandleRoomEnded(e, now);
                break;
            default:
                break;
        }
    }

    private void HandleRoomEnded(RoomEvent e, MonoTime now)
    {
        if (Phase >= CallPhase.Ending)
        {
            return;
        }
        string code = RoomOutcome.Code(e.End);
        if (Phase is CallPhase.Answered or CallPhase.Connected)
        {
            End(new Outcome(EndedBy.Room, code, e.Text, 200, RoomOutcome.Cause(e.End)), now);
        }
        else if (RoomOutcome.IsByWish(e.End))
        {
            End(new Outcome(EndedBy.Room, code, e.Text, 480, 31), now);
        }
        else
        {
            EndRefused(RoomOutcome.IsBackend(e.End) ? RefusalCode.BackendDown : RefusalCode.JoinFailed, e.Text, now);
        }
    }

    /// <summary>The 200 goes out when somebody can be heard: a remote audio track that is wired through, or another phone.</summary>
    private void ConsiderAnswer(MonoTime now)
    {
        if (Phase != CallPhase.Ringing)
        {
            return;
        }
        bool isReady = _verdict.AnswerMode == AnswerMode.AtOnce || _room.HasRemoteAudio || (_hasAudience && now >= _answerAt);
        if (isReady)
        {
            Answer(now);
        }
        else if (_hasAudience && _answerAt.IsNever)
        {
            // The track is published but its first answer is under way; the greeting must not be clipped.
            _answerAt = now + s_downlinkWait;
        }
    }

    private void Ring(MonoTime now)
    {
        Dialog.Ring(now);
        _nextRing = now + _services.Limits.RingingInterval;
    }

    private void Answer(MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[2048];
        var headers = new Proxy.Sip.Writing.SipHeaderLines(buffer);
        foreach (KeyValuePair<string, string> header in _verdict.Headers)
        {
            headers.Add(header.Key, header.Value);
        }
        _answerAt = MonoTime.Never;
        if (!Dialog.Accept(_sip.Description, headers.Written, now))
        {
            EndRefused(RefusalCode.Internal, "the answer could not be sent", now);
            return;
        }
        Phase = CallPhase.Answered;
        Record.AnsweredMs = Elapsed(now);
        TimeSpan longest = _verdict.MaxCallDuration > TimeSpan.Zero ? _verdict.MaxCallDuration : _services.Limits.CallDuration;
        _endAt = now + longest;
        _activeAt = now + s_activeWait;
        if (_sip.Audio is not null)
        {
            StartMedia(CallCommandKind.StartSip);
        }
        _services.Observer.Answered(Record);
    }

    private void StartMedia(CallCommandKind kind)
    {
        NegotiatedAudio audio = _sip.Audio!;
        Record.SipCodec = audio.Codec == SipAudioCodec.Pcma ? "PCMA/8000" : "PCMU/8000";
        Record.SrtpProfile = audio.Srtp?.ToString() ?? "";
        _services.Media.Command(Id, _media, new CallCommand(kind, _sip.ToMedia()));
    }

    private void Confirm(in SipEvent e, MonoTime now)
    {
        if (Phase == CallPhase.Answered)
        {
            Phase = CallPhase.Connected;
            Record.ConfirmedMs = Elapsed(now);
        }
        if (!_sip.IsLateOffer)
        {
            return;
        }
        bool isThere = SipMessageView.TryParse(e.RequestBytes, out SipMessageView ack, out _);
        if (!isThere || !ack.TryGetSdp(out ReadOnlySpan<byte> answer))
        {
            End(new Outcome(EndedBy.Us, "no_answer_in_ack", "the ACK carries no answer to our offer", 200, 88), now);
            return;
        }
        bool isFirst = _sip.Audio is null;
        AnswerVerdict verdict = _sip.TakeAnswer(answer);
        if (!verdict.IsAccepted)
        {
            End(new Outcome(EndedBy.Us, "media_not_acceptable", verdict.WarningText, 200, 88), now);
            return;
        }
        StartMedia(isFirst ? CallCommandKind.StartSip : CallCommandKind.Renegotiate);
    }

    private void HandleAckTimeout(MonoTime now)
    {
        Record.Flags.Add("no_ack");
        if (!_hasHeardCaller)
        {
            End(new Outcome(EndedBy.Us, "no_ack", "neither an ACK nor RTP came after the 200", 200, 102), now);
        }
    }

    /// <summary>Re-INVITE or UPDATE: hold, resume, new address, refresh. A refused offer leaves the audio as it was.</summary>
    private void Renegotiate(in SipEvent e, MonoTime now)
    {
        bool isThere = SipMessageView.TryParse(e.RequestBytes, out SipMessageView request, out _);
        if (!isThere || !request.TryGetSdp(out ReadOnlySpan<byte> offer))
        {
            bool hasOffer = e.Kind == SipEventKind.ReInvite && _sip.TryOffer();
            Dialog.Respond(e.Request, 200, hasOffer ? _sip.Description : default, default, now);
            return;
        }
        AnswerVerdict verdict = _sip.TakeOffer(offer);
        if (!verdict.IsAccepted)
        {
            Span<byte> buffer = stackalloc byte[256];
            var headers = new Proxy.Sip.Writing.SipHeaderLines(buffer);
            AddWarning(ref headers, verdict, _services.AgentName);
            Dialog.Respond(e.Request, verdict.SipStatus, default, headers.Written, now);
            return;
        }
        Dialog.Respond(e.Request, 200, _sip.Description, default, now);
        StartMedia(CallCommandKind.Renegotiate);
    }

    /// <summary>INFO with <c>application/dtmf-relay</c> or <c>application/dtmf</c> is a key press; anything else is taken and ignored.</summary>
    private void HandleInfo(in SipEvent e, MonoTime now)
    {
        bool isThere = SipMessageView.TryParse(e.RequestBytes, out SipMessageView request, out _);
        if (isThere && InfoDigits.TryRead(request.ContentType, request.Body, out char digit))
        {
            _room.SendDtmf(digit, now);
            Record.Media.DtmfIn++;
        }
        Dialog.Respond(e.Request, 200, default, default, now);
    }

    private void SetActive(MonoTime now)
    {
        if (_activeAt.IsNever || Phase is not (CallPhase.Answered or CallPhase.Connected))
        {
            return;
        }
        _activeAt = MonoTime.Never;
        _room.SetAttributes(new Dictionary<string, string> { ["sip.callStatus"] = "active" }, now);
    }

    private void EndRefused(RefusalCode code, string sentence, MonoTime now)
    {
        Refusal refusal = _services.Refusals[code];
        Span<byte> buffer = stackalloc byte[256];
        var headers = new Proxy.Sip.Writing.SipHeaderLines(buffer);
        if (refusal.RetryAfterSeconds > 0)
        {
            headers.Add("Retry-After", refusal.RetryAfterSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        if (_verdict.MayTellWhy && refusal.Q850Cause > 0)
        {
            headers.Add("Reason", $"Q.850;cause={refusal.Q850Cause};text=\"{Refusals.Name(code)}\"");
        }
        End(new Outcome(EndedBy.Us, Refusals.Name(code), sentence, refusal.Status, refusal.Q850Cause), now, headers.Written);
    }

    /// <summary>Our token's agents are dispatched only by the join that makes the room: for others the rule may ask for it explicitly.</summary>
    private void DispatchAgents(bool roomExisted)
    {
        _roomExisted = roomExisted;
        if (roomExisted && _verdict.DispatchAgentsAlways && _verdict.Agents.Length > 0)
        {
            _services.Dispatcher?.Dispatch(Id, Record.CallId, _verdict.Room, _verdict.RoomConfigJson);
        }
    }

    /// <summary>The room server did not take an explicit dispatch.</summary>
    internal void HandleDispatchFailure(string why)
    {
        _dispatchFailure = why;
        Record.Flags.Add("agents_not_dispatched");
    }

    private string DescribeRingTimeout(MonoTime now) => RingTimeoutText.Describe(
        _verdict,
        new RingTimeoutFacts(Phase != CallPhase.Joining, _roomExisted, _dispatchFailure, now - InvitedAt, _services.Agents));

    private double Elapsed(MonoTime now) => (now - InvitedAt).TotalMilliseconds;

    internal static void AddWarning(ref Proxy.Sip.Writing.SipHeaderLines headers, in AnswerVerdict verdict, string agent)
    {
        if (verdict.WarningCode > 0)
        {
            headers.Add("Warning", $"{verdict.WarningCode} {agent} \"{verdict.WarningText}\"");
        }
    }
}
