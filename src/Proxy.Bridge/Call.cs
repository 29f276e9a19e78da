using System;
using Proxy.Bridge.Media;
using Proxy.Bridge.Records;
using Proxy.Bridge.Rooms;
using Proxy.Bridge.Transfers;
using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Deferred;
using Proxy.Policy.Dispatch;
using Proxy.Sdp;
using Proxy.Sip;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;
using Proxy.Sip.Writing;
using Proxy.WebRtc;

namespace Proxy.Bridge;

// Over 500 lines because it is the one state machine that docs/architecture.md draws: what a step does is a file of its own, with the state that only
// it needs (CallerSide, RoomSide, Admission, TransferDesk, CallerSound, ForeignProof); which step follows which stays together here.

/// <summary>Signal thread. One call: a SIP leg and a room leg, and what happens between them. Its media lives on a shard.</summary>
public sealed class Call
{
    private static readonly TimeSpan s_downlinkWait = TimeSpan.FromMilliseconds(500);
    /// <summary>Between <c>sip.callStatus = hangup</c> and our leave: clients that get both at once tell their user only the second.</summary>
    private static readonly TimeSpan s_farewell = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_activeWait = TimeSpan.FromSeconds(1);

    private readonly CallServices _services;
    private readonly CallerSide _caller;
    private readonly CallMedia _media;
    private readonly RoomStay _room;
    private readonly RoomSide _roomSide;
    private readonly Admission _admission;
    private readonly TransferDesk _transfers;
    private readonly CallerSound _sound;
    private MonoTime _nextRing = MonoTime.Never;
    private MonoTime _ringSince;
    private MonoTime _ringUntil = MonoTime.Never;
    private MonoTime _answerAt = MonoTime.Never;
    private MonoTime _endAt = MonoTime.Never;
    private MonoTime _activeAt = MonoTime.Never;
    private MonoTime _leaveAt = MonoTime.Never;
    private bool _isMediaClosed;

    internal Call(SlotId id, CallServices services, in CallFacts facts, Verdict verdict, SipLeg sip, CallMedia media, RoomSeats seats, Questions questions, CallRecord record, MonoTime invitedAt)
    {
        Id = id;
        Verdict = verdict;
        Record = record;
        InvitedAt = invitedAt;
        Proof = new ForeignProof(this, services, facts);
        _services = services;
        _media = media;
        _room = new RoomStay(id, services, media);
        _caller = new CallerSide(this, services, sip);
        _roomSide = new RoomSide(this, services, facts, _room, seats);
        _admission = new Admission(this, services, questions);
        _transfers = new TransferDesk(this, services, facts, _admission);
        _sound = new CallerSound(this, services, _transfers);
    }

    public SlotId Id { get; }

    public CallPhase Phase { get; private set; } = CallPhase.Joining;

    public CallRecord Record { get; }

    public MonoTime InvitedAt { get; }

    public SipDialog Dialog => _caller.Dialog;

    internal MediaReservation Reservation => _media.Reservation;

    /// <summary>What the policy said last; its caps are taken.</summary>
    internal Verdict Verdict { get; set; }

    /// <summary>What the policy is asked about.</summary>
    internal CallFacts Facts => _transfers.Facts;

    /// <summary>Decides about those who speak in it from elsewhere.</summary>
    internal ForeignProof Proof { get; }

    internal bool IsAnswered => _caller.IsAnswered;

    /// <summary>The caller's side knows its dialog: the ACK came, or RTP that stands for it.</summary>
    internal bool IsEstablished => _caller.IsConfirmed || _caller.IsHeard;

    internal bool IsBridged => Phase is CallPhase.Answered or CallPhase.Connected;

    private bool IsWaiting => Phase is CallPhase.Joining or CallPhase.Ringing;

    /// <summary>An agent may ask for a transfer and go: the caller is not alone for that.</summary>
    private MonoTime AloneAt => _transfers.IsTransferring ? MonoTime.Never : _roomSide.AloneAt;

    private TimeSpan RingingTimeout => Verdict.RingingTimeout > TimeSpan.Zero ? Verdict.RingingTimeout : _services.Limits.RingingTimeout;

