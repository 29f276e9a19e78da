using System;
using System.Collections.Generic;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.WebRtc;

namespace Proxy.Participant;

/// <summary>
/// Signal thread. One participant's signalling as a machine: joins, offers, obeys answers, subscribes, resumes and
/// leaves. Its media half is <see cref="RoomMedia"/>, on a shard; the Bridge carries <see cref="MediaCommand"/> there and
/// <see cref="PeerEvent"/> back.
/// </summary>
public sealed class RoomParticipant
{
    public RoomParticipant(RoomJoin join, Limits limits, IRandom random) => throw new NotImplementedException();

    /// <summary>The room took us in and has not let us go.</summary>
    public bool IsJoined => throw new NotImplementedException();

    /// <summary>Media is up.</summary>
    public bool IsActive => throw new NotImplementedException();

    /// <summary>The Ended event was put out; nothing follows.</summary>
    public bool IsEnded => throw new NotImplementedException();

    /// <summary>What the last answer obliges us to send; null before.</summary>
    public PublishTrack? Publish => throw new NotImplementedException();

    /// <summary>The earliest time at which <see cref="HandleTimeout"/> has work.</summary>
    public MonoTime NextDeadline => throw new NotImplementedException();

    /// <summary>Frames that could not be read, or were of no use to us.</summary>
    public int FramesIgnored => throw new NotImplementedException();

    /// <summary>Begins the join; once.</summary>
    public void Start(MonoTime now) => throw new NotImplementedException();

    /// <summary>The dial <paramref name="socket"/> was upgraded (101).</summary>
    public void HandleSocketOpened(int socket, MonoTime now) => throw new NotImplementedException();

    /// <summary>The dial failed.</summary>
    /// <param name="httpStatus">The server's status; 0 when there was no HTTP answer.</param>
    /// <param name="body">Its body (text), or the reason of the failure; may hold a token, is cut before it is repeated.</param>
    public void HandleSocketRefused(int socket, int httpStatus, ReadOnlySpan<byte> body, MonoTime now) => throw new NotImplementedException();

    /// <summary>One binary message of the server.</summary>
    public void HandleFrame(int socket, ReadOnlySpan<byte> protobuf, MonoTime now) => throw new NotImplementedException();

    /// <summary>The WebSocket is gone, whoever closed it.</summary>
    public void HandleSocketClosed(int socket, MonoTime now) => throw new NotImplementedException();

    /// <summary>An event of the media half.</summary>
    public void HandlePeerEvent(in PeerEvent peerEvent, MonoTime now) => throw new NotImplementedException();

    public void HandleTimeout(MonoTime now) => throw new NotImplementedException();

    /// <summary>Next output; drain until false after every input.</summary>
    public bool TryPoll(out ParticipantOutput output) => throw new NotImplementedException();

    /// <summary>Sets attributes of our participant; an empty value deletes. Kept until the join is done.</summary>
    public void SetAttributes(IReadOnlyDictionary<string, string> attributes, MonoTime now) => throw new NotImplementedException();

    public void SetMetadata(string metadata, MonoTime now) => throw new NotImplementedException();

    /// <summary>Sends one DTMF digit of the phone into the room, to everybody (reliable).</summary>
    /// <param name="digit">0-9 * # A-D.</param>
    /// <returns>False when the digit is none, or the data channel is not open yet and too many wait.</returns>
    public bool SendDtmf(char digit, MonoTime now) => throw new NotImplementedException();

    /// <summary>Sends a user packet to everybody.</summary>
    /// <param name="payload">At most 15,000 bytes.</param>
    /// <returns>False when it is too long, or the data channel is not open yet and too many wait.</returns>
    public bool SendData(string topic, ReadOnlySpan<byte> payload, bool isReliable, MonoTime now) => throw new NotImplementedException();

    /// <summary>Mutes or unmutes our own track in the room.</summary>
    public void SetMuted(bool isMuted, MonoTime now) => throw new NotImplementedException();

    /// <summary>Leaves: waits up to one second for the server's echo, then ends with <see cref="RoomEnd.Left"/>.</summary>
    public void Leave(MonoTime now) => throw new NotImplementedException();
}
