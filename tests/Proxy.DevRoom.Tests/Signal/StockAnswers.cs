using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Proxy.Core.Net;
using Proxy.DevRoom.Forwarding;
using Proxy.DevRoom.Rooms;
using Proxy.DevRoom.Signal;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;
using Proxy.Testing;
using Proxy.WebRtc;
using Room = Proxy.DevRoom.Rooms.Room;

namespace Proxy.DevRoom.Tests.Signal;

/// <summary>One captured conversation with the stock server: offers in order, each with the stock answer and its map.</summary>
internal sealed record StockExchange(string Name, List<(string Offer, string Answer, Dictionary<string, string> Map)> Steps)
{
    /// <summary>The pairs below <c>rtc/sdp</c>, where both sides of each pair were kept.</summary>
    public static IEnumerable<StockExchange> FromFiles()
    {
        string folder = TestData.Path("livekit-golden", "rtc", "sdp");
        foreach (IGrouping<string, string> group in Directory.GetFiles(folder, "*.offer.sdp").GroupBy(f => Path.GetFileName(f).Split('.')[0]).OrderBy(g => g.Key))
        {
            List<(string, string, Dictionary<string, string>)> steps = [];
            foreach (string offer in group.OrderBy(f => f))
            {
                int number = int.Parse(Path.GetFileName(offer).Split('.')[1]);
                string answer = Path.Combine(folder, $"{group.Key}.{number + 1}.answer.sdp");
                string map = Path.Combine(folder, $"{group.Key}.{number + 1}.answer.mid_to_track_id.json");
                if (File.Exists(answer))
                {
                    steps.Add((File.ReadAllText(offer), File.ReadAllText(answer), File.Exists(map) ? JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(map))! : []));
                }
            }
            yield return new StockExchange(group.Key, steps);
        }
    }

    /// <summary>The offers and answers of a captured single-connection signalling run.</summary>
    public static StockExchange FromSignalling(string client)
    {
        List<(string, string, Dictionary<string, string>)> steps = [];
        string? offer = null;
        foreach (string line in File.ReadLines(TestData.Path("livekit-golden", "rtc", "signalling", client + ".jsonl")))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            if (root.TryGetProperty("joinRequest", out JsonElement join) && join.TryGetProperty("publisherOffer", out JsonElement first))
            {
                offer = first.GetProperty("sdp").GetString();
            }
            string? message = root.TryGetProperty("msg", out JsonElement name) ? name.GetString() : null;
            if (message == "offer")
            {
                offer = root.GetProperty("json").GetProperty("offer").GetProperty("sdp").GetString();
            }
            if (message == "answer" && offer is not null)
            {
                JsonElement answer = root.GetProperty("json").GetProperty("answer");
                Dictionary<string, string> map = answer.TryGetProperty("midToTrackId", out JsonElement ids) ? ids.Deserialize<Dictionary<string, string>>()! : [];
                steps.Add((offer, answer.GetProperty("sdp").GetString()!, map));
                offer = null;
            }
        }
        return new StockExchange(client, steps);
    }
}

/// <summary>Plays a captured conversation's offers through our answer engine, with the tracks and subscriptions that the stock answers show.</summary>
internal sealed class AnswerReplay
{
    private readonly List<Track> _tracks = [];
    private readonly List<Subscription> _subscriptions = [];
    private readonly Participant _self;
    private readonly Participant _other;
    private readonly Negotiation _negotiation;

    public AnswerReplay()
    {
        RoomEnvironment environment = new(
            new RoomServerOptions { HostCandidates = [], UnixMicrosAtZero = 0 }, new PlainTransportFactory(), new Proxy.Core.Memory.SeededRandom(1));
        Room room = new(environment, "r", default);
        _self = new Participant(room, "PA_self", new AccessClaims { ApiKey = "k", Identity = "self" }, null, 0);
        _other = new Participant(room, "PA_other", new AccessClaims { ApiKey = "k", Identity = "other" }, null, 0);
        NetEndPoint.TryParse("127.0.0.1:17002", out NetEndPoint candidate);
        _negotiation = new Negotiation(1, new IceCredentials("ufragufr", "pwdpwdpwdpwdpwdpwdpwdpwd"), new byte[32], [candidate]);
    }

    public Answer Step(string offerText, string stockAnswer, Dictionary<string, string> map)
    {
        if (!OfferReader.TryRead(offerText, out Offer offer))
        {
            throw new InvalidDataException("the captured offer cannot be read");
        }
        foreach (OfferSection section in offer.Sections)
        {
            string? cid = section.MsidTrack ?? (section.Ssrc != 0 ? "only" : null);
            if (section.Kind == SectionKind.Audio && section.ClientSends && cid is not null && !_tracks.Exists(track => track.Cid == cid))
            {
                _tracks.Add(new Track(_self, "TR_own", new AddTrackRequest { Cid = cid, DisableDtx = !stockAnswer.Contains("usedtx=1", StringComparison.Ordinal) }, 0));
            }
        }
        _subscriptions.RemoveAll(subscription => !map.ContainsValue(subscription.Track.Sid));
        foreach (string sid in map.Values)
        {
            if (!_subscriptions.Exists(subscription => subscription.Track.Sid == sid))
            {
                Track remote = new(_other, sid, new AddTrackRequest { Cid = sid }, 0) { Codec = TrackCodec.Opus };
                _subscriptions.Add(new Subscription(_self, remote, 77));
            }
        }
        Answer answer = _negotiation.Answer(offer, _tracks, _subscriptions);
        foreach (Track track in _tracks.Where(track => track.Mid is not null && !track.WasNegotiated))
        {
            track.FillNegotiated();
        }
        _tracks.RemoveAll(track => track.WasNegotiated && track.Mid is null);
        return answer;
    }
}
