using System;
using System.Collections.Generic;
using Proxy.Bridge.Media;
using Proxy.Bridge.Records;
using Proxy.Bridge.Rooms;
using Proxy.Bridge.Transfers;
using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Participant;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Proxy.Policy.Deferred;
using Proxy.Policy.Dispatch;
using Proxy.Sdp;
using Proxy.Sip;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;
using Proxy.WebRtc;

namespace Proxy.Bridge;

// Over 500 lines because it is the one state machine that docs/architecture.md draws: what a step does in detail is a file of its own
// (SipLeg, RoomStay, RoomSeats, Admission, TransferDesk, ForeignProof, CallHeaders); which step follows which stays together here.

/// <summary>Where a call stands; drawn in docs/architecture.md.</summary>
public enum CallPhase
{
    /// <summary>200 sent, a PIN is asked; no room yet.</summary>
    Asking,

    /// <summary>The room is being joined; the caller hears ringing.</summary>
    Joining,

    /// <summary>The room's media is up; somebody there has to publish audio.</summary>
    Ringing,

    /// <summary>200 sent; caller and room hear each other.</summary>
    Answered,

    /// <summary>ACK received.</summary>
    Connected,

    /// <summary>The room is lost; the caller is told, then the call ends.</summary>
    Parting,

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
    /// <summary>A provisional response each minute keeps proxies from giving up (RFC 3261 §13.3.1.1).</summary>
    private static readonly TimeSpan s_progressInterval = TimeSpan.FromSeconds(55);

    /// <summary>Of the last message; those of a PIN's prompts count from 1.</summary>
    private const int PartingNumber = -1;

    private readonly CallServices _services;
    private readonly CallFacts _facts;
    private SipLeg _sip;
    private readonly CallMedia _media;
    private readonly RoomStay _room;
    private readonly RoomSeats _seats;
    private readonly Admission _admission;
    private readonly TransferDesk _transfers;
    private readonly RoomCompany _company = new();
    private Outcome _parting;
    private MonoTime _partAt = MonoTime.Never;
    private short[]? _sound;
    private MonoTime _nextRing = MonoTime.Never;
    private MonoTime _ringSince;
    private MonoTime _ringUntil = MonoTime.Never;
    private MonoTime _answerAt = MonoTime.Never;
    private MonoTime _endAt = MonoTime.Never;
    private MonoTime _activeAt = MonoTime.Never;
    private MonoTime _leaveAt = MonoTime.Never;
    private MonoTime _answeredAt;
    private bool _isAnswered;
    private bool _isConfirmed;
    private bool _hasEarlyMedia;
    private bool _isMediaClosed;
    private bool _isMoving;
    private bool _isRejoining;
    private bool _hasJoined;
    private bool _hasHeardCaller;
    private bool _hasAudience;
    private bool _roomExisted;
    private bool _hasFallenBack;
    private List<string>? _lostIdentities;
    private string _dispatchFailure = "";

    internal Call(SlotId id, CallServices services, in CallFacts facts, Verdict verdict, SipLeg sip, CallMedia media, RoomSeats seats, Questions questions, CallRecord record, MonoTime invitedAt)
    {
        Id = id;
        _services = services;
        _facts = facts;
        Verdict = verdict;
        _sip = sip;
        _media = media;
        _seats = seats;
        _admission = new Admission(this, services, questions);
        _transfers = new TransferDesk(this, services, facts, _admission);
        _room = new RoomStay(id, services, media);
        Record = record;
        InvitedAt = invitedAt;
        Proof = new ForeignProof(this, services, facts);
    }

    public SlotId Id { get; }

    public CallPhase Phase { get; private set; } = CallPhase.Joining;

    public CallRecord Record { get; }

    public MonoTime InvitedAt { get; }

    public SipDialog Dialog => _sip.Dialog;

    internal MediaReservation Reservation => _media.Reservation;

    /// <summary>What the policy said last; its caps are taken.</summary>
    internal Verdict Verdict { get; set; }

    /// <summary>What the policy is asked about.</summary>
    internal CallFacts Facts => _transfers.Facts;

    /// <summary>Decides about those who speak in it from elsewhere.</summary>
    internal ForeignProof Proof { get; }

    internal bool IsAnswered => _isAnswered;

    /// <summary>The caller's side knows its dialog: the ACK came, or RTP that stands for it.</summary>
    internal bool IsEstablished => _isConfirmed || _hasHeardCaller;

    internal bool IsBridged => Phase is CallPhase.Answered or CallPhase.Connected;

    /// <summary>The caller's codec; null before it is agreed.</summary>
    internal SipAudioCodec? SipCodec => _sip.Audio?.Codec;