    /// <summary>The caller's codec; null before it is agreed.</summary>
    internal SipAudioCodec? SipCodec => _caller.Audio?.Codec;

    /// <summary>The room server confirmed our leave: the room port may be used again at once.</summary>
    internal bool HasLeft => _room.HasLeft;

    /// <summary>The earliest time at which <see cref="HandleTimeout"/> has work.</summary>
    public MonoTime NextDeadline
    {
        get
        {
            MonoTime next = MonoTime.Min(_room.NextDeadline, IsAnswered ? MonoTime.Min(_endAt, _transfers.NextDeadline) : MonoTime.Never);
            return Phase switch
            {
                CallPhase.Asking => MonoTime.Min(next, _admission.NextDeadline),
                CallPhase.Joining or CallPhase.Ringing => MonoTime.Min(next, MonoTime.Min(_answerAt, MonoTime.Min(_nextRing, _ringUntil))),
                CallPhase.Answered or CallPhase.Connected => MonoTime.Min(next, MonoTime.Min(_activeAt, AloneAt)),
                CallPhase.Parting => MonoTime.Min(next, _sound.PartAt),
                _ => MonoTime.Min(_room.NextDeadline, _leaveAt),
            };
        }
    }

    internal void Start(MonoTime now)
    {
        _services.Media.Open(Id, _media);
        if (Verdict.Kind == VerdictKind.AskPin)
        {
            Ask(now);
        }
        else
        {
            _roomSide.Enter(Verdict.Room, now);
            BeginRinging(now);
        }
        Drain(now);
    }

    /// <summary>Whether the caller is gone without a word: answered, expected to speak, and not heard for a while.</summary>
    internal bool IsDead(MonoTime now)
    {
        if (!IsAnswered || Phase >= CallPhase.Ending)
        {
            return Phase >= CallPhase.Ending;
        }
        MonoTime heard = _media.HeardAt > _caller.AnsweredAt ? _media.HeardAt : _caller.AnsweredAt;
        return _caller.IsReceiving && !_transfers.IsTimeoutResting && now - heard > _services.Limits.DeadLegSilence;
    }

    internal void HandleSip(in SipEvent e, MonoTime now)
    {
        switch (e.Kind)
        {
            case SipEventKind.Cancelled:
                End(new Outcome(EndedBy.Caller, "cancelled", "the caller hung up before the answer", 487, 0), now);
                break;
            case SipEventKind.ByeReceived:
                End(_transfers.IsGivenAway
                    ? new Outcome(EndedBy.Caller, "transferred", "the caller was transferred and hung up", 200, 16)
                    : Outcome.Hangup(EndedBy.Caller, "the caller hung up"), now);
                break;
            case SipEventKind.PrackTimeout:
                End(new Outcome(EndedBy.Us, "no_prack", "the caller did not acknowledge a reliable response (RFC 3262)", 504, 102), now);
                break;
            case SipEventKind.SessionExpired:
                End(new Outcome(EndedBy.Us, "session_expired", "the caller did not refresh the session in time (RFC 4028)", 200, 102), now);
                break;
            case SipEventKind.RequestSucceeded:
            case SipEventKind.RequestFailed:
            case SipEventKind.NotifyReceived:
                _transfers.HandleSip(e, now);
                break;
            case SipEventKind.Refer:
                _transfers.HandleRefer(e, now);
                break;
            default:
                _caller.HandleSip(e, now);
                break;
        }
        Drain(now);
    }

    internal void HandleSocket(in SocketInput input, MonoTime now)
    {
        _room.HandleSocket(input, now);
        Drain(now);
    }

    /// <summary>The room server did not take an explicit dispatch.</summary>
    internal void HandleDispatchFailure(string why) => _roomSide.HandleDispatchFailure(why);

