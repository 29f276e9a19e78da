using System.Collections.Generic;
using System.Text;
using Proxy.LiveKit.Protocol;
using Proxy.Participant.Signal;
using RpcError = Proxy.Participant.RpcError;

namespace Proxy.Participant.Data;

/// <summary>Signal thread. The data channels of a room: what is sent waits for them, what comes becomes events.</summary>
internal sealed class RoomData(Outbox outbox, Roster roster)
{
    private const int EarlyMax = 32;
    private const int RequestIdMax = 128;

    private readonly Queue<MediaCommand> _early = new();
    private bool _isOpen;

    /// <returns>False when the channel is not open yet and too many wait.</returns>
    public bool TrySend(string label, byte[] packet)
    {
        var command = new MediaCommand(MediaCommandKind.SendData) { Label = label, Payload = packet };
        if (_isOpen)
        {
            outbox.Command(command);
            return true;
        }
        if (_early.Count >= EarlyMax)
        {
            return false;
        }
        _early.Enqueue(command);
        return true;
    }

    public void HandleOpen(string? label)
    {
        if (label != DataPackets.Reliable)
        {
            return;
        }
        _isOpen = true;
        while (_early.TryDequeue(out MediaCommand? command))
        {
            outbox.Command(command);
        }
    }

    public void HandleClosed(string? label) => _isOpen = _isOpen && label != DataPackets.Reliable;

    /// <summary>One message of the room.</summary>
    /// <param name="ownSid">What we sent ourselves is not for us.</param>
    /// <returns>False when it cannot be read.</returns>
    public bool TryHandle(byte[]? message, string ownSid)
    {
        DataPacket? packet = DataPackets.Read(message);
        if (packet is null)
        {
            return false;
        }
        if (packet.ParticipantSid == ownSid || roster.IsRepeated(packet.ParticipantSid, packet.Sequence))
        {
            return true;
        }
        if (packet.ValueCase == DataPacket.ValueOneofCase.SipDtmf)
        {
            TellDigits(packet);
        }
        else if (packet.ValueCase == DataPacket.ValueOneofCase.RpcRequest)
        {
            TellCall(packet);
        }
        else if (packet.ValueCase == DataPacket.ValueOneofCase.User)
        {
            outbox.Tell(new RoomEvent(RoomEventKind.Data)
            {
                Text = packet.User.Topic,
                Payload = packet.User.Payload.Memory,
                Identity = packet.ParticipantIdentity,
                ParticipantSid = packet.ParticipantSid,
            });
        }
        return true;
    }

    /// <summary>Every call is acknowledged, or its caller takes us for gone.</summary>
    private void TellCall(DataPacket packet)
    {
        RpcRequest call = packet.RpcRequest;
        if (call.Id.Length is 0 or > RequestIdMax)
        {
            return;
        }
        TrySend(DataPackets.Reliable, DataPackets.RpcAck(call.Id, packet.ParticipantIdentity));
        if (call.Version > 1)
        {
            Answer(new RpcAnswer(call.Id, packet.ParticipantIdentity, "Unsupported RPC version", RpcError.UnsupportedVersion));
            return;
        }
        outbox.Tell(new RoomEvent(RoomEventKind.Rpc)
        {
            RequestId = call.Id,
            Text = call.Method,
            Payload = Encoding.UTF8.GetBytes(call.Payload),
            Identity = packet.ParticipantIdentity,
        });
    }

    /// <returns>False when it could not be sent.</returns>
    public bool Answer(in RpcAnswer answer)
    {
        byte[] packet = DataPackets.RpcResponse(answer);
        return TrySend(DataPackets.Reliable, packet.Length <= DataPackets.PayloadMax
            ? packet
            : DataPackets.RpcResponse(answer with { Text = "Response payload too large", Error = RpcError.ResponseTooLarge }));
    }

    private void TellDigits(DataPacket packet)
    {
        string digits = DataPackets.DigitsOf(packet.SipDtmf);
        if (digits.Length > 0)
        {
            outbox.Tell(new RoomEvent(RoomEventKind.Dtmf) { Text = digits, Code = packet.SipDtmf.Code, Identity = packet.ParticipantIdentity });
        }
    }
}
