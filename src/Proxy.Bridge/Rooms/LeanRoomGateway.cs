using System;
using Proxy.Core;
using Proxy.Core.Collections;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Participant;
using Proxy.WebRtc;
using Proxy.WebRtc.Dtls;

namespace Proxy.Bridge.Rooms;

/// <summary>Signal thread. Makes room legs out of the lean participant.</summary>
/// <param name="options">Where the room server is and how tokens are made.</param>
/// <param name="sockets">The runtime's WebSockets.</param>
/// <param name="random">For credentials and SSRCs; the shards get generators of their own from <see cref="LeanRoomOptions.MakeRandom"/>.</param>
public sealed class LeanRoomGateway(LeanRoomOptions options, ISignalSockets sockets, Limits limits, IRandom random) : IRoomGateway
{
    private static ReadOnlySpan<byte> IceAlphabet => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"u8;

    public (IRoomLeg Leg, Func<MonoTime, RoomMedia> MakeMedia) Create(SlotId call, int number, RoomRequest request, Action<MediaCommand> carry)
    {
        var ice = new IceCredentials(IceText(8), IceText(24));
        Span<byte> bytes = stackalloc byte[10];
        random.Fill(bytes);
        uint ssrc = BitConverter.ToUInt32(bytes) | 1;
        ushort sequence = BitConverter.ToUInt16(bytes[4..]);
        uint timestamp = BitConverter.ToUInt32(bytes[6..]);
        var join = new RoomJoin
        {
            WsUrl = options.WsUrl,
            Token = options.MintToken(request),
            Identity = request.Identity,
            Attributes = request.Attributes,
            Codec = request.Codec,
            Ice = ice,
            Fingerprint = options.Dtls.FingerprintSha256,
            Ssrc = ssrc,
            TrackName = request.Identity,
            Cname = request.CallId,
        };
        var leg = new LeanRoomLeg(call, number, new RoomParticipant(join, limits, random), sockets, carry);
        return (leg, now => MakeMedia(ice, join, sequence, timestamp, now));
    }

    private RoomMedia MakeMedia(IceCredentials ice, RoomJoin join, ushort sequence, uint timestamp, MonoTime now)
    {
        var peer = new PeerConnection(
            new PeerOptions
            {
                Local = ice,
                IsControlling = true,
                Setup = SetupRole.ActPass,
                HasData = true,
                OpenChannels = ["_reliable", "_lossy"],
                ConnectTimeout = limits.RoomJoinTimeout,
            },
            options.Dtls.Factory,
            options.MakeRandom(),
            now);
        return new RoomMedia(peer, join.Ssrc, join.Cname, sequence, timestamp);
    }

    private string IceText(int length)
    {
        Span<byte> bytes = stackalloc byte[32];
        random.Fill(bytes[..length]);
        Span<char> text = stackalloc char[32];
        for (int i = 0; i < length; i++)
        {
            text[i] = (char)IceAlphabet[bytes[i] & 63];
        }
        return text[..length].ToString();
    }
}

/// <summary>Any thread. How the lean participant reaches rooms; made in the composition root.</summary>
public sealed record LeanRoomOptions
{
    public required string WsUrl { get; init; }

    /// <summary>Mints the access token (a secret) of one participant.</summary>
    public required Func<RoomRequest, string> MintToken { get; init; }

    public required RoomDtls Dtls { get; init; }

    /// <summary>Makes a generator for one peer transport; called on the shard.</summary>
    public required Func<IRandom> MakeRandom { get; init; }
}

/// <summary>Any thread. The process's DTLS certificate and what makes associations with it.</summary>
/// <param name="FingerprintSha256">32 bytes.</param>
public sealed record RoomDtls(IDtlsFactory Factory, ReadOnlyMemory<byte> FingerprintSha256);