    internal void HandleMedia(in CallEvent e, MonoTime now)
    {
        switch (e.Kind)
        {
            case CallEventKind.Peer:
                _room.HandlePeer(e.Number, (PeerEvent)e.Payload!, now);
                break;
            case CallEventKind.FirstPacket:
                _caller.IsHeard = true;
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
            EndRefused(RefusalCode.RingTimeout, _roomSide.DescribeRingTimeout(now - _ringSince), now);
        }
        else if (IsWaiting && now >= _answerAt)
        {
            Answer(now);
        }
        else if (IsWaiting && now >= _nextRing)
        {
            _nextRing = _caller.Ring(now);
        }
        if (IsAnswered && now >= _endAt)
        {
            End(new Outcome(EndedBy.Us, "max_duration", "the call reached its longest duration", 200, 102), now);
        }
        if (IsBridged && now >= AloneAt)
        {
            _roomSide.HandleAlone(RingingTimeout, now);
        }
        if (Phase == CallPhase.Parting && now >= _sound.PartAt)
        {
            End(_sound.Parting, now);
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
        Outcome outcome = Phase == CallPhase.Parting ? _sound.Parting : reason;
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
        _caller.End(outcome, extraHeaders, now);
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

    private void Drain(MonoTime now)
    {
        _admission.Drain(now);
        _transfers.Drain(now);
        _roomSide.Drain(now);
        ConsiderAnswer(now);
        _sound.Choose(AloneAt);
    }

    private void HandlePlayed(int number, MonoTime now)
    {
        if (Phase == CallPhase.Parting && CallerSound.IsParting(number))
        {
            End(_sound.Parting, now);
            return;
        }
        _admission.HandlePlayed(number, now);
    }

    /// <summary>The 200 comes first: without it no digit can be heard.</summary>
    private void Ask(MonoTime now)
    {
        Phase = CallPhase.Asking;
        _admission.Prepare();
        if (IsAnswered || TryAccept(now))
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
        StartClock(now);
        _roomSide.EnterNext(now);
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

    /// <summary>Another dialog of the caller's side takes the place of ours (RFC 3891): its audio is the call's from now on, the old dialog gets a BYE.</summary>
    /// <returns>Not accepted when the offer cannot be taken; nothing has changed then.</returns>
    internal AnswerVerdict TakeOver(SipDialog dialog, in SipMessageView invite, MonoTime now)
    {
        AnswerVerdict answer = _caller.Accept(dialog, invite, out SipLeg next, now);
        if (!answer.IsAccepted)
        {
            return answer;
        }
        if (_transfers.IsReferred)
        {
            _admission.Drop();
            _transfers.EndReferral("failed", 487, now);
        }
        SipLeg old = _caller.Become(next);
        Phase = Phase == CallPhase.Connected ? CallPhase.Answered : Phase;
        // What is under way in the old dialog ends with it.
        _transfers.HandleDialogEnded(now);
        old.Dialog.Owner = null;
        old.End(Outcome.Hangup(EndedBy.Us, "replaced"), 480, default, now);
        _transfers.NoteReplaced(invite.CallId, now);
        _caller.FollowNext();
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
        (_answerAt, _activeAt, _nextRing) = (MonoTime.Never, MonoTime.Never, MonoTime.Never);
        StartClock(now);
        _roomSide.Leave(now);
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

    /// <summary>A room is being joined.</summary>
    internal void BeginJoining() => Phase = CallPhase.Joining;

    /// <summary>The room of an answered call is joined again: as long as it may ring, without ringing.</summary>
    internal void WaitAgain(MonoTime now)
    {
        (_answerAt, _nextRing) = (MonoTime.Never, MonoTime.Never);
        _ringUntil = now + RingingTimeout;
    }

    /// <summary>The room's media is up.</summary>
    internal void HandleRoomActive() => Phase = Phase == CallPhase.Joining ? CallPhase.Ringing : Phase;

    private void BeginRinging(MonoTime now)
    {
        StartClock(now);
        _caller.BeginRinging();
        _nextRing = _caller.Ring(now);
    }

    /// <summary>The caller waits from here on.</summary>
    private void StartClock(MonoTime now)
    {
        _ringSince = now;
        _ringUntil = now + RingingTimeout;
    }

    /// <summary>An answered call whose room failed ends when its caller was told; one that cannot hear us, or that somebody ended, at once.</summary>
    internal void EndByRoom(in Outcome outcome, bool isWish, MonoTime now)
    {
        if (isWish || !_sound.CanTellRoomLost || !_caller.IsSending)
        {
            End(outcome, now);
            return;
        }
        Phase = CallPhase.Parting;
        _admission.Drop();
        _transfers.EndReferral("failed", outcome.SipStatus >= 300 ? outcome.SipStatus : 487, now);
        _sound.TellRoomLost(outcome, now);
    }

    /// <summary>The sides are joined when somebody can be heard: a remote audio track that is wired through, or another phone.</summary>
    private void ConsiderAnswer(MonoTime now)
    {
        if (Phase != CallPhase.Ringing || Dialog.IsPrackAnswerDue)
        {
            return;
        }
        bool isReady = _roomSide.IsRejoining || Verdict.AnswerMode == AnswerMode.AtOnce || _room.HasRemoteAudio || (_roomSide.HasAudience && now >= _answerAt);
        if (isReady)
        {
            Answer(now);
        }
        else if (_roomSide.HasAudience && _answerAt.IsNever)
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
        bool hadRingback = _caller.IsListening;
        if (!IsAnswered && !TryAccept(now))
        {
            return;
        }
        if (hadRingback)
        {
            _sound.GiveWay();
        }
        Phase = _caller.IsConfirmed ? CallPhase.Connected : CallPhase.Answered;
        _roomSide.HandleBridged();
        Record.BridgedMs = Record.BridgedMs < 0 ? Elapsed(now) : Record.BridgedMs;
        _transfers.EndReferral("moved", 200, now);
        SetActive(now);
    }

    private bool TryAccept(MonoTime now)
    {
        if (!_caller.TryAccept(now))
        {
            return false;
        }
        _endAt = now + (Verdict.MaxCallDuration > TimeSpan.Zero ? Verdict.MaxCallDuration : _services.Limits.CallDuration);
        _activeAt = Verdict.Kind == VerdictKind.AskPin ? MonoTime.Never : now + s_activeWait;
        return true;
    }

    /// <summary>The ACK came, the first one of this dialog.</summary>
    internal void HandleConfirmed(MonoTime now)
    {
        Record.ConfirmedMs = Elapsed(now);
        Phase = Phase == CallPhase.Answered ? CallPhase.Connected : Phase;
        _transfers.Send(now);
    }

    /// <summary>A digit is part of a PIN, or for the room; while the caller hears ringing it is for nobody.</summary>
    internal void HandleDigit(char digit, bool isInfo, MonoTime now)
    {
        if (Phase == CallPhase.Asking)
        {
            _admission.Press(digit, isInfo, now);
        }
        else if (IsBridged || _roomSide.IsRejoining)
        {
            _room.SendDtmf(digit, now);
        }
    }

    private void SetActive(MonoTime now)
    {
        if (_activeAt.IsNever || !IsBridged || (!_caller.IsHeard && now < _activeAt))
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
        var headers = new SipHeaderLines(buffer);
        if (!IsAnswered && refusal.RetryAfterSeconds > 0)
        {
            headers.Add("Retry-After", refusal.RetryAfterSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        if (!IsAnswered && Verdict.MayTellWhy && refusal.Q850Cause > 0)
        {
            headers.Add("Reason", $"Q.850;cause={refusal.Q850Cause};text=\"{Refusals.Name(code)}\"");
        }
        End(new Outcome(EndedBy.Us, Refusals.Name(code), sentence, refusal.Status, refusal.Q850Cause), now, headers.Written);
    }

    /// <summary>The verdict about a REFER of the caller's side, which had to wait for an answer.</summary>
    internal void CarryReferral(Verdict verdict, MonoTime now) => _transfers.Carry(verdict, now);

    internal void PlayRingback() => _sound.Ring();

    internal void Command(CallCommandKind kind, object? payload) => _services.Media.Command(Id, _media, new CallCommand(kind, payload));

    internal void Flag(string what)
    {
        if (!Record.Flags.Contains(what))
        {
            Record.Flags.Add(what);
        }
    }

    /// <summary>Headers of our messages to the caller that the rule makes of the participant's attributes.</summary>
    internal void AddMapped(ref SipHeaderLines headers) => CallHeaders.AddMapped(ref headers, Verdict, _room.Attributes);

    internal double Elapsed(MonoTime now) => (now - InvitedAt).TotalMilliseconds;
}