    /// <summary>The room server confirmed our leave: the room port may be used again at once.</summary>
    internal bool HasLeft => _room.HasLeft;

    /// <summary>The earliest time at which <see cref="HandleTimeout"/> has work.</summary>
    public MonoTime NextDeadline
    {
        get
        {
            MonoTime next = MonoTime.Min(_room.NextDeadline, _isAnswered ? MonoTime.Min(_endAt, _transfers.NextDeadline) : MonoTime.Never);
            return Phase switch
            {
                CallPhase.Asking => MonoTime.Min(next, _admission.NextDeadline),
                CallPhase.Joining or CallPhase.Ringing => MonoTime.Min(next, MonoTime.Min(_answerAt, MonoTime.Min(_nextRing, _ringUntil))),
                CallPhase.Answered or CallPhase.Connected => MonoTime.Min(next, MonoTime.Min(_activeAt, AloneAt)),
                CallPhase.Parting => MonoTime.Min(next, _partAt),
                _ => MonoTime.Min(_room.NextDeadline, _leaveAt),
            };
        }
    }

    private bool IsWaiting => Phase is CallPhase.Joining or CallPhase.Ringing;

    internal void Start(MonoTime now)
    {
        _services.Media.Open(Id, _media);
        if (Verdict.Kind == VerdictKind.AskPin)
        {
            Ask(now);
        }
        else
        {
            Enter(Verdict.Room, now);
            BeginRinging(now);
        }
        Drain(now);
    }

    /// <summary>Whether the caller is gone without a word: answered, expected to speak, and not heard for a while.</summary>
    internal bool IsDead(MonoTime now)
    {
        if (!_isAnswered || Phase >= CallPhase.Ending)
        {
            return Phase >= CallPhase.Ending;
        }
        MonoTime heard = _media.HeardAt > _answeredAt ? _media.HeardAt : _answeredAt;
        return _sip.IsReceiving && !_transfers.IsTimeoutResting && now - heard > _services.Limits.DeadLegSilence;
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
                End(_transfers.IsGivenAway
                    ? new Outcome(EndedBy.Caller, "transferred", "the caller was transferred and hung up", 200, 16)
                    : Outcome.Hangup(EndedBy.Caller, "the caller hung up"), now);
                break;
            case SipEventKind.RequestSucceeded:
            case SipEventKind.RequestFailed:
            case SipEventKind.NotifyReceived:
                _transfers.HandleSip(e, now);
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
                _transfers.HandleRefer(e, now);
                break;
            case SipEventKind.OtherRequest:
                Dialog.Respond(e.Request, 405, default, default, now);
                break;
            case SipEventKind.Prack:
                HandlePrack(e, now);
                break;
            case SipEventKind.TargetUnknown:
                Reroute("next_hop_unknown", "the name of the next hop is not known to the DNS (yet); the call's own flow is used");
                break;
            case SipEventKind.TargetFailed:
                Reroute("next_hop_failed", $"{(e.Status == 408 ? "no answer to" : "no service for")} {e.Method.ToString().ToUpperInvariant()} there; the next place is tried");
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
        Drain(now);
    }

    internal void HandleSocket(in SocketInput input, MonoTime now)
    {
        _room.HandleSocket(input, now);
        Drain(now);
    }

