using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Text.Json;
using Proxy.Testing;
using Xunit;

namespace Proxy.Sdp.Tests;

/// <summary>Everything in tests/data/sdp and the descriptions of tests/data/invites.</summary>
public sealed class SdpCorpusTests
{
    public static TheoryData<string, AnswerCode> Files => new()
    {
        { "rfc4566-5.sdp", AnswerCode.ForbiddenAddress },
        { "rfc3264-10.1-offer.sdp", AnswerCode.NoAddress },
        { "rfc4568-crypto.sdp", AnswerCode.SrtpRequired },
        { "linphone-multi-crypto.sdp", AnswerCode.Accepted },
        { "cisco-per-media-c-no-session-c.sdp", AnswerCode.Accepted },
        { "hold-zero-address.sdp", AnswerCode.Accepted },
        { "t38-reinvite.sdp", AnswerCode.NoAudio },
    };

    public static TheoryData<string, AnswerCode> Negatives => new()
    {
        { "fmt-4294967296", AnswerCode.NoCodec },
        { "fmtp-without-pt", AnswerCode.Accepted },
        { "port-65536", AnswerCode.Unparsable },
        { "port-negative", AnswerCode.Unparsable },
        { "port-odd", AnswerCode.Accepted },
        { "port-all-zero", AnswerCode.NoAudio },
        { "no-media", AnswerCode.NoAudio },
        { "no-connection", AnswerCode.NoAddress },
        { "video-only", AnswerCode.NoAudio },
        { "c-broadcast", AnswerCode.ForbiddenAddress },
        { "c-loopback-to-own-sip-port", AnswerCode.ForbiddenAddress },
        { "version-1", AnswerCode.Unparsable },
        { "duplicate-pt-mapping", AnswerCode.NoCodec },
        { "ptime-0", AnswerCode.Accepted },
        { "ptime-huge", AnswerCode.Accepted },
        { "clock-0", AnswerCode.NoCodec },
        { "crypto-short-key", AnswerCode.SrtpRequired },
        { "crypto-bad-base64", AnswerCode.SrtpRequired },
        { "crypto-null-cipher", AnswerCode.SrtpRequired },
        { "crypto-unencrypted-params", AnswerCode.SrtpRequired },
        { "savp-without-crypto", AnswerCode.SrtpRequired },
        { "m-line-bomb", AnswerCode.Unparsable },
        { "a-line-bomb", AnswerCode.Unparsable },
        { "candidate-bomb", AnswerCode.Unparsable },
        { "line-64k", AnswerCode.Unparsable },
        { "lf-only", AnswerCode.Accepted },
        { "nul-in-value", AnswerCode.Accepted },
    };

