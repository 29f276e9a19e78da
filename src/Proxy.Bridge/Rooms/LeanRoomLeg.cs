using System;
using System.Collections.Generic;
using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Participant;
using Proxy.WebRtc;

namespace Proxy.Bridge.Rooms;

/// <summary>Signal thread. The lean participant as a call's room leg: its outputs go to WebSocket and shard, its events to the call.</summary>
public sealed class LeanRoomLeg : IRoomLeg
{
    /// <summary>Dials of one leg; a late message of an earlier leg's socket is thereby not ours.</summary>
    private const int DialsOfALeg = 1 << 20;

    private readonly SlotId _call;
    private readonly int _firstSocket;
    private readonly RoomParticipant _participant;
    private readonly ISignalSockets _sockets;
    private readonly Action<MediaCommand> _carry;
    private readonly Queue<RoomEvent> _events = new();

    /// <param name="number">Which leg of the call, from 1.</param>
    public LeanRoomLeg(SlotId call, int number, RoomParticipant participant, ISignalSockets sockets, Action<MediaCommand> carry)
    {
        _call = call;
        _firstSocket = number * DialsOfALeg;
        _participant = participant;
        _sockets = sockets;
        _carry = carry;
    }

    public MonoTime NextDeadline => _participant.NextDeadline;

    public bool HasRemoteAudio { get; private set; }

    public bool IsActive => _participant.IsActive;

    public bool IsEnded => _participant.IsEnded;

    public bool HasLeft { get; private set; }

    public void Start(MonoTime now)
    {
        _participant.Start(now);
        Pump();
    }

    public void HandleSocket(in SocketInput input, MonoTime now)
    {
        int socket = input.Socket - _firstSocket;
        if (socket is < 0 or >= DialsOfALeg)
        {
            return;
        }
        switch (input.Kind)
        {
            case SocketInputKind.Opened:
                _participant.HandleSocketOpened(socket, now);
                break;
            case SocketInputKind.Refused:
                _participant.HandleSocketRefused(socket, input.Status, input.Payload, now);
                break;
            case SocketInputKind.Frame:
                _participant.HandleFrame(socket, input.Payload, now);
                break;
            default:
                _participant.HandleSocketClosed(socket, now);
                break;
        }
        Pump();
    }

    public void HandlePeer(in PeerEvent peerEvent, MonoTime now)
    {
        _participant.HandlePeerEvent(peerEvent, now);
        Pump();
    }

    public void HandleTimeout(MonoTime now)
    {
        _participant.HandleTimeout(now);
        Pump();
    }

    public void SetAttributes(IReadOnlyDictionary<string, string> attributes, MonoTime now)
    {
        _participant.SetAttributes(attributes, now);
        Pump();
    }

    public bool SendDtmf(char digit, MonoTime now)
    {
        bool isSent = _participant.SendDtmf(digit, now);
        Pump();
        return isSent;
    }

    public void Answer(in RpcAnswer answer)
    {
        _participant.Answer(answer);
        Pump();
    }

    public void Leave(MonoTime now)
    {
        _participant.Leave(now);
        Pump();
    }

    public bool TryPoll(out RoomEvent? roomEvent) => _events.TryDequeue(out roomEvent);

    private void Pump()
    {
        while (_participant.TryPoll(out ParticipantOutput output))
        {
            switch (output.Kind)
            {
                case ParticipantOutputKind.OpenSocket:
                    _sockets.Open(_call, _firstSocket + output.Socket, output.Url!, output.Token!);
                    break;
                case ParticipantOutputKind.SendFrame:
                    _sockets.Send(_call, _firstSocket + output.Socket, output.Frame);
                    break;
                case ParticipantOutputKind.CloseSocket:
                    _sockets.Close(_call, _firstSocket + output.Socket);
                    break;
                case ParticipantOutputKind.Media:
                    Carry(output.Media!);
                    break;
                default:
                    Note(output.Event!);
                    break;
            }
        }
    }

    private void Carry(MediaCommand command)
    {
        if (command.Kind == MediaCommandKind.SetDownTracks)
        {
            HasRemoteAudio = command.DownTracks is { Count: > 0 };
        }
        // The call closes its media itself, when both legs are done with it.
        if (command.Kind != MediaCommandKind.Close)
        {
            _carry(command);
        }
    }

    private void Note(RoomEvent roomEvent)
    {
        if (roomEvent.Kind == RoomEventKind.Ended)
        {
            HasLeft = roomEvent.IsReleased;
        }
        _events.Enqueue(roomEvent);
    }
}
