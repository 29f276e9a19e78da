using System.Collections.Generic;
using Google.Protobuf;
using Proxy.LiveKit.Protocol;
using Proxy.Testing;
using Proxy.WebRtc;

namespace Proxy.Participant.Tests;

/// <summary>What a stock server says, in the captured words where there are some.</summary>
internal static class Server
{
    public const string OurSid = "PA_us";
    public const string OurTrack = "TR_AMus";

    public static SignalResponse Join(params ParticipantInfo[] others)
    {
        var join = new JoinResponse
        {
            Room = new Room { Sid = "RM_1", Name = "room" },
            Participant = new ParticipantInfo { Sid = OurSid, Identity = "sip_100" },
            ServerVersion = "1.13.5",
            PingInterval = 5,
            PingTimeout = 15,
        };
        join.OtherParticipants.AddRange(others);
        return new SignalResponse { Join = join };
    }

    /// <param name="file">Below <c>livekit-golden/rtc/sdp</c>, e.g. <c>minimal.2.answer</c>.</param>
    public static SignalResponse Answer(string file, uint id, params (string Mid, string Track)[] map) => AnswerText(Sdp(file), id, map);

    public static SignalResponse AnswerText(string sdp, uint id, params (string Mid, string Track)[] map)
    {
        var answer = new SessionDescription { Type = "answer", Id = id, Sdp = sdp };
        foreach ((string mid, string track) in map)
        {
            answer.MidToTrackId[mid] = track;
        }
        return new SignalResponse { Answer = answer };
    }

    public static string Sdp(string file) => TestData.Text("livekit-golden", "rtc", "sdp", file + ".sdp");

    public static SignalResponse Published() => new()
    {
        TrackPublished = new TrackPublishedResponse { Cid = "cid-client", Track = new TrackInfo { Sid = OurTrack } },
    };

    public static SignalResponse Update(params ParticipantInfo[] participants)
    {
        var update = new ParticipantUpdate();
        update.Participants.AddRange(participants);
        return new SignalResponse { Update = update };
    }

    public static ParticipantInfo Participant(string sid, string identity, uint version = 1, params TrackInfo[] tracks)
    {
        var info = new ParticipantInfo { Sid = sid, Identity = identity, State = ParticipantInfo.Types.State.Active, Version = version };
        info.Tracks.AddRange(tracks);
        return info;
    }

    public static TrackInfo Audio(string sid, bool isMuted = false) => new() { Sid = sid, Type = TrackType.Audio, Muted = isMuted };

    public static SignalResponse Require(uint audios, uint videos = 0) => new()
    {
        MediaSectionsRequirement = new MediaSectionsRequirement { NumAudios = audios, NumVideos = videos },
    };

    public static SignalResponse Leave(DisconnectReason reason, LeaveRequest.Types.Action action = LeaveRequest.Types.Action.Disconnect) => new()
    {
        Leave = new LeaveRequest { Reason = reason, Action = action },
    };

    public static SignalResponse Trickle(string candidate) => new()
    {
        Trickle = new TrickleRequest
        {
            CandidateInit = JsonFormatter.ToDiagnosticString(new TrickleRequest { CandidateInit = candidate })
                .Replace("candidateInit", "candidate", System.StringComparison.Ordinal),
        },
    };

    /// <summary>A machine that is dialled, joined and answered, and whose media is up.</summary>
    public static ParticipantHarness Active(RoomJoin? join = null, params ParticipantInfo[] others)
    {
        ParticipantHarness machine = Joined(join, others);
        machine.Receive(Answer("minimal.2.answer", 1));
        machine.Peer(PeerEventKind.Connected);
        machine.Peer(PeerEventKind.ChannelOpen, "_lossy");
        machine.Peer(PeerEventKind.ChannelOpen, "_reliable");
        return machine;
    }

    public static ParticipantHarness Joined(RoomJoin? join = null, params ParticipantInfo[] others)
    {
        var machine = new ParticipantHarness(join);
        machine.Start();
        machine.Open();
        machine.Receive(Join(others));
        machine.Receive(Published());
        return machine;
    }

    public static IEnumerable<string> Lines(string sdp) => sdp.Split("\r\n", System.StringSplitOptions.RemoveEmptyEntries);
}
