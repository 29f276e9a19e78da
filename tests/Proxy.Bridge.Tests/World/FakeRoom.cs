using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Bridge.Rooms;
using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Participant;
using Proxy.WebRtc;

namespace Proxy.Bridge.Tests.World;

/// <summary>Test double of a room leg: does what the test says, remembers what it was told.</summary>
internal sealed class FakeRoom : IRoomGateway, IRoomLeg
{
    private static readonly RemoteParticipant s_agent = new("PA_2", "agent", "agent", RemoteKind.Agent);
    private readonly Queue<RoomEvent> _events = new();

    public RoomRequest? Request { get; private set; }

    public List<string> Statuses { get; } = [];

    public List<char> Digits { get; } = [];

    public bool HasStarted { get; private set; }

    public bool WasLeft { get; private set; }

    public MonoTime NextDeadline => MonoTime.Never;

    public bool HasRemoteAudio { get; set; }

    public bool IsActive { get; private set; }

    public bool IsEnded { get; private set; }

    public bool HasLeft => WasLeft && IsEnded;

    public (IRoomLeg Leg, Func<MonoTime, RoomMedia> MakeMedia) Create(SlotId call, int number, RoomRequest request, Action<MediaCommand> carry)
    {
        var leg = new FakeRoom { Request = request };
        Legs.Add(leg);
        return (leg, _ => throw new InvalidOperationException("no media in this world"));
    }

    /// <summary>Of the gateway: every leg made.</summary>
    public List<FakeRoom> Legs { get; } = [];

    public void Start(MonoTime now) => HasStarted = true;

    public void HandleSocket(in SocketInput input, MonoTime now)
    {
    }

    public int PeerEvents { get; private set; }

    public void HandlePeer(in PeerEvent peerEvent, MonoTime now) => PeerEvents++;

    public void HandleTimeout(MonoTime now)
    {
    }

    public void SetAttributes(IReadOnlyDictionary<string, string> attributes, MonoTime now) => Statuses.Add(attributes["sip.callStatus"]);

    public bool SendDtmf(char digit, MonoTime now)
    {
        Digits.Add(digit);
        return true;
    }

    /// <summary>What callers of methods were told.</summary>
    public List<RpcAnswer> Answers { get; } = [];

    public void Answer(in RpcAnswer answer) => Answers.Add(answer);

    /// <summary>Somebody in the room calls a method.</summary>
    public void Call(string method, string payload) => _events.Enqueue(
        new RoomEvent(RoomEventKind.Rpc) { RequestId = "r1", Identity = "agent", Text = method, Payload = System.Text.Encoding.UTF8.GetBytes(payload) });

    public void Leave(MonoTime now)
    {
        WasLeft = true;
        if (!IsEnded)
        {
            IsEnded = true;
            _events.Enqueue(new RoomEvent(RoomEventKind.Ended) { End = RoomEnd.Left });
        }
    }

    public bool TryPoll(out RoomEvent? roomEvent) => _events.TryDequeue(out roomEvent);

    /// <param name="roomExisted">The room was there before the call.</param>
    public void Join(bool roomExisted = false)
    {
        IsActive = true;
        _events.Enqueue(new RoomEvent(RoomEventKind.Joined) { RoomSid = "RM_1", ParticipantSid = "PA_1", RoomExisted = roomExisted });
        _events.Enqueue(new RoomEvent(RoomEventKind.Active));
    }

    public void PublishAgent()
    {
        HasRemoteAudio = true;
        _events.Enqueue(new RoomEvent(RoomEventKind.TrackAdded) { Track = new RemoteTrack("TR_1", s_agent, false) });
    }

    public void AddAgent() =>
        _events.Enqueue(new RoomEvent(RoomEventKind.ParticipantJoined) { Participant = s_agent });

    public void RemoveAgent() => _events.Enqueue(new RoomEvent(RoomEventKind.ParticipantLeft) { Participant = s_agent });

    public void AddPhone(string identity = "sip_2") =>
        _events.Enqueue(new RoomEvent(RoomEventKind.ParticipantJoined) { Participant = new RemoteParticipant("PA_" + identity, identity, "Phone", RemoteKind.Sip) });

    public void End(RoomEnd end, string why)
    {
        IsEnded = true;
        _events.Enqueue(new RoomEvent(RoomEventKind.Ended) { End = end, Text = why });
    }

    public void ChangeAttributes(params (string Key, string Value)[] attributes) => _events.Enqueue(
        new RoomEvent(RoomEventKind.OwnAttributes) { Attributes = attributes.ToDictionary(a => a.Key, a => a.Value) });

    public void Press(string digits) => _events.Enqueue(new RoomEvent(RoomEventKind.Dtmf) { Text = digits });
}