    internal void HandleMedia(in CallEvent e, MonoTime now)
    {
        switch (e.Kind)
        {
            case CallEventKind.Peer:
                _room.HandlePeer(e.Number, (PeerEvent)e.Payload!, now);
                break;
            case CallEventKind.FirstPacket:
                _hasHeardCaller = true;
                SetActive(now);
                _transfers.Send(now);
                break;
            case CallEventKind.Dtmf:
                HandleDigit((char)e.Number, isInfo: false, now);
                break;
            case CallEventKind.Played:
                HandlePlayed(e.Number, now);
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
        Drain(now);
    }

    internal void HandleTimeout(MonoTime now)
    {
        _room.HandleTimeout(now);
        _admission.HandleTimeout(now);
        _transfers.HandleTimeout(now);
        Drain(now);
        if (IsWaiting && now >= _ringUntil)
        {
            EndRefused(RefusalCode.RingTimeout, DescribeRingTimeout(now), now);
        }
        else if (IsWaiting && now >= _answerAt)
        {
            Answer(now);
        }
        else if (IsWaiting && now >= _nextRing)
        {
            Ring(now);
        }
        if (_isAnswered && now >= _endAt)
        {
            End(new Outcome(EndedBy.Us, "max_duration", "the call reached its longest duration", 200, 102), now);
        }
        if (IsBridged && now >= AloneAt)
        {
            HandleAlone(now);
        }
        if (Phase == CallPhase.Parting && now >= _partAt)
        {
            End(_parting, now);
        }
        if (now >= _activeAt)
        {
            SetActive(now);
        }
        if (now >= _leaveAt)
        {
            LeaveRoom(now);
            Drain(now);
        }
    }

    /// <summary>Ends the call from outside: hang-up by an operator, drain, fault.</summary>
    internal void End(in Outcome reason, MonoTime now, ReadOnlySpan<byte> extraHeaders = default)
    {
        if (Phase >= CallPhase.Ending)
        {
            return;
        }
        // Whoever is quicker than the last message: the room is why the call ends.
        Outcome outcome = Phase == CallPhase.Parting ? _parting : reason;
        Phase = CallPhase.Ending;
        _admission.Drop();
        _transfers.HandleDialogEnded(now);
        _transfers.EndReferral("failed", outcome.SipStatus >= 300 ? outcome.SipStatus : 487, now);
        Record.Code = outcome.Code;
        Record.Sentence = outcome.Sentence;
        Record.EndedBy = outcome.By.ToString().ToLowerInvariant();
        // A 200 that still waited for a PRACK never went out.
        Record.AnsweredMs = Dialog.State == SipDialogState.Early || Dialog.FinalStatus >= 300 ? -1 : Record.AnsweredMs;
        Record.SipStatus = Record.AnsweredMs >= 0 ? 200 : outcome.SipStatus;
        Record.EndedMs = Elapsed(now);
        Span<byte> buffer = stackalloc byte[CallHeaders.Max];
        var headers = new Proxy.Sip.Writing.SipHeaderLines(buffer);
        headers.AddLines(extraHeaders);
        AddMapped(ref headers);
        _sip.End(outcome, outcome.SipStatus, headers.Written, now);
        if (Record.JoinedMs >= 0 && !_room.IsEnded)
        {
            _room.SetStatus(CallStatus.Hangup, now);
            _leaveAt = now + s_farewell;
            Command(CallCommandKind.StopSip, null);
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
        Command(CallCommandKind.Close, null);
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

    internal void Command(CallCommandKind kind, object? payload) => _services.Media.Command(Id, _media, new CallCommand(kind, payload));

    private void Drain(MonoTime now)
    {
        _admission.Drain(now);
        _transfers.Drain(now);
        while (_room.TryPoll(out RoomEvent? e))
        {
            HandleRoom(e!, now);
        }
        ConsiderAnswer(now);
        ChooseSound();
    }

    /// <summary>What a caller hears instead of the room: ringing while it is transferred, else a tone while the rule waits for somebody to come.</summary>
    private void ChooseSound()
    {
        short[]? sound = _transfers.IsRinging ? _services.Prompts.Ringback : AloneAt.IsNever ? null : _services.Prompts.Alone;
        if (!IsBridged || sound == _sound)
        {
            return;
        }
        if (sound == _services.Prompts.Alone)
        {
            _services.Comforts.Alone++;
            Flag("hold_tone");
        }
        _sound = sound;
        Command(CallCommandKind.Play, sound is null ? null : new Playback(sound, 0, Repeats: true));
    }

    private void HandlePlayed(int number, MonoTime now)
    {
        if (Phase == CallPhase.Parting && number == PartingNumber)
        {
            End(_parting, now);
            return;
        }
        _admission.HandlePlayed(number, now);
    }

    private void Flag(string what)
    {
        if (!Record.Flags.Contains(what))
        {
            Record.Flags.Add(what);
        }
    }

    /// <summary>The 200 comes first: without it no digit can be heard.</summary>
    private void Ask(MonoTime now)
    {
        Phase = CallPhase.Asking;
        _admission.Prepare();
        if (_isAnswered || TryAccept(now))
        {
            _admission.Begin(now);
        }
    }

    /// <summary>The answer came, or never will.</summary>
    internal void HandleAnswer(Question question, in DeferredAnswer answer, MonoTime now)
    {
        _admission.HandleAnswer(question, answer, now);
        Drain(now);
    }

    /// <summary>The right PIN: the room is joined now, and the caller hears ringing until somebody there can be heard.</summary>
    internal void Admit(Verdict verdict, MonoTime now)
    {
        _services.Caps.Move(Verdict.Caps, verdict.Caps, now);
        Verdict = verdict;
        Record.RuleId = verdict.RuleId;
        Record.PolicyVersion = verdict.PolicyVersion;
        Record.PinMs = Elapsed(now);
        PlayRingback();
        _ringSince = now;
        _ringUntil = now + RingingTimeout;
        EnterNext(now);
    }

    /// <summary>Into the verdict's room as soon as the one before, if any, is left.</summary>
    private void EnterNext(MonoTime now)
    {
        if (_isMoving)
        {
            Phase = CallPhase.Joining;
            return;
        }
        Enter(Verdict.Room, now);
        _services.Observer.Entering(Record);
    }

    /// <summary>Asks the caller's side to call somebody else instead (REFER); a second wish for the same target waits for the first.</summary>
    /// <param name="done">Hears the outcome, once.</param>
    internal void Transfer(TransferRequest request, Action<TransferOutcome> done, MonoTime now)
    {
        if (_transfers.TryBegin(request, done, now))
        {
            Drain(now);
        }
    }

    /// <summary>The verdict about a REFER of the caller's side, which had to wait for an answer.</summary>
    internal void CarryReferral(Verdict verdict, MonoTime now) => _transfers.Carry(verdict, now);

    /// <summary>Headers of our messages to the caller that the rule makes of the participant's attributes.</summary>
    internal void AddMapped(ref Proxy.Sip.Writing.SipHeaderLines headers) => CallHeaders.AddMapped(ref headers, Verdict, _room.Attributes);

    internal double Elapsed(MonoTime now) => (now - InvitedAt).TotalMilliseconds;

    /// <summary>Another dialog of the caller's side takes the place of ours (RFC 3891): its audio is the call's from now on, the old dialog gets a BYE.</summary>
    /// <returns>Not accepted when the offer cannot be taken; nothing has changed then.</returns>
    internal AnswerVerdict TakeOver(SipDialog dialog, in SipMessageView invite, MonoTime now)
    {
        var sip = new SipLeg(dialog, Verdict, _services.Limits);
        invite.TryGetSdp(out ReadOnlySpan<byte> offer);
        var local = new Proxy.Core.Net.NetEndPoint(_services.MediaAddress(Dialog.Flow), (ushort)_media.Reservation.SipPort);
        AnswerVerdict answer = sip.Open(offer, local, default, _services.AnswersSecureInClear, _services.Random);
        Span<byte> buffer = stackalloc byte[CallHeaders.Max];
        var headers = new Proxy.Sip.Writing.SipHeaderLines(buffer);
        CallHeaders.AddStatic(ref headers, Verdict);
        AddMapped(ref headers);
        if (!answer.IsAccepted || !dialog.Accept(sip.Description, headers.Written, now))
        {
            return answer.IsAccepted ? new AnswerVerdict(AnswerCode.TooLong) : answer;
        }
        if (_transfers.IsReferred)
        {
            _admission.Drop();
            _transfers.EndReferral("failed", 487, now);
        }
        SipLeg old = _sip;
        (_sip, _isConfirmed) = (sip, false);
        Phase = Phase == CallPhase.Connected ? CallPhase.Answered : Phase;
        (dialog.Owner, dialog.AllowedSources, dialog.Login, dialog.Judge) = (this, old.Dialog.AllowedSources, old.Dialog.Login, old.Dialog.Judge);
        // What is under way in the old dialog ends with it.
        _transfers.HandleDialogEnded(now);
        old.Dialog.Owner = null;
        old.End(Outcome.Hangup(EndedBy.Us, "replaced"), 480, default, now);
        _transfers.NoteReplaced(invite.CallId, now);
        if (sip.Audio is not null)
        {
            StartMedia(CallCommandKind.Renegotiate);
        }
        Drain(now);
        return answer;
    }

    /// <summary>Out of the room; when that is done, and the right PIN was keyed where one is asked, into the other one. The caller hears ringing
    /// until somebody there can be heard.</summary>
    internal void Move(Verdict verdict, MonoTime now)
    {
        Verdict = verdict;
        Record.RuleId = verdict.RuleId;
        Record.PolicyVersion = verdict.PolicyVersion;
        Phase = CallPhase.Joining;
        _isRejoining = false;
        (_isMoving, _hasAudience, _roomExisted, _hasFallenBack, _dispatchFailure) = (true, false, false, false, "");
        (_answerAt, _activeAt, _nextRing) = (MonoTime.Never, MonoTime.Never, MonoTime.Never);
        _ringSince = now;
        _ringUntil = now + RingingTimeout;
        _room.Leave(now);
        if (verdict.Kind == VerdictKind.AskPin)
        {
            Command(CallCommandKind.Deafen, true);
            Ask(now);
        }
        else
        {
            PlayRingback();
        }
    }

    /// <summary>An agent may ask for a transfer and go: the caller is not alone for that.</summary>
    private MonoTime AloneAt => _transfers.IsTransferring ? MonoTime.Never : _company.AloneAt;

    private TimeSpan RingingTimeout => Verdict.RingingTimeout > TimeSpan.Zero ? Verdict.RingingTimeout : _services.Limits.RingingTimeout;

    internal void PlayRingback()
    {
        _sound = null;
        _transfers.StopRinging();
        Command(CallCommandKind.Deafen, true);
        Command(CallCommandKind.Play, new Playback(_services.Prompts.Ringback, 0, Repeats: true));
    }

    private void Enter(string room, MonoTime now)
    {
        Phase = CallPhase.Joining;
        (_isRejoining, _hasJoined) = (false, false);
        _company.Reset();
        // Who keyed a PIN was answered before the room knew of the call.
        string status = _isAnswered ? CallStatus.Active : CallStatus.Ringing;
        _room.Enter(_seats.Take(this, room, status, now), now);
    }

    private void BeginRinging(MonoTime now)
    {
        _ringSince = now;
        _ringUntil = now + RingingTimeout;
        _hasEarlyMedia = Verdict.AnswerMode == AnswerMode.EarlyMedia && (_sip.Audio is not null || Dialog.TakesReliable);
        BeginEarlyMedia();
        Ring(now);
    }

    /// <summary>As soon as the session is agreed on: with the INVITE, or with the PRACK that answers our offer.</summary>
    private void BeginEarlyMedia()
    {
        if (_hasEarlyMedia && _sip.Audio is not null)
        {
            StartMedia(CallCommandKind.StartSip);
            PlayRingback();
        }
    }

    private void Ring(MonoTime now)
    {
        if (_hasEarlyMedia)
        {
            Dialog.Progress(_sip.Description, now);
            _nextRing = now + s_progressInterval;
            return;
        }
        Dialog.Ring(now, _sip.IsLateOffer ? _sip.Description : default);
        _nextRing = now + _services.Limits.RingingInterval;
    }

    private void HandleRoom(RoomEvent e, MonoTime now)
    {
        if (_isMoving && e.Kind != RoomEventKind.Ended)
        {
            return;
        }
        switch (e.Kind)
        {
            case RoomEventKind.Joined:
                Record.RoomSid = e.RoomSid;
                Record.ParticipantSid = e.ParticipantSid;
                if (!_hasJoined)
                {
                    _hasJoined = true;
                    Record.JoinedMs = Elapsed(now);
                    DispatchAgents(e.RoomExisted);
                }
                break;
            case RoomEventKind.PublishReady:
                Record.RoomCodec = e.Publish!.Codec.ToString().ToLowerInvariant();
                break;
            case RoomEventKind.Active:
                Record.MediaReadyMs = _isRejoining ? Record.MediaReadyMs : Elapsed(now);
                Phase = Phase == CallPhase.Joining ? CallPhase.Ringing : Phase;
                break;
            case RoomEventKind.TrackAdded:
                _hasAudience = true;
                break;
            case RoomEventKind.ParticipantJoined:
                // Another phone in the room waits as we do: neither would ever be answered.
                _hasAudience |= e.Participant!.Kind == RemoteKind.Sip;
                _company.Joined(e.Participant);
                break;
            case RoomEventKind.ParticipantLeft:
                _company.Left(e.Participant!, Verdict, now);
                break;
            case RoomEventKind.Dtmf:
                if (IsBridged)
                {
                    Command(CallCommandKind.SendDtmf, e.Text);
                }
                break;
            case RoomEventKind.Rpc:
                HandleMethod(e, now);
                break;
            case RoomEventKind.Ended:
                HandleRoomEnded(e, now);
                break;
            default:
                break;
        }
    }

    /// <summary>Somebody in the room calls a method of the caller's participant.</summary>
    private void HandleMethod(RoomEvent e, MonoTime now)
    {
        if (e.Text == RoomMethods.GetRemoteHeaders)
        {
            _room.Answer(RoomMethods.TellHeaders(e, _facts, Record.CallId, Verdict.HidesNumber));
            return;
        }
        if (e.Text != RoomMethods.EndCall)
        {
            _room.Answer(RoomMethods.Unknown(e));
            return;
        }
        List<KeyValuePair<string, string>> wanted = [];
        bool isUnderstood = RoomMethods.TryReadEnd(e, wanted, out RpcAnswer answer);
        _room.Answer(answer);
        if (!isUnderstood)
        {
            return;
        }
        Span<byte> buffer = stackalloc byte[CallHeaders.Max];
        var headers = new Proxy.Sip.Writing.SipHeaderLines(buffer);
        foreach ((string name, string value) in wanted)
        {
            CallHeaders.Add(ref headers, name, value);
        }
        End(new Outcome(EndedBy.Room, "end_call", "a participant of the room ended the call (lk.sip.EndCall)", _isAnswered ? 200 : 486, _isAnswered ? 16 : 17), now, headers.Written);
    }

    private void HandleRoomEnded(RoomEvent e, MonoTime now)
    {
        if (Phase >= CallPhase.Parting)
        {
            return;
        }
        string code = RoomOutcome.Code(e.End);
        if (_isMoving)
        {
            _isMoving = false;
            if (Phase != CallPhase.Asking)
            {
                EnterNext(now);
            }
        }
        else if (e.End == RoomEnd.DuplicateIdentity && !IsDead(now) && (_lostIdentities?.Count ?? 0) < _services.Limits.RoomRejoins)
        {
            Rejoin(now);
        }
        else if (IsBridged || _isRejoining)
        {
            EndByRoom(new Outcome(EndedBy.Room, code, e.Text, 200, RoomOutcome.Cause(e.End)), RoomOutcome.IsByWish(e.End), now);
        }
        else if (RoomOutcome.IsByWish(e.End))
        {
            End(new Outcome(EndedBy.Room, code, e.Text, 480, 31), now);
        }
        else if (Phase == CallPhase.Joining && Verdict.FallbackRoom.Length > 0 && !_hasFallenBack)
        {
            _hasFallenBack = true;
            Record.Flags.Add("fallback_room");
            Enter(Verdict.FallbackRoom, now);
            _services.Observer.Entering(Record);
        }
        else if (Dialog.State == SipDialogState.Confirmed)
        {
            Refusal refusal = _services.Refusals[WhyNoRoom(e.End)];
            EndByRoom(new Outcome(EndedBy.Us, Refusals.Name(WhyNoRoom(e.End)), e.Text, refusal.Status, refusal.Q850Cause), isWish: false, now);
        }
        else
        {
            EndRefused(WhyNoRoom(e.End), e.Text, now);
        }
    }

    private static RefusalCode WhyNoRoom(RoomEnd end) => RoomOutcome.IsBackend(end) ? RefusalCode.BackendDown : RefusalCode.JoinFailed;

    /// <summary>An answered call whose room failed ends when its caller was told; one that cannot hear us, or that somebody ended, at once.</summary>
    private void EndByRoom(in Outcome outcome, bool isWish, MonoTime now)
    {
        short[] message = _services.Prompts.RoomLost;
        if (isWish || message.Length == 0 || !_sip.IsSending || Dialog.State != SipDialogState.Confirmed)
        {
            End(outcome, now);
            return;
        }
        Phase = CallPhase.Parting;
        _parting = outcome;
        _admission.Drop();
        _transfers.EndReferral("failed", outcome.SipStatus >= 300 ? outcome.SipStatus : 487, now);
        // A little more than it takes, for the shard's grid; its end is told.
        _partAt = MonoTime.Min(now.AddMillis((message.Length / 8) + 200), now + _services.Limits.Parting);
        _services.Comforts.RoomLost++;
        Flag("told_room_lost");
        Command(CallCommandKind.Deafen, true);
        Command(CallCommandKind.Play, new Playback(message, PartingNumber));
    }

    /// <summary>The same caller came into the room through another node, and the room server put us out: we come back beside it; a caller
    /// who was answered hears a gap and no ringing.</summary>
    private void Rejoin(MonoTime now)
    {
        if (IsBridged)
        {
            _isRejoining = true;
            (_answerAt, _nextRing) = (MonoTime.Never, MonoTime.Never);
            _ringUntil = now + RingingTimeout;
        }
        Phase = CallPhase.Joining;
        string lost = Record.Identity;
        List<string> notAgain = _lostIdentities ??= [];
        notAgain.Add(lost);
        RoomRequest request = _seats.Take(this, Record.Room, _room.Attributes[CallStatus.Key], now, identity => notAgain.Contains(identity) || _company.Has(identity));
        _company.Reset();
        // What an agent changed of us stays changed.
        _room.Enter(request with { Attributes = _room.Attributes }, now);
        Flag("identity_taken");
        _services.Observer.Rejoining(Record, lost);
    }

    /// <summary>The sides are joined when somebody can be heard: a remote audio track that is wired through, or another phone.</summary>
    private void ConsiderAnswer(MonoTime now)
    {
        if (Phase != CallPhase.Ringing || Dialog.IsPrackAnswerDue)
        {
            return;
        }
        bool isReady = _isRejoining || Verdict.AnswerMode == AnswerMode.AtOnce || _room.HasRemoteAudio || (_hasAudience && now >= _answerAt);
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

    /// <summary>Caller and room hear each other from here on; the 200 goes out unless it did before (PIN).</summary>
    private void Answer(MonoTime now)
    {
        _answerAt = MonoTime.Never;
        if (Dialog.IsPrackAnswerDue)
        {
            // The caller's side has not said yet how it can be heard; its PRACK comes back to here.
            return;
        }
        bool hadRingback = _isAnswered || _hasEarlyMedia;
        if (!_isAnswered && !TryAccept(now))
        {
            return;
        }
        if (hadRingback)
        {
            Command(CallCommandKind.Play, null);
            Command(CallCommandKind.Deafen, false);
        }
        Phase = _isConfirmed ? CallPhase.Connected : CallPhase.Answered;
        _isRejoining = false;
        Record.BridgedMs = Record.BridgedMs < 0 ? Elapsed(now) : Record.BridgedMs;
        _transfers.EndReferral("moved", 200, now);
        SetActive(now);
    }

    private bool TryAccept(MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[CallHeaders.Max];
        var headers = new Proxy.Sip.Writing.SipHeaderLines(buffer);
        CallHeaders.AddStatic(ref headers, Verdict);
        AddMapped(ref headers);
        if (!Dialog.Accept(_sip.Description, headers.Written, now))
        {
            EndRefused(RefusalCode.Internal, "the answer could not be sent", now);
            return false;
        }
        _isAnswered = true;
        _answeredAt = now;
        Record.AnsweredMs = Elapsed(now);
        TimeSpan longest = Verdict.MaxCallDuration > TimeSpan.Zero ? Verdict.MaxCallDuration : _services.Limits.CallDuration;
        _endAt = now + longest;
        _activeAt = Verdict.Kind == VerdictKind.AskPin ? MonoTime.Never : now + s_activeWait;
        if (_sip.Audio is not null)
        {
            StartMedia(_hasEarlyMedia ? CallCommandKind.Renegotiate : CallCommandKind.StartSip);
        }
        _services.Observer.Answered(Record);
        return true;
    }

    private void StartMedia(CallCommandKind kind)
    {
        NegotiatedAudio audio = _sip.Audio!;
        Record.SipCodec = audio.Codec == SipAudioCodec.Pcma ? "PCMA/8000" : "PCMU/8000";
        Record.SrtpProfile = audio.Srtp?.ToString() ?? "";
        Command(kind, _sip.ToMedia(isAnswered: _isAnswered));
    }

    private void Confirm(in SipEvent e, MonoTime now)
    {
        if (!_isConfirmed)
        {
            _isConfirmed = true;
            Record.ConfirmedMs = Elapsed(now);
            Phase = Phase == CallPhase.Answered ? CallPhase.Connected : Phase;
            _transfers.Send(now);
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
        bool isFirst = Record.SipCodec.Length == 0;
        AnswerVerdict verdict = _sip.TakeAnswer(answer);
        if (!verdict.IsAccepted)
        {
            End(new Outcome(EndedBy.Us, "media_not_acceptable", verdict.WarningText, 200, 88), now);
            return;
        }
        StartMedia(isFirst ? CallCommandKind.StartSip : CallCommandKind.Renegotiate);
    }

    /// <summary>The answer to our offer in a 180 or 183; or another offer, which the PRACK's 200 answers (RFC 3262 §5). What cannot be taken ends the call: a PRACK is never refused.</summary>
    private void HandlePrack(in SipEvent e, MonoTime now)
    {
        bool isThere = SipMessageView.TryParse(e.RequestBytes, out SipMessageView prack, out _);
        isThere &= prack.TryGetSdp(out ReadOnlySpan<byte> sdp);
        if (!e.Request.IsNone)
        {
            AnswerVerdict taken = _sip.TakeOffer(sdp);
            if (!taken.IsAccepted)
            {
                Dialog.Recall();
            }
            Dialog.Respond(e.Request, 200, taken.IsAccepted ? _sip.Description : _sip.Refuse(sdp), default, now);
            FollowOffer(taken, now);
        }
        else if (_sip.IsLateOffer)
        {
            AnswerVerdict answered = isThere ? _sip.TakeAnswer(sdp) : new AnswerVerdict(AnswerCode.BadAnswer);
            if (answered.IsAccepted)
            {
                BeginEarlyMedia();
            }
            else
            {
                EndUnagreed(answered, now);
            }
        }
    }

    /// <summary>The session changed, or could not be kept, before the answer.</summary>
    private void FollowOffer(in AnswerVerdict verdict, MonoTime now)
    {
        if (!verdict.IsAccepted)
        {
            EndUnagreed(verdict, now);
        }
        else if (_isAnswered || _hasEarlyMedia)
        {
            StartMedia(CallCommandKind.Renegotiate);
        }
    }

    /// <summary>No session came about by PRACK: the INVITE is refused.</summary>
    private void EndUnagreed(in AnswerVerdict verdict, MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[256];
        var headers = new Proxy.Sip.Writing.SipHeaderLines(buffer);
        AddWarning(ref headers, verdict, _services.AgentName);
        End(new Outcome(EndedBy.Us, "media_not_acceptable", verdict.WarningText, 488, 88), now, headers.Written);
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
        FollowOffer(verdict, now);
    }

    /// <summary>INFO with <c>application/dtmf-relay</c> or <c>application/dtmf</c> is a key press; anything else is taken and ignored.</summary>
    private void HandleInfo(in SipEvent e, MonoTime now)
    {
        bool isThere = SipMessageView.TryParse(e.RequestBytes, out SipMessageView request, out _);
        if (isThere && InfoDigits.TryRead(request.ContentType, request.Body, out char digit))
        {
            HandleDigit(digit, isInfo: true, now);
        }
        Dialog.Respond(e.Request, 200, default, default, now);
    }

    /// <summary>A digit is part of a PIN, or for the room; while the caller hears ringing it is for nobody.</summary>
    private void HandleDigit(char digit, bool isInfo, MonoTime now)
    {
        if (Phase == CallPhase.Asking)
        {
            _admission.Press(digit, isInfo, now);
        }
        else if (IsBridged || _isRejoining)
        {
            _room.SendDtmf(digit, now);
        }
    }

    private void Reroute(string flag, string what)
    {
        // The BYE may outlive the call: its record is given away then.
        if (Phase < CallPhase.Over && !Record.Flags.Contains(flag))
        {
            Record.Flags.Add(flag);
        }
        _services.Observer.Rerouted(Record, what);
    }

    private void SetActive(MonoTime now)
    {
        if (_activeAt.IsNever || !IsBridged || (!_hasHeardCaller && now < _activeAt))
        {
            return;
        }
        _activeAt = MonoTime.Never;
        _room.SetStatus(CallStatus.Active, now);
    }

    internal void EndRefused(RefusalCode code, string sentence, MonoTime now)
    {
        Refusal refusal = _services.Refusals[code];
        Span<byte> buffer = stackalloc byte[256];
        var headers = new Proxy.Sip.Writing.SipHeaderLines(buffer);
        if (!_isAnswered && refusal.RetryAfterSeconds > 0)
        {
            headers.Add("Retry-After", refusal.RetryAfterSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        if (!_isAnswered && Verdict.MayTellWhy && refusal.Q850Cause > 0)
        {
            headers.Add("Reason", $"Q.850;cause={refusal.Q850Cause};text=\"{Refusals.Name(code)}\"");
        }
        End(new Outcome(EndedBy.Us, Refusals.Name(code), sentence, refusal.Status, refusal.Q850Cause), now, headers.Written);
    }

    /// <summary>Everybody else left, and the rule says what then.</summary>
    private void HandleAlone(MonoTime now)
    {
        if (_company.AsksAgain(Verdict, RingingTimeout, now))
        {
            Record.Flags.Add("agents_asked_again");
            _services.Dispatcher?.Dispatch(Id, Record.CallId, Record.Room, Verdict.RoomConfigJson);
            return;
        }
        End(new Outcome(EndedBy.Us, "alone", "everybody else had left the room", 200, 16), now);
    }

    /// <summary>Our token's agents are dispatched only by the join that makes the room: for others the rule may ask for it explicitly.</summary>
    private void DispatchAgents(bool roomExisted)
    {
        _roomExisted = roomExisted;
        if (roomExisted && Verdict.DispatchAgentsAlways && Verdict.Agents.Length > 0)
        {
            _services.Dispatcher?.Dispatch(Id, Record.CallId, Record.Room, Verdict.RoomConfigJson);
        }
    }

    /// <summary>The room server did not take an explicit dispatch.</summary>
    internal void HandleDispatchFailure(string why)
    {
        _dispatchFailure = why;
        Record.Flags.Add("agents_not_dispatched");
    }

    private string DescribeRingTimeout(MonoTime now) => RingTimeoutText.Describe(
        Verdict with { Room = Record.Room },
        new RingTimeoutFacts(Phase != CallPhase.Joining, _roomExisted, _dispatchFailure, now - _ringSince, _services.Agents));

    internal static void AddWarning(ref Proxy.Sip.Writing.SipHeaderLines headers, in AnswerVerdict verdict, string agent)
    {
        if (verdict.WarningCode > 0)
        {
            headers.Add("Warning", $"{verdict.WarningCode} {agent} \"{verdict.WarningText}\"");
        }
    }
}
