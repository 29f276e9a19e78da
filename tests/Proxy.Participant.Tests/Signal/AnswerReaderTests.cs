using System;
using System.IO;
using System.Linq;
using Proxy.Core.Memory;
using Proxy.Participant.Signal;
using Proxy.Sdp;
using Proxy.Testing;
using Proxy.WebRtc;
using Xunit;

namespace Proxy.Participant.Tests.Signal;

public sealed class AnswerReaderTests
{
    public static TheoryData<string> CapturedAnswers
    {
        get
        {
            var data = new TheoryData<string>();
            foreach (string file in Files())
            {
                data.Add(file);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(CapturedAnswers))]
    public void Every_captured_answer_is_read_with_its_transport(string file)
    {
        Assert.True(AnswerReader.TryRead(Server.Sdp(file), out Answer answer));

        Assert.NotNull(answer.Remote);
        Assert.Equal(SetupRole.Active, answer.Remote.Setup);
        Assert.Equal(16, answer.Remote.Ice.Ufrag.Length);
        Assert.Equal(32, answer.Remote.FingerprintSha256.Length);
        Assert.All(answer.Remote.Candidates, candidate => Assert.Equal("127.0.0.1:17002", candidate.ToString()));
        Assert.All(answer.Sections, section => Assert.True(section.Mid.Length > 0 || section.IsRejected));
        Assert.All(answer.Sections.Where(s => s.IsAudio && !s.IsRejected), section => Assert.NotEmpty(section.Codecs));
    }

    [Fact]
    public void Comfort_noise_and_telephone_event_are_no_codecs_of_ours()
    {
        const string Sdp = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 13 101 96 97 8\r\na=mid:0\r\na=rtpmap:101 telephone-event/8000\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:97 PCMU/16000\r\na=sendonly\r\n";

        Assert.True(AnswerReader.TryRead(Sdp, out Answer answer));

        Assert.Equal([new PayloadCodec(96, RoomCodec.Opus), new PayloadCodec(8, RoomCodec.Pcma)], answer.Sections[0].Codecs);
        Assert.Equal(SdpDirection.SendOnly, answer.Sections[0].Direction);
        Assert.Null(answer.Remote);
    }

    [Theory]
    [InlineData("a=extmap:15 urn:ietf:params:rtp-hdrext:ssrc-audio-level", 0)]
    [InlineData("a=extmap:14 urn:ietf:params:rtp-hdrext:ssrc-audio-level", 14)]
    [InlineData("a=extmap:3/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level", 3)]
    [InlineData("a=extmap:0 urn:ietf:params:rtp-hdrext:ssrc-audio-level", 0)]
    [InlineData("a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid", 0)]
    public void Audio_level_needs_an_id_of_the_one_byte_form(string line, byte id)
    {
        Assert.True(AnswerReader.TryRead($"v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n{line}\r\n", out Answer answer));

        Assert.Equal(id, answer.Sections[0].AudioLevelId);
    }

    [Theory]
    [InlineData("sha-1 AA:BB")]
    [InlineData("sha-256 AA:BB")]
    [InlineData("sha-256")]
    [InlineData("sha-256 zz:29:0B:F1:6C:BD:02:74:B6:59:15:F2:D0:29:0B:67:7A:81:5B:73:7B:2F:E5:B4:BF:16:36:62:40:D4:EE:9D")]
    [InlineData("sha-256 07-29:0B:F1:6C:BD:02:74:B6:59:15:F2:D0:29:0B:67:7A:81:5B:73:7B:2F:E5:B4:BF:16:36:62:40:D4:EE:9D")]
    public void Transport_without_a_whole_sha_256_fingerprint_is_none(string fingerprint)
    {
        string sdp = $"v=0\r\na=fingerprint:{fingerprint}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n";

        Assert.True(AnswerReader.TryRead(sdp, out Answer answer));

        Assert.Null(answer.Remote);
    }

    [Fact]
    public void Ice_lite_and_passive_servers_are_understood()
    {
        string sdp = Server.Sdp("minimal.2.answer").Replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n").Replace("a=setup:active", "a=setup:passive");

        Assert.True(AnswerReader.TryRead(sdp, out Answer answer));

        Assert.True(answer.Remote!.IsIceLite);
        Assert.Equal(SetupRole.Passive, answer.Remote.Setup);
    }

    [Fact]
    public void Damaged_answers_never_throw()
    {
        string[] answers = Files().Select(Server.Sdp).ToArray();
        for (ulong seed = 1; seed <= 3_000; seed++)
        {
            var random = new SeededRandom(seed);
            char[] text = answers[random.Next(answers.Length)].ToCharArray();
            for (int i = random.Next(8); i >= 0; i--)
            {
                text[random.Next(text.Length)] = (char)random.Next(random.Next(2) == 0 ? 128 : 0x1_0000);
            }
            AnswerReader.TryRead(new string(text, 0, text.Length - (random.Next(2) * random.Next(text.Length))), out _);
        }
    }

    private static string[] Files() => Directory.GetFiles(TestData.Path("livekit-golden", "rtc", "sdp"), "*.answer.sdp")
        .Select(path => Path.GetFileNameWithoutExtension(path)!)
        .Order(StringComparer.Ordinal)
        .ToArray();
}
