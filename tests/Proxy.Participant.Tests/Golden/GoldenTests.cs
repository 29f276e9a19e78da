using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Core.Time;
using Proxy.LiveKit.Protocol;
using Proxy.WebRtc;
using Xunit;
using Xunit.Abstractions;

namespace Proxy.Participant.Tests.Golden;

/// <summary>What we say, beside what a client said that was proven on the stock server. Each difference is listed with the reason why it is harmless.</summary>
public sealed class GoldenTests(ITestOutputHelper output)
{
    private const string CodecOrder = "all three are listed; simulcast_codecs names the wanted one and the answer's first codec is obeyed";
    private const string Spare = "two spare receive sections instead of one: a second speaker needs no further section";
    private const string NoMid = "D2: fine without sdes:mid; sections are told apart by SSRC";
    private const string NoCandidates = "D7: candidates from us are optional, the minimal run had none; the server learns us from our checks";
    private const string NoLabels = "D18: old form of msid, read by nobody";
    private const string MessageSize = "what we take at most in one message; the server's own limit is the same";

    private static readonly Dictionary<string, string> s_lean = new()
    {
        ["session: only ours: a=group:BUNDLE 0 1 2 3"] = Spare,
        ["session: only golden: a=group:BUNDLE 0 1 2"] = Spare,
        ["send: only ours: m=audio 9 UDP/TLS/RTP/SAVPF 0 8 111"] = CodecOrder,
        ["send: only golden: m=audio 9 UDP/TLS/RTP/SAVPF 0 111 8"] = CodecOrder,
        ["send: only golden: a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:mid"] = NoMid,
        ["send: only golden: a=ssrc:S mslabel:phone"] = NoLabels,
        ["send: only golden: a=ssrc:S label:cid-client"] = NoLabels,
        ["send: only golden: a=candidate:X"] = NoCandidates,
        ["send: only golden: a=end-of-candidates"] = NoCandidates,
        ["receive: only golden: a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:mid"] = NoMid,
        ["data: only ours: a=max-message-size:65535"] = MessageSize,
        ["data: only golden: a=max-message-size:1073741823"] = MessageSize,
    };

    private static readonly Dictionary<string, string> s_minimal = new()
    {
        ["session: only ours: a=msid-semantic:WMS *"] = "as in the lean run",
        ["session: only ours: a=extmap-allow-mixed"] = "as in the lean run; D22: fine either way",
        ["session: only ours: a=group:BUNDLE 0 1 2 3"] = Spare,
        ["session: only golden: a=group:BUNDLE 0 1"] = Spare,
        ["send: only ours: m=audio 9 UDP/TLS/RTP/SAVPF 0 8 111"] = CodecOrder,
        ["send: only golden: m=audio 9 UDP/TLS/RTP/SAVPF 0 111 8"] = CodecOrder,
        ["send: only ours: a=rtcp-mux"] = "as in the lean run; D22: fine either way",
        ["send: only ours: a=rtcp-rsize"] = "as in the lean run; D22: fine either way",
        ["send: only ours: a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level"] = "D1: with it the caller can be an active speaker",
        ["send: only ours: a=ssrc:S msid:STREAM CID"] = "as in the lean run; D18: fine either way",
        ["send: only ours: a=msid:STREAM CID"] = "as in the lean run; needed once two tracks are pending",
        ["receive: only ours: a=rtcp-mux"] = "as in the lean run",
        ["receive: only ours: a=rtcp-rsize"] = "as in the lean run",
        ["receive: only ours: a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level"] = "as in the lean run; the server forwards no extension",
        ["data: only ours: m=application 9 UDP/DTLS/SCTP webrtc-datachannel"] = "as in the lean run: DTMF needs it",
        ["data: only ours: c=IN IP4 0.0.0.0"] = "of the data section",
        ["data: only ours: a=setup:actpass"] = "of the data section",
        ["data: only ours: a=mid:N"] = "of the data section",
        ["data: only ours: a=ice-ufrag:X"] = "of the data section",
        ["data: only ours: a=ice-pwd:X"] = "of the data section",
        ["data: only ours: a=sendrecv"] = "of the data section",
        ["data: only ours: a=sctp-port:5000"] = "of the data section",
        ["data: only ours: a=max-message-size:65535"] = MessageSize,
    };

    [Fact]
    public void First_offer_differs_from_the_lean_one_only_where_it_is_harmless() =>
        Explain(Differences.OfOffers(OurJoin().PublisherOffer.Sdp, LeanJoin().PublisherOffer.Sdp), s_lean);

    [Fact]
    public void First_offer_differs_from_the_minimal_one_only_where_it_is_harmless() =>
        Explain(Differences.OfOffers(OurJoin().PublisherOffer.Sdp, Server.Sdp("minimal.1.offer")), s_minimal);

    [Fact]
    public void Join_request_is_the_lean_one()
    {
        JoinRequest ours = OurJoin();
        JoinRequest golden = LeanJoin();
        // Compared above.
        ours.PublisherOffer.Sdp = golden.PublisherOffer.Sdp;
        // Our own version number.
        ours.ClientInfo.Version = golden.ClientInfo.Version;

        Assert.Equal(golden, ours);
    }