    public static TheoryData<string, AnswerCode> Invites => new()
    {
        { "08-asterisk-chan-sip-opus", AnswerCode.NoCodec },
        { "15-sonus-g729-only", AnswerCode.NoCodec },
        { "19-whatsapp-user-initiated-tls", AnswerCode.NoTransport },
        { "24-osip-rfc2543-multicast", AnswerCode.ForbiddenAddress },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void File_is_judged_as_expected(string file, AnswerCode expected)
    {
        Leg leg = new();
        Assert.Equal(expected, leg.Answer(TestData.Bytes("sdp", file)));
        if (expected == AnswerCode.Accepted)
        {
            AssertValidAnswer(TestData.Bytes("sdp", file), leg);
        }
    }

    [Fact]
    public void Every_file_of_the_folder_is_listed()
    {
        HashSet<string> known = [];
        foreach (TheoryDataRow row in Rows(Files))
        {
            known.Add(row.Name);
        }
        foreach (string path in Directory.GetFiles(TestData.Path("sdp"), "*.sdp"))
        {
            Assert.Contains(Path.GetFileName(path), known);
        }
    }

    [Fact]
    public void Linphone_offer_is_answered_with_its_tag_and_the_event_clock_of_the_codec()
    {
        Leg leg = new();
        leg.Answer(TestData.Bytes("sdp", "linphone-multi-crypto.sdp"));
        Assert.Equal(1u, leg.Audio!.Srtp!.Tag);
        Assert.Equal((byte)101, leg.Audio.DtmfPayloadType);
        Assert.Contains("m=audio 20000 RTP/SAVP 0 101", leg.Lines());
    }

    [Fact]
    public void Cisco_offer_with_addresses_per_media_gets_three_lines()
    {
        Leg leg = new();
        leg.Answer(TestData.Bytes("sdp", "cisco-per-media-c-no-session-c.sdp"));
        string[] media = Array.FindAll(leg.Lines(), l => l.StartsWith("m=", StringComparison.Ordinal));
        Assert.Equal(["m=audio 20000 RTP/AVP 0", "m=video 0 RTP/AVP 96", "m=text 0 RTP/AVP 98"], media);
    }

    [Fact]
    public void Old_hold_by_zero_address_is_a_hold()
    {
        Leg leg = new();
        leg.Answer(TestData.Bytes("sdp", "hold-zero-address.sdp"));
        Assert.True(leg.Audio!.IsHold);
        Assert.Contains("a=recvonly", leg.Lines());
    }

    [Fact]
    public void Every_negative_case_of_the_index_is_judged_as_expected()
    {
        Dictionary<string, AnswerCode> expected = [];
        foreach (TheoryDataRow row in Rows(Negatives))
        {
            expected.Add(row.Name, row.Code);
        }
        using JsonDocument index = JsonDocument.Parse(TestData.Text("sdp", "index.json"));
        int count = 0;
        foreach (JsonElement item in index.RootElement.GetProperty("negative").EnumerateArray())
        {
            string name = item.GetProperty("name").GetString()!;
            string sdp = item.GetProperty("sdp").GetString()!;
            byte[] offer = Encoding.UTF8.GetBytes(sdp.StartsWith("GENERATE", StringComparison.Ordinal) ? Generate(name) : sdp);
            Leg leg = new();
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            AnswerCode code = leg.Answer(offer);
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1), name);
            Assert.True(expected[name] == code, name + ": " + code);
            AssertValidAnswer(offer, leg);
            count++;
        }
        Assert.Equal(expected.Count, count);
    }

    [Fact]
    public void Every_carrier_invite_is_answered_or_refused_for_a_known_reason()
    {
        Dictionary<string, AnswerCode> refused = [];
        foreach (TheoryDataRow row in Rows(Invites))
        {
            refused.Add(row.Name, row.Code);
        }
        int count = 0;
        foreach (string path in Directory.GetFiles(TestData.Path("invites"), "*.sip"))
        {
            string name = Path.GetFileNameWithoutExtension(path);
            byte[] sdp = SdpOf(File.ReadAllBytes(path));
            Leg leg = new();
            AnswerCode code = leg.Answer(sdp);
            Assert.True(refused.GetValueOrDefault(name, AnswerCode.Accepted) == code, name + ": " + code);
            AssertValidAnswer(sdp, leg);
            count++;
        }
        Assert.Equal(25, count);
    }

    [Fact]
    public void Teams_offer_is_answered_with_srtp_and_its_rtcp_port()
    {
        Leg leg = new();
        leg.Answer(SdpOf(TestData.Bytes("invites", "23-teams-direct-routing.sip")));
        Assert.Equal(SrtpSuites.AesCm128HmacSha1Tag80, leg.Audio!.Srtp!.Suite);
        Assert.Equal(52397, leg.Audio.RemoteRtcp.Port);
        Assert.Equal((byte)101, leg.Audio.DtmfPayloadType);
    }

    [Fact]
    public void Opus_only_offer_is_taken_where_opus_is_a_codec_of_the_leg()
    {
        Leg leg = new(c => c with { Codecs = [SipAudioCodec.Pcmu, SipAudioCodec.Opus] });
        Assert.Equal(AnswerCode.Accepted, leg.Answer(SdpOf(TestData.Bytes("invites", "08-asterisk-chan-sip-opus.sip"))));
        Assert.Equal(107, leg.Audio!.PayloadType);
    }

    internal static byte[] SdpOf(byte[] message)
    {
        int start = message.AsSpan().IndexOf("\nv=0"u8) + 1;
        ReadOnlySpan<byte> body = message.AsSpan(start);
        int end = body.IndexOf("\r\n--"u8);
        return (end < 0 ? body : body[..end]).ToArray();
    }

    /// <summary>RFC 3264 §6: as many m= lines, same kinds in the same order, at most one with a port, one format at least.</summary>
    internal static void AssertValidAnswer(ReadOnlySpan<byte> offer, Leg leg)
    {
        if (leg.Text.Length == 0)
        {
            Assert.Null(leg.Audio);
            return;
        }
        Assert.Equal(SdpVerdict.Ok, SdpView.TryParse(offer, out SdpView theirs));
        byte[] text = Encoding.UTF8.GetBytes(leg.Text);
        Assert.Equal(SdpVerdict.Ok, SdpView.TryParse(text, out SdpView ours));
        Assert.Equal(theirs.MediaCount, ours.MediaCount);
        Assert.True(text.AsSpan().EndsWith("\r\n"u8));
        SdpMediaSections mirror = ours.Media.GetEnumerator();
        foreach (SdpMedia media in theirs.Media)
        {
            Assert.True(mirror.MoveNext());
            Assert.True(media.Kind.SequenceEqual(mirror.Current.Kind));
            Assert.True(media.ProfileText.SequenceEqual(mirror.Current.ProfileText));
            Assert.Equal(leg.Audio?.MediaIndex == media.Index ? leg.Audio.Local.Port : 0, mirror.Current.Port);
            Assert.False(media.Port == 0 && mirror.Current.Port != 0);
        }
    }

    private static string Generate(string name) => name switch
    {
        "m-line-bomb" => Leg.Sdp(string.Concat(Repeat("m=audio 40000 RTP/AVP 0\n", 10_000))),
        "a-line-bomb" => Leg.Sdp("m=audio 40000 RTP/AVP 0\n" + string.Concat(Repeat("a=x\n", 15_000))),
        "candidate-bomb" => Leg.Sdp("m=audio 40000 RTP/AVP 0\n" + string.Concat(Repeat("a=candidate:1 1 udp 1 198.51.100.1 4000 typ host\n", 5_000))),
        "line-64k" => Leg.Sdp("m=audio 40000 RTP/AVP 0").Replace("s=-", "s=" + new string('x', 60_000), StringComparison.Ordinal),
        "lf-only" => Leg.Sdp("m=audio 40000 RTP/AVP 0").Replace("\r", "", StringComparison.Ordinal),
        "nul-in-value" => Leg.Sdp("m=audio 40000 RTP/AVP 0").Replace("s=-", "s=a\0b", StringComparison.Ordinal),
        _ => throw new InvalidOperationException(name),
    };

    private static string[] Repeat(string text, int count)
    {
        string[] all = new string[count];
        Array.Fill(all, text);
        return all;
    }

    private static List<TheoryDataRow> Rows(TheoryData<string, AnswerCode> data)
    {
        List<TheoryDataRow> rows = [];
        foreach (object[] row in data)
        {
            rows.Add(new TheoryDataRow((string)row[0], (AnswerCode)row[1]));
        }
        return rows;
    }

    private sealed record TheoryDataRow(string Name, AnswerCode Code);
}
