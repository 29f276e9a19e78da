using System;
using System.Collections.Generic;
using Proxy.Bridge.Media;
using Proxy.Bridge.Records;
using Proxy.Bridge.Rooms;
using Proxy.Core.Time;
using Proxy.Participant;
using Proxy.Policy;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Writing;

namespace Proxy.Bridge;

/// <summary>Signal thread. The room's side of one call: which room it is in or goes to, who else is there, and what the end of a room means.</summary>
internal sealed class RoomSide
{
    private readonly Call _call;
    private readonly CallServices _services;
    private readonly CallFacts _facts;
    private readonly RoomStay _room;
    private readonly RoomSeats _seats;
    private readonly RoomCompany _company = new();
    private bool _isMoving;
    private bool _hasJoined;
    private bool _roomExisted;
    private bool _hasFallenBack;
    private List<string>? _lostIdentities;
    private string _dispatchFailure = "";

    public RoomSide(Call call, CallServices services, in CallFacts facts, RoomStay room, RoomSeats seats)
    {
        _call = call;
        _services = services;
        _facts = facts;
        _room = room;
        _seats = seats;
    }

    /// <summary>Somebody is there who wants to be heard.</summary>
    public bool HasAudience { get; private set; }

    /// <summary>An answered caller comes back into its room.</summary>
    public bool IsRejoining { get; private set; }

    /// <summary>When the rule wants something done because nobody else is there.</summary>
    public MonoTime AloneAt => _company.AloneAt;

    public void Enter(string room, MonoTime now)
    {
        _call.BeginJoining();
        (IsRejoining, _hasJoined) = (false, false);
        _company.Reset();
        // Who keyed a PIN was answered before the room knew of the call.
        string status = _call.IsAnswered ? CallStatus.Active : CallStatus.Ringing;
        _room.Enter(_seats.Take(_call, room, status, now), now);
    }

    /// <summary>Into the verdict's room as soon as the one before, if any, is left.</summary>
    public void EnterNext(MonoTime now)
    {
        if (_isMoving)
        {
            _call.BeginJoining();
            return;
        }
        Enter(_call.Verdict.Room, now);
        _services.Observer.Entering(_call.Record);
    }

    /// <summary>Out of the room, for another one.</summary>
    public void Leave(MonoTime now)
    {
        IsRejoining = false;
        (_isMoving, HasAudience, _roomExisted, _hasFallenBack, _dispatchFailure) = (true, false, false, false, "");
        _room.Leave(now);
    }

    /// <summary>Caller and room hear each other.</summary>
    public void HandleBridged() => IsRejoining = false;

    /// <summary>Takes what the room says; after every input of the call.</summary>
    public void Drain(MonoTime now)
    {
        while (_room.TryPoll(out RoomEvent? e))
        {
            Handle(e!, now);
        }
    }

    /// <summary>Everybody else left, and the rule says what then.</summary>
    public void HandleAlone(TimeSpan patience, MonoTime now)
    {
        if (_company.AsksAgain(_call.Verdict, patience, now))
        {
            _call.Record.Flags.Add("agents_asked_again");
            Dispatch();
            return;
        }
        _call.End(new Outcome(EndedBy.Us, "alone", "everybody else had left the room", 200, 16), now);
    }

    /// <summary>The room server did not take an explicit dispatch.</summary>
    public void HandleDispatchFailure(string why)
    {
        _dispatchFailure = why;
        _call.Record.Flags.Add("agents_not_dispatched");
    }

    /// <summary>Why nobody took the call.</summary>
    /// <param name="rang">How long it rang.</param>
    public string DescribeRingTimeout(TimeSpan rang) => RingTimeoutText.Describe(
        _call.Verdict with { Room = _call.Record.Room },
        new RingTimeoutFacts(_call.Phase != CallPhase.Joining, _roomExisted, _dispatchFailure, rang, _services.Agents));

    private void Handle(RoomEvent e, MonoTime now)
    {
        if (_isMoving && e.Kind != RoomEventKind.Ended)
        {
            return;
        }
        switch (e.Kind)
        {
            case RoomEventKind.Joined:
                HandleJoined(e, now);
                break;
            case RoomEventKind.PublishReady:
                _call.Record.RoomCodec = e.Publish!.Codec.ToString().ToLowerInvariant();
                break;
            case RoomEventKind.Active:
                _call.Record.MediaReadyMs = IsRejoining ? _call.Record.MediaReadyMs : _call.Elapsed(now);
                _call.HandleRoomActive();
                break;
            case RoomEventKind.TrackAdded:
                HasAudience = true;
                break;
            case RoomEventKind.ParticipantJoined:
                // Another phone in the room waits as we do: neither would ever be answered.
                HasAudience |= e.Participant!.Kind == RemoteKind.Sip;
                _company.Joined(e.Participant);
                break;
            case RoomEventKind.ParticipantLeft:
                _company.Left(e.Participant!, _call.Verdict, now);
                break;
            case RoomEventKind.Dtmf:
                if (_call.IsBridged)
                {
                    _call.Command(CallCommandKind.SendDtmf, e.Text);
                }
                break;
            case RoomEventKind.Rpc:
                HandleMethod(e, now);
                break;
            case RoomEventKind.Ended:
                HandleEnded(e, now);
                break;
            default:
                break;
        }
    }