    [Fact]
    public void Resuming_join_request_is_the_lean_one_with_a_reason()
    {
        ParticipantHarness machine = Server.Active();
        machine.CloseSocket();
        machine.Advance(TimeSpan.FromSeconds(1));
        JoinRequest ours = ParticipantHarness.ReadUrl(machine.Dials[1].Url!);
        JoinRequest golden = JoinRequest.Parser.ParseFrom(Recording.Load("resume-lean").JoinRequests[1]);
        Assert.Equal(ReconnectReason.RrSignalDisconnected, ours.ReconnectReason);
        // For the server's statistics only.
        ours.ReconnectReason = golden.ReconnectReason;
        ours.ClientInfo.Version = golden.ClientInfo.Version;
        ours.ParticipantSid = golden.ParticipantSid;

        Assert.Equal(golden, ours);
    }

    [Fact]
    public void Address_is_as_the_server_wants_it()
    {
        var machine = new ParticipantHarness(ParticipantHarness.Join(url: "https://rooms.example/"));
        machine.Start();

        string url = machine.Dials[0].Url!;
        Assert.StartsWith("wss://rooms.example/rtc/v1?join_request=", url);
        Assert.DoesNotContain("secret", url);
        Assert.DoesNotContain("+", url);
        Assert.InRange(url.Length, 500, 2_000);
        Assert.Equal("the.secret.token", machine.Dials[0].Token);
        output.WriteLine($"{url.Length} characters");
    }

    [Fact]
    public void Frames_of_the_lean_conversation_differ_only_where_it_is_harmless()
    {
        Recording recording = Recording.Load("lean-v1");
        ParticipantHarness machine = PlayScenario(recording);
        List<SignalRequest> golden = recording.Frames.Where(f => !f.IsFromServer).Select(f => SignalRequest.Parser.ParseFrom(f.Bytes)).ToList();

        // Pings are compared apart: ours count from the join, the lean client's from its start.
        Assert.Equal(Kinds(golden), Kinds(machine.Sent));
        foreach ((SignalRequest ours, SignalRequest theirs) in WithoutPings(machine.Sent).Zip(WithoutPings(golden)))
        {
            Compare(ours, theirs);
        }
        int pings = machine.Sent.Count(s => s.MessageCase == SignalRequest.MessageOneofCase.PingReq);
        Assert.InRange(pings, 3, 4);
    }

    private static void Compare(SignalRequest ours, SignalRequest theirs)
    {
        switch (ours.MessageCase)
        {
            case SignalRequest.MessageOneofCase.Offer:
                Assert.Equal(theirs.Offer.Id, ours.Offer.Id);
                // In re-offers nothing new differs.
                Assert.All(Differences.OfOffers(ours.Offer.Sdp, theirs.Offer.Sdp), line => Assert.Contains(line, s_lean.Keys));
                break;
            case SignalRequest.MessageOneofCase.UpdateMetadata:
                // Any number will do: the answer repeats it.
                ours.UpdateMetadata.RequestId = theirs.UpdateMetadata.RequestId;
                Assert.Equal(theirs, ours);
                break;
            default:
                Assert.Equal(theirs, ours);
                break;
        }
    }

    private static IEnumerable<SignalRequest> WithoutPings(IEnumerable<SignalRequest> frames) =>
        frames.Where(s => s.MessageCase != SignalRequest.MessageOneofCase.PingReq);

    private static List<SignalRequest.MessageOneofCase> Kinds(IEnumerable<SignalRequest> frames) => WithoutPings(frames).Select(s => s.MessageCase).ToList();

    /// <summary>Does at each of the client's frames what the lean client did there.</summary>
    private static ParticipantHarness PlayScenario(Recording recording)
    {
        var machine = new ParticipantHarness(ParticipantHarness.Join() with { Cid = "cid-client" });
        machine.Start();
        machine.Open();
        int last = recording.Frames[0].Ms;
        foreach (RecordedFrame frame in recording.Frames)
        {
            machine.Advance(TimeSpan.FromMilliseconds(frame.Ms - last));
            last = frame.Ms;
            if (frame.IsFromServer)
            {
                machine.Receive(frame.Bytes);
                continue;
            }
            Act(machine, SignalRequest.Parser.ParseFrom(frame.Bytes));
            machine.Drain();
        }
        return machine;
    }

    private static void Act(ParticipantHarness machine, SignalRequest request)
    {
        MonoTime now = machine.Now;
        if (request.MessageCase == SignalRequest.MessageOneofCase.UpdateMetadata)
        {
            machine.Machine.SetAttributes(request.UpdateMetadata.Attributes, now);
        }
        else if (request.MessageCase == SignalRequest.MessageOneofCase.Mute)
        {
            machine.Machine.SetMuted(request.Mute.Muted, now);
        }
        else if (request.MessageCase == SignalRequest.MessageOneofCase.Leave)
        {
            machine.Machine.Leave(now);
        }
        else if (request.MessageCase == SignalRequest.MessageOneofCase.Offer)
        {
            machine.Peer(PeerEventKind.Connected);
        }
    }

    private static JoinRequest OurJoin()
    {
        var machine = new ParticipantHarness();
        machine.Start();
        return ParticipantHarness.ReadUrl(machine.Dials[0].Url!);
    }

    private static JoinRequest LeanJoin() => JoinRequest.Parser.ParseFrom(Recording.Load("lean-v1").JoinRequests[0]);

    private void Explain(IReadOnlyList<string> differences, Dictionary<string, string> harmless)
    {
        foreach (string difference in differences)
        {
            output.WriteLine($"{difference}\n    {harmless.GetValueOrDefault(difference, "NOT EXPLAINED")}");
        }
        Assert.Equal(harmless.Keys.Order(StringComparer.Ordinal), differences.Order(StringComparer.Ordinal));
    }
}
