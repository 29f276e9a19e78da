using System;
using System.Text;
using Proxy.Core.Net;
using Xunit;

namespace Proxy.Sdp.Tests;

public sealed class AnswerTests
{
    private const string Key80 = "a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:pMIPxjzYIG5TQuIWfkjTnaACVrzohhFfOGhSMgV1";
    private const string OtherKey80 = "a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:ZKkTQfuCsliegVZtFSya3Z6oEVUtSwjGCfHlbrMf";

    [Fact]
    public void Answer_has_the_lines_in_the_order_of_the_grammar()
    {
        Leg leg = new();
        Assert.Equal(AnswerCode.Accepted, leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 8 0 101\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16")));
        string[] lines = leg.Lines();
        Assert.Equal("v=0", lines[0]);
        Assert.StartsWith("o=- ", lines[1], StringComparison.Ordinal);
        Assert.EndsWith(" 1 IN IP4 192.0.2.10", lines[1], StringComparison.Ordinal);
        Assert.Equal(
            ["s=LiveKit", "c=IN IP4 192.0.2.10", "t=0 0", "m=audio 20000 RTP/AVP 0 101", "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", "a=ptime:20", "a=sendrecv", "a=rtcp:20000"],
            lines[2..]);
    }

    [Theory]
    [InlineData(false, SipAudioCodec.Pcmu)]
    [InlineData(true, SipAudioCodec.Pcma)]
    public void Codec_order_is_ours_unless_configured(bool preferTheirs, SipAudioCodec expected)
    {
        Leg leg = new(c => c with { PreferTheirOrder = preferTheirs });
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 18 8 0"));
        Assert.Equal(expected, leg.Audio!.Codec);
    }

    [Fact]
    public void Dynamic_payload_type_of_the_offer_is_kept()
    {
        Leg leg = new();
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 97 120\na=rtpmap:97 pcma/8000/1\na=rtpmap:120 TELEPHONE-EVENT/8000"));
        Assert.Equal(97, leg.Audio!.PayloadType);
        Assert.Equal((byte)120, leg.Audio.DtmfPayloadType);
        Assert.Contains("a=rtpmap:97 PCMA/8000", leg.Lines());
        Assert.Contains("a=fmtp:120 0-15", leg.Lines());
    }

    [Theory]
    [InlineData("sendonly", SdpDirection.RecvOnly, true)]
    [InlineData("recvonly", SdpDirection.SendOnly, false)]
    [InlineData("inactive", SdpDirection.Inactive, true)]
    [InlineData("sendrecv", SdpDirection.SendRecv, false)]
    public void Direction_is_mirrored(string theirs, SdpDirection ours, bool isHold)
    {
        Leg leg = new();
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 0\na=" + theirs));
        Assert.Equal(ours, leg.Audio!.OurDirection);
        Assert.Equal(isHold, leg.Audio.IsHold);
        Assert.Contains("a=" + Encoding.ASCII.GetString(ours.Text()), leg.Lines());
    }

    [Fact]
    public void Session_direction_counts_when_the_section_has_none()
    {
        Leg leg = new();
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 0", "c=IN IP4 198.51.100.1\na=sendonly"));
        Assert.True(leg.Audio!.IsHold);
    }

    [Fact]
    public void Every_line_is_answered_and_fax_and_video_get_port_0()
    {
        Leg leg = new();
        leg.Answer(Leg.Sdp("m=video 50000 RTP/AVP 96 97\na=rtpmap:96 H264/90000\nm=audio 40000 RTP/AVP 0\nm=image 4000 udptl t38"));
        string[] media = Array.FindAll(leg.Lines(), l => l.StartsWith("m=", StringComparison.Ordinal));
        Assert.Equal(["m=video 0 RTP/AVP 96", "m=audio 20000 RTP/AVP 0", "m=image 0 udptl t38"], media);
        Assert.Equal(1, leg.Audio!.MediaIndex);
    }

    [Fact]
    public void Refused_codec_names_304_or_305()
    {
        Assert.Equal(AnswerCode.NoCodec, new Leg().Answer(Leg.Sdp("m=audio 40000 RTP/AVP 18 101\na=rtpmap:101 telephone-event/8000")));
        AnswerVerdict verdict = new(AnswerCode.NoCodec);
        Assert.Equal((488, 305), (verdict.SipStatus, verdict.WarningCode));
        Assert.Equal((488, 304), (new AnswerVerdict(AnswerCode.NoAudio).SipStatus, new AnswerVerdict(AnswerCode.NoAudio).WarningCode));
    }

    [Theory]
    [InlineData("", "198.51.100.1:40001")]
    [InlineData("\na=rtcp:50000", "198.51.100.1:50000")]
    [InlineData("\na=rtcp:50000 IN IP4 203.0.113.9", "203.0.113.9:50000")]
    [InlineData("\na=rtcp:9 IN IP4 0.0.0.0", "198.51.100.1:9")]
    [InlineData("\na=rtcp-mux", "198.51.100.1:40000")]
    public void Rtcp_goes_where_the_offer_says(string attributes, string expected)
    {
        Leg leg = new();
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 0" + attributes));
        Assert.Equal(Leg.EndPoint(expected), leg.Audio!.RemoteRtcp);
        Assert.Equal(leg.Audio.IsRtcpMux, leg.Text.Contains("a=rtcp-mux", StringComparison.Ordinal));
    }

    [Fact]
    public void Refresh_keeps_the_version_and_a_change_raises_it_by_one()
    {
        Leg leg = new();
        string offer = Leg.Sdp("m=audio 40000 RTP/AVP 0");
        leg.Answer(offer);
        string first = leg.Text;
        leg.Answer(offer);
        Assert.Equal(first, leg.Text);
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 0\na=sendonly"));
        Assert.Contains(" 2 IN IP4", leg.Lines()[1], StringComparison.Ordinal);
        Assert.Equal(first.Split(' ')[1], leg.Text.Split(' ')[1]);
    }

    [Fact]
    public void Refused_later_offer_changes_nothing()
    {
        Leg leg = new();
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 0"));
        NegotiatedAudio before = leg.Audio!;
        string local = Encoding.ASCII.GetString(leg.Machine.LocalDescription);
        Assert.Equal(AnswerCode.NoAudio, leg.Answer(Leg.Sdp("m=image 4000 udptl t38")));
        Assert.Equal(AnswerCode.NoAudio, leg.Answer(Leg.Sdp("m=audio 0 RTP/AVP 0\nm=image 4000 udptl t38")));
        Assert.Same(before, leg.Machine.Current);
        Assert.Equal(local, Encoding.ASCII.GetString(leg.Machine.LocalDescription));
    }

    [Fact]
    public void Port_0_refuses_an_invite_and_removes_the_stream_later()
    {
        Leg leg = new();
        string zero = Leg.Sdp("m=audio 0 RTP/AVP 0");
        Assert.Equal(AnswerCode.NoAudio, leg.Answer(zero));
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 0"));
        Assert.Equal(AnswerCode.AudioRemoved, leg.Answer(zero));
        Assert.Contains("m=audio 0 RTP/AVP 0", leg.Lines());
        Assert.Null(leg.Machine.Current);
        Assert.Equal(AnswerCode.Accepted, leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 0")));
    }

    [Theory]
    [InlineData("RTP/AVP", SrtpPolicy.Allow, true, AnswerCode.Accepted, true)]
    [InlineData("RTP/AVP", SrtpPolicy.Allow, false, AnswerCode.Accepted, false)]
    [InlineData("RTP/AVP", SrtpPolicy.Disable, true, AnswerCode.Accepted, false)]
    [InlineData("RTP/AVP", SrtpPolicy.Require, true, AnswerCode.Accepted, true)]
    [InlineData("RTP/AVP", SrtpPolicy.Require, false, AnswerCode.SrtpRequired, false)]
    [InlineData("RTP/SAVP", SrtpPolicy.Allow, true, AnswerCode.Accepted, true)]
    [InlineData("RTP/SAVP", SrtpPolicy.Allow, false, AnswerCode.SrtpRequired, false)]
    [InlineData("RTP/SAVP", SrtpPolicy.Disable, true, AnswerCode.SrtpDisabled, false)]
    [InlineData("RTP/SAVPF", SrtpPolicy.Require, true, AnswerCode.Accepted, true)]
    [InlineData("RTP/AVPF", SrtpPolicy.Allow, false, AnswerCode.Accepted, false)]
    [InlineData("UDP/TLS/RTP/SAVPF", SrtpPolicy.Allow, true, AnswerCode.NoTransport, false)]
    [InlineData("TCP/RTP/AVP", SrtpPolicy.Allow, false, AnswerCode.NoTransport, false)]
    public void Encryption_follows_policy_and_the_profile_is_kept(string profile, SrtpPolicy policy, bool hasKey, AnswerCode expected, bool isEncrypted)
    {
        Leg leg = new(c => c with { Srtp = policy });
        Assert.Equal(expected, leg.Answer(Leg.Sdp("m=audio 40000 " + profile + " 0" + (hasKey ? "\n" + Key80 : ""))));
        if (expected != AnswerCode.Accepted)
        {
            return;
        }
        Assert.Contains("m=audio 20000 " + profile + " 0", leg.Lines());
        Assert.Equal(isEncrypted, leg.Audio!.Srtp is not null);
        Assert.Equal(isEncrypted, leg.Text.Contains("a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:", StringComparison.Ordinal));
    }

    [Fact]
    public void Livekit_mode_answers_a_secure_offer_in_clear_and_says_so()
    {
        Leg leg = new(c => c with { Srtp = SrtpPolicy.Disable, AnswerSecureOfferInClear = true });
        Assert.Equal(AnswerCode.Accepted, leg.Answer(Leg.Sdp("m=audio 40000 RTP/SAVP 0\n" + Key80)));
        Assert.True(leg.Audio!.IsSecureOfferInClear);
        Assert.Contains("m=audio 20000 RTP/AVP 0", leg.Lines());
    }

    [Fact]
    public void Refresh_with_the_same_key_keeps_ours_and_a_new_key_changes_it()
    {
        Leg leg = new();
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/SAVP 0\n" + Key80));
        SrtpKeys first = leg.Audio!.Srtp!;
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/SAVP 0\n" + Key80));
        Assert.Same(first, leg.Audio.Srtp);
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/SAVP 0\n" + OtherKey80));
        Assert.NotEqual(first.LocalKeySalt.ToArray(), leg.Audio.Srtp!.LocalKeySalt.ToArray());
        Assert.DoesNotContain("inline", leg.Audio.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Encrypted_line_is_taken_before_the_plain_one()
    {
        Leg leg = new();
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 0\nm=audio 40002 RTP/SAVP 0\n" + Key80));
        Assert.Equal(1, leg.Audio!.MediaIndex);
        leg = new(c => c with { Srtp = SrtpPolicy.Disable });
        leg.Answer(Leg.Sdp("m=audio 40002 RTP/SAVP 0\n" + Key80 + "\nm=audio 40000 RTP/AVP 0"));
        Assert.Equal(1, leg.Audio!.MediaIndex);
    }

    [Theory]
    [InlineData("AES_CM_128_HMAC_SHA1_32", "ZKkTQfuCsliegVZtFSya3Z6oEVUtSwjGCfHlbrMf", SrtpSuites.AesCm128HmacSha1Tag32)]
    [InlineData("AES_256_CM_HMAC_SHA1_80", "BvoLeRu5IcBkgNN14qtqaxi0r7ei2rwuBSodd0SANggS9JHsp5IU7lhEsyna1A==", SrtpSuites.AesCm256HmacSha1Tag80)]
    [InlineData("AEAD_AES_128_GCM", "gGetEkQgGk4NZIoKj/cbFpRkHdocmKlP0u3VMw==", SrtpSuites.AeadAes128Gcm)]
    [InlineData("AEAD_AES_256_GCM", "EFFzS2FMyNoYcVcaARU+nvk+JhHmVbvdFtRxZuRi9rDmLYpLms5ySv93iy0=", SrtpSuites.AeadAes256Gcm)]
    public void Suites_are_taken_only_when_configured(string name, string key, SrtpSuites suite)
    {
        string offer = Leg.Sdp("m=audio 40000 RTP/SAVP 0\na=crypto:3 " + name + " inline:" + key + "|2^48 WSH=128");
        Assert.Equal(AnswerCode.SrtpRequired, new Leg(c => c with { Suites = SrtpSuites.AesCm128HmacSha1Tag80 }).Answer(offer));
        Leg leg = new(c => c with { Suites = suite });
        Assert.Equal(AnswerCode.Accepted, leg.Answer(offer));
        Assert.Equal(3u, leg.Audio!.Srtp!.Tag);
        Assert.Equal(Convert.FromBase64String(key), leg.Audio.Srtp.RemoteKeySalt.ToArray());
        Assert.Equal(suite.KeySaltBytes(), leg.Audio.Srtp.LocalKeySalt.Length);
    }

    [Fact]
    public void Phone_that_knows_only_the_32_bit_tag_is_taken_and_any_stronger_offer_goes_first()
    {
        const string Short = "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:ZKkTQfuCsliegVZtFSya3Z6oEVUtSwjGCfHlbrMf";
        const string Long = "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:ZKkTQfuCsliegVZtFSya3Z6oEVUtSwjGCfHlbrMf";
        Leg leg = new();
        Assert.Equal(AnswerCode.Accepted, leg.Answer(Leg.Sdp("m=audio 40000 RTP/SAVP 0\n" + Short)));
        Assert.Equal((SrtpSuites.AesCm128HmacSha1Tag32, 1u), (leg.Audio!.Srtp!.Suite, leg.Audio.Srtp.Tag));
        leg = new Leg();
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/SAVP 0\n" + Short + "\n" + Long));
        Assert.Equal((SrtpSuites.AesCm128HmacSha1Tag80, 2u), (leg.Audio!.Srtp!.Suite, leg.Audio.Srtp.Tag));
    }

    [Theory]
    [InlineData("97 101", "a=rtpmap:97 PCMU/8000/2", AnswerCode.NoCodec)]
    [InlineData("97 0", "a=rtpmap:97 PCMU/8000/2", AnswerCode.Accepted)]
    [InlineData("97", "a=rtpmap:97 PCMU/8000/1", AnswerCode.Accepted)]
    public void Stereo_is_not_taken_for_mono(string formats, string map, AnswerCode expected)
    {
        Leg leg = new();
        Assert.Equal(expected, leg.Answer(Leg.Sdp($"m=audio 40000 RTP/AVP {formats}\n{map}")));
        Assert.True(expected != AnswerCode.Accepted || leg.Audio!.PayloadType == (formats == "97" ? 97 : 0));
    }

    [Fact]
    public void Ipv6_is_answered_when_this_node_has_an_address_of_that_family()
    {
        string offer = Leg.Sdp("m=audio 40000 RTP/AVP 0", "c=IN IP6 2001:db8::1");
        Assert.Equal(AnswerCode.AddressFamily, new Leg().Answer(offer));
        Leg leg = new(c => c with { LocalOtherFamily = Leg.EndPoint("[2001:db8::10]:20002") });
        Assert.Equal(AnswerCode.Accepted, leg.Answer(offer));
        Assert.Contains("c=IN IP6 2001:db8::10", leg.Lines());
        Assert.Contains("m=audio 20002 RTP/AVP 0", leg.Lines());
    }

    [Theory]
    [InlineData("c=IN IP4 127.0.0.1", AnswerCode.ForbiddenAddress)]
    [InlineData("c=IN IP4 224.2.17.12/127", AnswerCode.ForbiddenAddress)]
    [InlineData("c=IN IP4 255.255.255.255", AnswerCode.ForbiddenAddress)]
    [InlineData("c=IN IP4 host.example", AnswerCode.NoAddress)]
    [InlineData("b=AS:64", AnswerCode.NoAddress)]
    [InlineData("c=IN IP4 198.51.100.7/64", AnswerCode.Accepted)]
    public void Only_unicast_literals_are_sent_to(string line, AnswerCode expected) =>
        Assert.Equal(expected, new Leg().Answer(Leg.Sdp("m=audio 40000 RTP/AVP 0", line)));

    [Fact]
    public void Loopback_and_origin_addresses_are_taken_where_the_caller_allows_it()
    {
        Assert.Equal(AnswerCode.Accepted, new Leg(c => c with { AllowLoopback = true }).Answer(Leg.Sdp("m=audio 40000 RTP/AVP 0", "c=IN IP4 127.0.0.1")));
        Leg leg = new(c => c with { AllowOriginAddress = true });
        Assert.Equal(AnswerCode.Accepted, leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 0", "b=AS:64")));
        Assert.Equal(Leg.EndPoint("198.51.100.1:40000"), leg.Audio!.RemoteRtp);
    }

    [Theory]
    [InlineData("", 20, 20)]
    [InlineData("\na=ptime:30", 30, 20)]
    [InlineData("\na=ptime:10\na=maxptime:10", 10, 10)]
    [InlineData("\na=ptime:60\na=maxptime:150", 60, 20)]
    public void Packet_time_asked_for_is_known_and_ours_respects_their_maximum(string attributes, int theirs, int ours)
    {
        Leg leg = new();
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 0" + attributes));
        Assert.Equal((theirs, ours), (leg.Audio!.TheirPtimeMs, leg.Audio.PtimeMs));
    }

    [Fact]
    public void Comfort_noise_is_recognised_and_named_only_when_configured()
    {
        string offer = Leg.Sdp("m=audio 40000 RTP/AVP 0 13 118\na=rtpmap:118 CN/16000");
        Leg leg = new();
        leg.Answer(offer);
        Assert.Equal((byte)13, leg.Audio!.ComfortNoisePayloadType);
        Assert.Contains("m=audio 20000 RTP/AVP 0", leg.Lines());
        leg = new(c => c with { ComfortNoise = true });
        leg.Answer(offer);
        Assert.Contains("m=audio 20000 RTP/AVP 0 13", leg.Lines());
    }

    [Fact]
    public void Event_clock_is_the_codec_clock()
    {
        string offer = Leg.Sdp("m=audio 40000 RTP/AVP 96 0 97 101\na=rtpmap:96 opus/48000/2\na=rtpmap:97 telephone-event/48000\na=rtpmap:101 telephone-event/8000");
        Leg leg = new();
        leg.Answer(offer);
        Assert.Equal((byte)101, leg.Audio!.DtmfPayloadType);
        leg = new(c => c with { Codecs = [SipAudioCodec.Opus, SipAudioCodec.Pcmu] });
        leg.Answer(offer);
        Assert.Equal((SipAudioCodec.Opus, (byte)97), (leg.Audio!.Codec, leg.Audio.DtmfPayloadType!.Value));
        Assert.Contains("a=rtpmap:96 opus/48000/2", leg.Lines());
    }

    [Fact]
    public void Small_buffer_is_a_verdict()
    {
        OfferAnswer machine = new(new SipMediaCapabilities { Local = Leg.EndPoint("192.0.2.10:20000") }, new Core.Memory.SeededRandom(1));
        byte[] small = new byte[100];
        AnswerVerdict verdict = machine.Answer(Encoding.ASCII.GetBytes(Leg.Sdp("m=audio 40000 RTP/AVP 0")), small, out int written, out _);
        Assert.Equal((AnswerCode.TooLong, 0), (verdict.Code, written));
        Assert.Null(machine.Current);
    }
}
