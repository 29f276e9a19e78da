using System;
using System.Collections.Generic;
using Proxy.Bridge.Media;
using Proxy.Bridge.Rooms;
using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Participant;
using Proxy.WebRtc;

namespace Proxy.Bridge;

/// <summary>
/// Signal thread. A call's way into rooms: no leg while a PIN is asked, then one, or a second one into the fallback room. What an
/// earlier leg's sockets and transport still say is not heard any more.
/// </summary>
internal sealed class RoomStay(SlotId call, CallServices services, CallMedia media)
{
    private static readonly Dictionary<string, string> s_none = [];
    private IRoomLeg? _leg;
    private Dictionary<string, string> _attributes = s_none;
    private int _number;
    private bool _isClean = true;

    /// <summary>The earliest time at which <see cref="HandleTimeout"/> has work.</summary>
    public MonoTime NextDeadline => _leg?.NextDeadline ?? MonoTime.Never;

    public bool HasRemoteAudio => _leg is { HasRemoteAudio: true };

    /// <summary>No leg lives.</summary>
    public bool IsEnded => _leg is null || _leg.IsEnded;

    /// <summary>Every room server that knew us knows that we left: the port may be used again at once.</summary>
    public bool HasLeft => _isClean && (_leg is null || _leg.HasLeft);

    /// <summary>Our participant's attributes as far as we know them.</summary>
    public IReadOnlyDictionary<string, string> Attributes => _attributes;

    /// <summary>Joins a room; the leg before, if any, has ended.</summary>
    public void Enter(RoomRequest request, MonoTime now)
    {
        _isClean = HasLeft;
        _number++;
        _attributes = new Dictionary<string, string>(request.Attributes);
        (IRoomLeg leg, Func<MonoTime, RoomMedia> make) = services.Rooms.Create(
            call, _number, request, command => services.Media.Command(call, media, new CallCommand(CallCommandKind.Room, command)));
        _leg = leg;
        services.Media.Command(call, media, new CallCommand(CallCommandKind.OpenRoom, make));
        leg.Start(now);
    }

    public void HandleSocket(in SocketInput input, MonoTime now) => _leg?.HandleSocket(input, now);

    /// <param name="number">Which room's transport said it, see <see cref="CallEventKind.Peer"/>.</param>
    public void HandlePeer(int number, in PeerEvent e, MonoTime now)
    {
        if (number == _number)
        {
            _leg?.HandlePeer(e, now);
        }
    }

    public void HandleTimeout(MonoTime now) => _leg?.HandleTimeout(now);

    public void SetStatus(string status, MonoTime now)
    {
        if (_leg is null)
        {
            return;
        }
        _attributes[CallStatus.Key] = status;
        _leg.SetAttributes(new Dictionary<string, string> { [CallStatus.Key] = status }, now);
    }

    public void SendDtmf(char digit, MonoTime now) => _leg?.SendDtmf(digit, now);

    public void Answer(in RpcAnswer answer) => _leg?.Answer(answer);

    public void Leave(MonoTime now) => _leg?.Leave(now);

    public bool TryPoll(out RoomEvent? roomEvent)
    {
        roomEvent = null;
        if (_leg is null || !_leg.TryPoll(out roomEvent))
        {
            return false;
        }
        if (roomEvent!.Kind == RoomEventKind.OwnAttributes)
        {
            TakeAttributes(roomEvent.Attributes!);
        }
        return true;
    }

    /// <summary>The room server's word counts; but our own status may still be on its way to it.</summary>
    private void TakeAttributes(IReadOnlyDictionary<string, string> told)
    {
        string status = _attributes[CallStatus.Key];
        _attributes = new Dictionary<string, string>(told) { [CallStatus.Key] = status };
    }
}
