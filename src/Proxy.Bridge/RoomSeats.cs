using System;
using System.Collections.Generic;
using System.Globalization;
using Proxy.Bridge.Rooms;
using Proxy.Core.Time;
using Proxy.Participant;
using Proxy.Policy;
using Proxy.Policy.Trunks;
using Proxy.Sdp;

namespace Proxy.Bridge;

/// <summary>
/// Signal thread. Which call sits in which room under which identity: a room server throws out the first of two equal ones. Beside
/// a live call of the same caller the next gets <c>sip_&lt;number&gt;_2</c>; a dead one is ended and its seat taken. Calls of other nodes
/// are not known here: whom one of them puts out of its seat takes another (<see cref="RoomSide"/>).
/// </summary>
/// <param name="end">Ends a dead call.</param>
internal sealed class RoomSeats(CallServices services, Action<Call, MonoTime> end)
{
    private readonly Dictionary<(string Room, string Identity), Call> _seats = [];

    /// <summary>Calls that have a seat; for leak tests.</summary>
    public int Count => _seats.Count;

    /// <summary>Takes a seat for the call, gives back the one it had.</summary>
    /// <param name="room">The verdict's room, or its fallback.</param>
    /// <param name="status">The first <c>sip.callStatus</c>.</param>
    /// <param name="isTaken">Identities that somebody else is known to have.</param>
    public RoomRequest Take(Call call, string room, string status, MonoTime now, Predicate<string>? isTaken = null)
    {
        Release(call);
        Verdict verdict = call.Verdict;
        string identity = verdict.Identity;
        for (int n = 2; !TryFree(room, identity, isTaken, now); n++)
        {
            identity = string.Create(CultureInfo.InvariantCulture, $"{verdict.Identity}_{n}");
        }
        _seats[(room, identity)] = call;
        call.Record.Room = room;
        call.Record.Identity = identity;
        return Request(call, room, identity, status);
    }

    /// <summary>Who sits there; null when nobody does.</summary>
    public Call? Find(string room, string identity) => _seats.GetValueOrDefault((room, identity));

    public void Release(Call call)
    {
        (string, string) seat = (call.Record.Room, call.Record.Identity);
        if (_seats.TryGetValue(seat, out Call? owner) && owner == call)
        {
            _seats.Remove(seat);
        }
    }

    private bool TryFree(string room, string identity, Predicate<string>? isTaken, MonoTime now)
    {
        if (isTaken?.Invoke(identity) == true)
        {
            return false;
        }
        if (!_seats.TryGetValue((room, identity), out Call? other))
        {
            return true;
        }
        if (!other.IsDead(now))
        {
            return false;
        }
        end(other, now);
        return true;
    }

    private RoomRequest Request(Call call, string room, string identity, string status)
    {
        Verdict verdict = call.Verdict;
        var attributes = new Dictionary<string, string>();
        foreach (KeyValuePair<string, string> pair in verdict.Attributes)
        {
            attributes[pair.Key] = pair.Value;
        }
        attributes[CallStatus.Key] = status;
        Passthrough wish = verdict.Media.Passthrough != Passthrough.Auto ? verdict.Media.Passthrough : services.Passthrough;
        bool isALaw = call.SipCodec == SipAudioCodec.Pcma;
        return new RoomRequest
        {
            Room = room,
            Identity = identity,
            Name = verdict.Name,
            Metadata = verdict.Metadata,
            Attributes = attributes,
            RoomConfigJson = verdict.RoomConfigJson,
            RoomPreset = verdict.RoomPreset,
            Codec = wish == Passthrough.Opus ? RoomCodec.Opus : isALaw ? RoomCodec.Pcma : RoomCodec.Pcmu,
            CallId = call.Record.CallId,
        };
    }
}

/// <summary>Any thread. Values of the attribute <c>sip.callStatus</c>.</summary>
internal static class CallStatus
{
    public const string Key = "sip.callStatus";
    public const string Ringing = "ringing";
    public const string Active = "active";
    public const string Hangup = "hangup";
}
