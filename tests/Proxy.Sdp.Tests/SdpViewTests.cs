using System;
using System.IO;
using System.Text;
using Proxy.Core.Net;
using Proxy.Testing;
using Xunit;

namespace Proxy.Sdp.Tests;

public sealed class SdpViewTests
{
    [Fact]
    public void Rtc_answer_of_a_stock_server_can_be_read_whole()
    {
        byte[] text = TestData.Bytes("livekit-golden", "rtc", "sdp", "minimal.2.answer.sdp");
        Assert.Equal(SdpVerdict.Ok, SdpView.TryParse(text, out SdpView view));
        Assert.Equal(2, view.MediaCount);
        Assert.True(view.TryGetAttribute("group"u8, out ReadOnlySpan<byte> group));
        Assert.Equal("BUNDLE 0 1", Encoding.ASCII.GetString(group));
        SdpMediaSections sections = view.Media;
        Assert.True(sections.MoveNext());
        Assert.Equal(SdpDirection.RecvOnly, sections.Current.Direction);
        Assert.True(sections.MoveNext());
        SdpMedia media = sections.Current;
        Assert.Equal(SdpProfile.DtlsRtp, media.Profile);
        Assert.Equal("1", Encoding.ASCII.GetString(media.Mid));
        Assert.Equal("active", Encoding.ASCII.GetString(media.Setup));
        Assert.StartsWith("sha-256 C0:51", Encoding.ASCII.GetString(media.Fingerprint), StringComparison.Ordinal);
        Assert.Equal("FSQEvOwuoyJxcGDt", Encoding.ASCII.GetString(media.IceUfrag));
        Assert.True(media.HasRtcpMux);
        Assert.True(media.TryGetRtpMap(111, out SdpRtpMap map));
        Assert.Equal((48_000u, (byte)2), (map.ClockHz, map.Channels));
        Assert.Equal("minptime=10;useinbandfec=1", Encoding.ASCII.GetString(media.Fmtp(111)));
        SdpSources sources = media.Sources;
        Assert.True(sources.MoveNext());
        Assert.Equal(918470551u, sources.Ssrc);
        Assert.Equal("cname", Encoding.ASCII.GetString(sources.Name));
        Assert.EndsWith("TR_AMR5WSDyQctood", Encoding.ASCII.GetString(media.Msid), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_recorded_rtc_description_parses()
    {
        int count = 0;
        foreach (string folder in new[] { "livekit-golden/rtc/sdp", "livekit-golden/rtc/wire", "livekit-captures" })
        {
            foreach (string path in Directory.GetFiles(TestData.Path(folder.Split('/')), "*.sdp"))
            {
                Assert.Equal(SdpVerdict.Ok, SdpView.TryParse(File.ReadAllBytes(path), out SdpView view));
                Assert.NotEqual(0, view.MediaCount);
                count++;
            }
        }
        Assert.True(count > 25);
    }

    [Fact]
    public void Candidates_are_read_up_to_the_limit()
    {
        StringBuilder text = new(Leg.Sdp("m=audio 9 UDP/TLS/RTP/SAVPF 0\na=candidate:bad\na=candidate:1 1 UDP 2130706431 2001:db8::1 5000 typ srflx raddr 10.0.0.1 rport 6000 ufrag abc"));
        for (int i = 0; i < 100; i++)
        {
            text.Append("a=candidate:1 1 udp 1 x.local 4000 typ host\r\n");
        }
        SdpView.TryParse(Encoding.ASCII.GetBytes(text.ToString()), out SdpView view);
        SdpMediaSections sections = view.Media;
        sections.MoveNext();
        int count = 0;
        foreach (SdpCandidate candidate in sections.Current.Candidates)
        {
            if (count++ == 0)
            {
                Assert.Equal(Leg.EndPoint("[2001:db8::1]:5000"), candidate.EndPoint);
                Assert.True(candidate.IsUdp);
                Assert.Equal("10.0.0.1", Encoding.ASCII.GetString(candidate.Extension("raddr"u8)));
                Assert.Equal("abc", Encoding.ASCII.GetString(candidate.Extension("ufrag"u8)));
            }
            else
            {
                Assert.False(candidate.EndPoint.IsSet);
            }
        }
        Assert.Equal(SdpView.MaxCandidates - 1, count);
    }

    [Fact]
    public void Attributes_behind_the_limit_are_as_if_absent()
    {
        StringBuilder text = new(Leg.Sdp("m=audio 40000 RTP/AVP 0"));
        for (int i = 0; i < SdpView.MaxAttributes; i++)
        {
            text.Append("a=x\r\n");
        }
        text.Append("a=inactive\r\n");
        SdpView.TryParse(Encoding.ASCII.GetBytes(text.ToString()), out SdpView view);
        SdpMediaSections sections = view.Media;
        sections.MoveNext();
        Assert.Equal(SdpDirection.SendRecv, sections.Current.Direction);
    }

    [Theory]
    [InlineData("", SdpVerdict.Empty)]
    [InlineData("\r\n\r\n", SdpVerdict.Empty)]
    [InlineData("v=1\r\n", SdpVerdict.BadVersion)]
    [InlineData("s=-\r\nv=0\r\n", SdpVerdict.BadVersion)]
    [InlineData("v=0\r\nm=audio\r\n", SdpVerdict.BadMediaLine)]
    [InlineData("v=0\r\nm=audio 4000 RTP/AVP\r\n", SdpVerdict.BadMediaLine)]
    [InlineData("v=0\r\nm=\u00e4udio 4000 RTP/AVP 0\r\n", SdpVerdict.BadMediaLine)]
    [InlineData("v=0\r\nm=audio 4000/2 RTP/AVP 0", SdpVerdict.Ok)]
    [InlineData("v=0", SdpVerdict.Ok)]
    public void Text_that_is_none_is_told_apart(string text, SdpVerdict expected) =>
        Assert.Equal(expected, SdpView.TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void Thirty_two_media_lines_are_read_and_one_more_is_too_many()
    {
        StringBuilder text = new("v=0\r\n");
        for (int i = 0; i < SdpView.MaxMedia; i++)
        {
            text.Append("m=audio 0 RTP/AVP 0\r\n");
        }
        Assert.Equal(SdpVerdict.Ok, SdpView.TryParse(Encoding.ASCII.GetBytes(text.ToString()), out SdpView view));
        Assert.Equal(SdpView.MaxMedia, view.MediaCount);
        text.Append("m=audio 0 RTP/AVP 0\r\n");
        Assert.Equal(SdpVerdict.TooManyMedia, SdpView.TryParse(Encoding.ASCII.GetBytes(text.ToString()), out _));
    }

    /// <summary>Found by fuzz/: 64 formats times ten thousand short lines cost tens of milliseconds.</summary>
    [Fact]
    public void More_lines_than_anybody_writes_are_too_long()
    {
        string most = "v=0\r\nm=audio 4000 RTP/AVP 0\r\n" + string.Concat(System.Linq.Enumerable.Repeat("b=\n", SdpView.MaxLines - 2));
        Assert.Equal(SdpVerdict.Ok, SdpView.TryParse(Encoding.ASCII.GetBytes(most), out _));
        Assert.Equal(SdpVerdict.TooLong, SdpView.TryParse(Encoding.ASCII.GetBytes(most + "b=\n"), out _));
    }

    [Fact]
    public void Reading_and_writing_allocate_nothing()
    {
        byte[] text = TestData.Bytes("livekit-golden", "rtc", "sdp", "minimal.2.answer.sdp");
        byte[] buffer = new byte[2048];
        NetAddress address = Leg.EndPoint("192.0.2.1:1").Address;
        Walk(text, buffer, address);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Walk(text, buffer, address);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static int Walk(ReadOnlySpan<byte> text, Span<byte> buffer, in NetAddress address)
    {
        SdpView.TryParse(text, out SdpView view);
        int sum = 0;
        foreach (SdpMedia media in view.Media)
        {
            sum += media.Port + media.IceUfrag.Length + media.Fingerprint.Length + (int)media.Direction + media.Connection.Address.GetHashCode();
            foreach (byte payloadType in media.PayloadTypes)
            {
                sum += media.TryGetRtpMap(payloadType, out SdpRtpMap map) ? map.Channels : 0;
            }
            foreach (SdpSources source in media.Sources)
            {
                sum += source.Value.Length;
            }
        }
        SdpWriter writer = new(buffer);
        writer.SessionHead(1, 2, "x"u8, address, "0 0"u8);
        writer.RtpMap(0, "PCMU"u8, 8_000);
        writer.Attribute("ptime"u8, 20);
        return sum + writer.Length;
    }
}
