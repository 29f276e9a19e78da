using System;
using System.Collections.Generic;
using Google.Protobuf;
using Proxy.Core.Time;
using Proxy.LiveKit.Protocol;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. The messages that we send, each as one frame.</summary>
internal static class SignalFrames
{
    public static byte[] Offer(SessionDescription offer) => new SignalRequest { Offer = offer }.ToByteArray();

    /// <param name="now">Comes back in pong_resp; the server makes no use of it.</param>
    public static byte[] Ping(MonoTime now) => new SignalRequest { PingReq = new Ping { Timestamp = now.Micros / 1000 } }.ToByteArray();

    public static byte[] Leave() =>
        new SignalRequest { Leave = new LeaveRequest { Reason = DisconnectReason.ClientInitiated } }.ToByteArray();

    public static byte[] Mute(string trackSid, bool isMuted) =>
        new SignalRequest { Mute = new MuteTrackRequest { Sid = trackSid, Muted = isMuted } }.ToByteArray();

    public static byte[] Subscribe(IReadOnlyList<string> trackSids, bool isWanted)
    {
        var update = new UpdateSubscription { Subscribe = isWanted };
        update.TrackSids.AddRange(trackSids);
        return new SignalRequest { Subscription = update }.ToByteArray();
    }

    /// <param name="metadata">Empty: unchanged.</param>
    /// <param name="attributes">An empty value deletes the key.</param>
    public static byte[] Update(uint requestId, string metadata, IReadOnlyDictionary<string, string> attributes)
    {
        var update = new UpdateParticipantMetadata { RequestId = requestId, Metadata = metadata };
        foreach ((string key, string value) in attributes)
        {
            update.Attributes[key] = value;
        }
        return new SignalRequest { UpdateMetadata = update }.ToByteArray();
    }

    /// <summary>After a resume: what we believe. The stock server needs no more than this.</summary>
    public static byte[] Sync(bool isAutoSubscribed) =>
        new SignalRequest { SyncState = new SyncState { Subscription = new UpdateSubscription { Subscribe = isAutoSubscribed } } }.ToByteArray();

    /// <summary>Reads one frame of the server.</summary>
    /// <returns>Null when it cannot be read.</returns>
    public static SignalResponse? Read(ReadOnlySpan<byte> frame)
    {
        try
        {
            return SignalResponse.Parser.ParseFrom(frame);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
