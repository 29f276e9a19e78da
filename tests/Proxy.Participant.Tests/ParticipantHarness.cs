using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Linq;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.LiveKit.Protocol;
using Proxy.WebRtc;

namespace Proxy.Participant.Tests;

/// <summary>A participant in virtual time, with everything it put out so far.</summary>
internal sealed class ParticipantHarness
{
    public static readonly IceCredentials Ice = new("locU", "localpasswordlocalpass22");

    public ParticipantHarness(RoomJoin? join = null, ulong seed = 1)
    {
        Machine = new RoomParticipant(join ?? Join(), new Limits(), new SeededRandom(seed));
    }

    public RoomParticipant Machine { get; }

    public MonoTime Now { get; private set; } = MonoTime.FromMillis(1_000);

    public int Socket { get; private set; }

    public List<RoomEvent> Events { get; } = [];

    public List<MediaCommand> Commands { get; } = [];

    public List<SignalRequest> Sent { get; } = [];

    public List<ParticipantOutput> Dials { get; } = [];

    public int Closes { get; private set; }

    public static RoomJoin Join(RoomCodec codec = RoomCodec.Pcmu, string url = "ws://127.0.0.1:7880") => new()
    {
        WsUrl = url,
        Token = "the.secret.token",
        Identity = "sip_100",
        Codec = codec,
        Ice = Ice,
        Fingerprint = Enumerable.Range(0, 32).Select(i => (byte)(i * 7)).ToArray(),
        Ssrc = 0x1234_5678,
        Cid = "cid-client",
        TrackName = "mic",
    };

    public RoomEvent? Last(RoomEventKind kind) => Events.LastOrDefault(e => e.Kind == kind);

    public RoomEnd End => Last(RoomEventKind.Ended)?.End ?? RoomEnd.None;

    public IReadOnlyList<DownTrack> DownTracks => Commands.LastOrDefault(c => c.Kind == MediaCommandKind.SetDownTracks)?.DownTracks ?? [];

    public IEnumerable<SessionDescription> Offers => Sent.Where(s => s.MessageCase == SignalRequest.MessageOneofCase.Offer).Select(s => s.Offer);

    public void Start()
    {
        Machine.Start(Now);
        Drain();
    }

    public void Open()
    {
        Machine.HandleSocketOpened(Socket, Now);
        Drain();
    }

    public void Receive(ReadOnlySpan<byte> frame)
    {
        Machine.HandleFrame(Socket, frame, Now);
        Drain();
    }

    public void Receive(SignalResponse frame) => Receive(Google.Protobuf.MessageExtensions.ToByteArray(frame));

    public void Peer(PeerEventKind kind, string? label = null, byte[]? payload = null, string? reason = null)
    {
        Machine.HandlePeerEvent(new PeerEvent(kind, label, payload, reason), Now);
        Drain();
    }

    public void Refuse(int status, string body)
    {
        Machine.HandleSocketRefused(Socket, status, System.Text.Encoding.UTF8.GetBytes(body), Now);
        Drain();
    }

    public void CloseSocket()
    {
        Machine.HandleSocketClosed(Socket, Now);
        Drain();
    }

    /// <summary>Lets time pass, with every deadline on the way.</summary>
    public void Advance(TimeSpan span)
    {
        MonoTime end = Now + span;
        for (int guard = 0; Machine.NextDeadline <= end && guard < 10_000; guard++)
        {
            Now = MonoTime.Min(end, Machine.NextDeadline > Now ? Machine.NextDeadline : Now);
            Machine.HandleTimeout(Now);
            Drain();
        }
        Now = end;
    }

    public void Drain()
    {
        while (Machine.TryPoll(out ParticipantOutput output))
        {
            switch (output.Kind)
            {
                case ParticipantOutputKind.OpenSocket:
                    Socket = output.Socket;
                    Dials.Add(output);
                    break;
                case ParticipantOutputKind.SendFrame:
                    Sent.Add(SignalRequest.Parser.ParseFrom(output.Frame.Span));
                    break;
                case ParticipantOutputKind.CloseSocket:
                    Closes++;
                    break;
                case ParticipantOutputKind.Media:
                    Commands.Add(output.Media!);
                    break;
                default:
                    Events.Add(output.Event!);
                    break;
            }
        }
    }

    /// <summary>What the address of a dial says.</summary>
    public static JoinRequest ReadUrl(string url)
    {
        string text = Uri.UnescapeDataString(url[(url.IndexOf("join_request=", StringComparison.Ordinal) + 13)..]);
        if (text.Length % 4 != 0)
        {
            throw new InvalidDataException("unpadded base64url: the stock server answers 400");
        }
        var wrapped = WrappedJoinRequest.Parser.ParseFrom(Convert.FromBase64String(text.Replace('-', '+').Replace('_', '/')));
        if (wrapped.Compression == WrappedJoinRequest.Types.Compression.None)
        {
            return JoinRequest.Parser.ParseFrom(wrapped.JoinRequest);
        }
        using var gzip = new GZipStream(new MemoryStream(wrapped.JoinRequest.ToByteArray()), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        gzip.CopyTo(plain);
        return JoinRequest.Parser.ParseFrom(plain.ToArray());
    }
}
