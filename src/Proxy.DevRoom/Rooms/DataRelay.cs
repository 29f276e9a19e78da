using System;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Proxy.Core.Time;
using Proxy.LiveKit.Protocol;

namespace Proxy.DevRoom.Rooms;

/// <summary>Room loop. Data packets between participants: the sender's identity is filled in, destination lists are honoured.</summary>
internal static class DataRelay
{
    public const string Reliable = "_reliable";
    public const string Lossy = "_lossy";

    /// <summary>A message on a participant's data channel.</summary>
    /// <returns>False when it is no data packet, on another channel, a repeat, or not permitted.</returns>
    public static bool Receive(Participant sender, string? label, byte[] payload, MonoTime now)
    {
        if (!sender.Info.Permission.CanPublishData || label is not (Reliable or Lossy))
        {
            return false;
        }
        DataPacket packet;
        try
        {
            packet = DataPacket.Parser.ParseFrom(payload);
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
        if (label == Reliable && packet.Sequence != 0)
        {
            if (packet.Sequence <= sender.LastReliable)
            {
                return false;
            }
            sender.LastReliable = packet.Sequence;
        }
        packet.ParticipantIdentity = sender.Identity;
        packet.ParticipantSid = sender.Sid;
        packet.Kind = label == Reliable ? DataPacket.Types.Kind.Reliable : DataPacket.Types.Kind.Lossy;
        if (packet.ValueCase == DataPacket.ValueOneofCase.User)
        {
            packet.User.ParticipantSid = sender.Sid;
            packet.User.ParticipantIdentity = sender.Identity;
        }
        Spread(sender.Room, sender, packet, label, now);
        sender.Room.Agent?.OnData(sender, packet, now);
        return true;
    }

    /// <param name="sender">Left out of the receivers; null for the API.</param>
    public static void Spread(Room room, Participant? sender, DataPacket packet, string label, MonoTime now)
    {
        RepeatedField<string> identities = packet.DestinationIdentities;
        RepeatedField<string>? sids = null;
        if (packet.ValueCase == DataPacket.ValueOneofCase.User)
        {
            sids = packet.User.DestinationSids;
            identities = identities.Count > 0 ? identities : packet.User.DestinationIdentities;
        }
        bool isForAll = identities.Count == 0 && (sids is null || sids.Count == 0);
        byte[]? bytes = null;
        foreach (Participant receiver in room.Participants)
        {
            if (receiver != sender && receiver is { IsConnected: true, Transport: not null }
                && (isForAll || identities.Contains(receiver.Identity) || (sids?.Contains(receiver.Sid) ?? false)))
            {
                bytes ??= packet.ToByteArray();
                receiver.Transport.SendData(label, bytes, now);
            }
        }
    }
}