    private void HandleJoined(RoomEvent e, MonoTime now)
    {
        _call.Record.RoomSid = e.RoomSid;
        _call.Record.ParticipantSid = e.ParticipantSid;
        if (_hasJoined)
        {
            return;
        }
        _hasJoined = true;
        _call.Record.JoinedMs = _call.Elapsed(now);
        _roomExisted = e.RoomExisted;
        // Our token's agents are dispatched only by the join that makes the room: for others the rule may ask for it explicitly.
        if (e.RoomExisted && _call.Verdict.DispatchAgentsAlways && _call.Verdict.Agents.Length > 0)
        {
            Dispatch();
        }
    }

    private void Dispatch() => _services.Dispatcher?.Dispatch(_call.Id, _call.Record.CallId, _call.Record.Room, _call.Verdict.RoomConfigJson);

    /// <summary>Somebody in the room calls a method of the caller's participant.</summary>
    private void HandleMethod(RoomEvent e, MonoTime now)
    {
        if (e.Text == RoomMethods.GetRemoteHeaders)
        {
            _room.Answer(RoomMethods.TellHeaders(e, _facts, _call.Record.CallId, _call.Verdict.HidesNumber));
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
        var headers = new SipHeaderLines(buffer);
        foreach ((string name, string value) in wanted)
        {
            CallHeaders.Add(ref headers, name, value);
        }
        (int status, int cause) = _call.IsAnswered ? (200, 16) : (486, 17);
        _call.End(new Outcome(EndedBy.Room, "end_call", "a participant of the room ended the call (lk.sip.EndCall)", status, cause), now, headers.Written);
    }

    private void HandleEnded(RoomEvent e, MonoTime now)
    {
        if (_call.Phase >= CallPhase.Parting)
        {
            return;
        }
        string code = RoomOutcome.Code(e.End);
        if (_isMoving)
        {
            _isMoving = false;
            if (_call.Phase != CallPhase.Asking)
            {
                EnterNext(now);
            }
        }
        else if (e.End == RoomEnd.DuplicateIdentity && !_call.IsDead(now) && (_lostIdentities?.Count ?? 0) < _services.Limits.RoomRejoins)
        {
            Rejoin(now);
        }
        else if (_call.IsBridged || IsRejoining)
        {
            _call.EndByRoom(new Outcome(EndedBy.Room, code, e.Text, 200, RoomOutcome.Cause(e.End)), RoomOutcome.IsByWish(e.End), now);
        }
        else if (RoomOutcome.IsByWish(e.End))
        {
            _call.End(new Outcome(EndedBy.Room, code, e.Text, 480, 31), now);
        }
        else if (_call.Phase == CallPhase.Joining && _call.Verdict.FallbackRoom.Length > 0 && !_hasFallenBack)
        {
            _hasFallenBack = true;
            _call.Record.Flags.Add("fallback_room");
            Enter(_call.Verdict.FallbackRoom, now);
            _services.Observer.Entering(_call.Record);
        }
        else if (_call.Dialog.State == SipDialogState.Confirmed)
        {
            Refusal refusal = _services.Refusals[WhyNoRoom(e.End)];
            _call.EndByRoom(new Outcome(EndedBy.Us, Refusals.Name(WhyNoRoom(e.End)), e.Text, refusal.Status, refusal.Q850Cause), isWish: false, now);
        }
        else
        {
            _call.EndRefused(WhyNoRoom(e.End), e.Text, now);
        }
    }

    private static RefusalCode WhyNoRoom(RoomEnd end) => RoomOutcome.IsBackend(end) ? RefusalCode.BackendDown : RefusalCode.JoinFailed;

    /// <summary>The same caller came into the room through another node, and the room server put us out: we come back beside it; a caller
    /// who was answered hears a gap and no ringing.</summary>
    private void Rejoin(MonoTime now)
    {
        if (_call.IsBridged)
        {
            IsRejoining = true;
            _call.WaitAgain(now);
        }
        _call.BeginJoining();
        CallRecord record = _call.Record;
        string lost = record.Identity;
        List<string> notAgain = _lostIdentities ??= [];
        notAgain.Add(lost);
        RoomRequest request = _seats.Take(_call, record.Room, _room.Attributes[CallStatus.Key], now, identity => notAgain.Contains(identity) || _company.Has(identity));
        _company.Reset();
        // What an agent changed of us stays changed.
        _room.Enter(request with { Attributes = _room.Attributes }, now);
        _call.Flag("identity_taken");
        _services.Observer.Rejoining(record, lost);
    }
}
