using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using Proxy.Sip.Parsing;
using Proxy.Testing;
using Xunit;

namespace Proxy.Sip.Tests;

/// <summary>The torture messages of RFC 4475 go whole through an endpoint over UDP; the table is the product's verdict.</summary>
public sealed class Rfc4475Tests
{
    /// <summary>Name, status of the answer (0: dropped and counted; 100: a call begins), and its reason where that matters.</summary>
    private static readonly Dictionary<string, (int Status, string Reason)> s_verdicts = new()
    {
        // Its To has a tag that names no dialog of ours: taking it for a new call would let the caller choose our call id.
        ["wsinv"] = (481, ""),
        ["intmeth"] = (501, ""),
        ["esc01"] = (100, ""),
        ["escnull"] = (405, ""),
        ["esc02"] = (501, ""),
        ["lwsdisp"] = (200, ""),
        ["longreq"] = (100, ""),
        ["dblreq"] = (405, ""),
        ["semiuri"] = (200, ""),
        ["transports"] = (200, ""),
        ["mpart01"] = (405, ""),
        ["unreason"] = (0, ""),
        ["noreason"] = (0, ""),
        ["badinv01"] = (400, "Bad Via"),
        ["clerr"] = (400, "Content-Length Beyond End"),
        ["ncl"] = (400, "Bad Content-Length"),
        ["scalar02"] = (400, ""),
        ["scalarlg"] = (0, ""),
        ["quotbal"] = (400, "Bad To"),
        ["ltgtruri"] = (400, "Bad Request-URI"),
        ["lwsruri"] = (400, "Bad Request Line"),
        ["lwsstart"] = (400, "Bad Request Line"),
        ["trws"] = (400, "Bad Request Line"),
        ["escruri"] = (400, "Bad Request-URI"),
        ["baddate"] = (100, ""),
        ["regbadct"] = (405, ""),
        ["badaspec"] = (400, "Bad To"),
        ["baddn"] = (400, ""),
        ["badvers"] = (505, ""),
        ["mismatch01"] = (400, "CSeq Method Mismatch"),
        ["mismatch02"] = (501, ""),
        ["bigcode"] = (0, ""),
        ["badbranch"] = (200, ""),
        ["insuf"] = (400, "Missing From"),
        ["unkscm"] = (416, ""),
        ["novelsc"] = (416, ""),
        ["unksm2"] = (405, ""),
        ["bext01"] = (420, ""),
        ["invut"] = (415, ""),
        ["regaut01"] = (405, ""),
        ["multi01"] = (400, "Duplicate Header Field"),
        ["mcl01"] = (400, "Duplicate Header Field"),
        ["bcast"] = (0, ""),
        ["zeromf"] = (200, ""),
        ["cparam01"] = (405, ""),
        ["cparam02"] = (405, ""),
        ["regescrt"] = (405, ""),
        ["sdp01"] = (406, ""),
        ["inv2543"] = (100, ""),
        ["test"] = (0, ""),
    };

    public static TheoryData<string> Names => [.. Index().Select(m => m.GetProperty("name").GetString()!)];

    [Fact]
    public void Table_has_every_message() => Assert.Equal([.. Index().Select(m => m.GetProperty("name").GetString()).Order()], s_verdicts.Keys.Order());

    [Theory]
    [MemberData(nameof(Names))]
    public void Message_gets_the_verdict_of_the_table(string name)
    {
        using var side = new Sipside();
        side.Receive(TestData.Bytes("rfc4475", name + ".dat"));
        (int status, string reason) = s_verdicts[name];
        if (status == 0)
        {
            Assert.Empty(side.Sent);
            SipCounters counters = side.Endpoint.Counters;
            Assert.Equal(1, counters.DroppedMalformed + counters.StrayResponses + counters.NotSip);
            return;
        }
        Assert.Equal([status], side.Statuses);
        Assert.Equal(status == 100 ? 1 : 0, side.Events.Count);
        if (reason.Length > 0)
        {
            Assert.StartsWith($"SIP/2.0 {status} {reason}\r\n", side.Last);
        }
    }

    [Fact]
    public void Tortuous_invite_is_read_field_by_field()
    {
        Assert.True(SipMessageView.TryParse(TestData.Bytes("rfc4475", "wsinv.dat"), out SipMessageView view, out _));
        Assert.Equal("1918181833n", Text(view.To.Tag));
        Assert.Equal("sip:vivekg@chair-dnrc.example.com", Text(view.To.Uri));
        Assert.Equal("J Rosenberg \\\\\\\"", Text(view.From.DisplayName));
        Assert.Equal("98asjd8", Text(view.From.Tag));
        Assert.Equal(68, view.MaxForwards);
        Assert.Equal(9u, view.CSeq.Number);
        Assert.Equal("wsinv.ndaksdj@192.0.2.1", Text(view.CallId));
        Assert.Equal("192.0.2.2", Text(view.TopVia.Host));
        Assert.Equal("390skdjuw", Text(view.TopVia.Branch));
        Assert.False(view.TopVia.HasMagicCookie);
        Assert.True(view.TryGetContact(out NameAddrView contact));
        Assert.True(contact.TryGetParameter("secondparam"u8, out _));
        Assert.True(contact.TryGetParameter("newparam"u8, out ReadOnlySpan<byte> value));
        Assert.Equal("newvalue", Text(value));
        Assert.True(view.TryGetHeader("NewFangledHeader"u8, out ReadOnlySpan<byte> newFangled));
        Assert.StartsWith("newfangled value", Text(newFangled));
        Assert.True(view.TryGetHeader("UnknownHeaderWithUnusualValue"u8, out ReadOnlySpan<byte> unusual));
        Assert.Equal(";;,,;;,;", Text(unusual));
        Assert.True(view.TryGetSdp(out ReadOnlySpan<byte> sdp));
        Assert.StartsWith("v=0", Text(sdp));
    }

    [Fact]
    public void Escapes_of_the_user_part_are_undone_once()
    {
        Assert.True(SipMessageView.TryParse(TestData.Bytes("rfc4475", "esc01.dat"), out SipMessageView view, out _));
        Assert.True(SipUriView.TryParse(view.From.Uri, out SipUriView from));
        Span<byte> user = stackalloc byte[64];
        Assert.Equal("I have spaces", Text(user[..from.UnescapeUser(user)]));
        Assert.True(SipUriView.TryParse("sip:value%25%41@h"u8, out SipUriView once));
        Assert.Equal("value%A", Text(user[..once.UnescapeUser(user)]));
    }

    [Fact]
    public void Escaped_nul_does_not_shorten_the_user()
    {
        Assert.True(SipUriView.TryParse("sip:null-%00-null@example.com"u8, out SipUriView uri));
        Span<byte> user = stackalloc byte[64];
        Assert.Equal(11, uri.UnescapeUser(user));
    }

    [Fact]
    public void Semicolons_in_the_user_part_belong_to_it()
    {
        Assert.True(SipMessageView.TryParse(TestData.Bytes("rfc4475", "semiuri.dat"), out SipMessageView view, out _));
        Assert.True(SipUriView.TryParse(view.RequestUri, out SipUriView uri));
        Assert.Equal("user;par=u%40example.net", Text(uri.User));
        Assert.Equal("example.com", Text(uri.Host));
    }

    [Fact]
    public void Unsupported_lists_the_required_tags_only()
    {
        using var side = new Sipside();
        side.Receive(TestData.Bytes("rfc4475", "bext01.dat"));
        Assert.Equal("nothingSupportsThis, nothingSupportsThisEither", Sipside.Header(side.Last, "Unsupported"));
    }

    [Fact]
    public void All_vias_come_back_in_order()
    {
        using var side = new Sipside();
        side.Receive(TestData.Bytes("rfc4475", "transports.dat"));
        string[] vias = [.. side.Last.Split("\r\n").Where(l => l.StartsWith("Via:", StringComparison.Ordinal)).Select(l => l[13..17])];
        Assert.Equal(5, vias.Length);
        Assert.Equal(["UDP ", "SCTP", "TLS ", "UNKN", "TCP "], vias);
    }

    [Fact]
    public void Caller_of_rfc2543_is_matched_without_branch_and_tag()
    {
        using var side = new Sipside();
        byte[] invite = TestData.Bytes("rfc4475", "inv2543.dat");
        side.Receive(invite);
        side.Receive(invite);
        Assert.Equal([100, 100], side.Statuses);
        Assert.Single(side.Events);
        side.Do(now => side.Events[0].Dialog.Reject(486, default, default, now));
        string text = Encoding.Latin1.GetString(invite);
        string ack = text[..text.IndexOf("Content-Type", StringComparison.Ordinal)].Replace("INVITE", "ACK", StringComparison.Ordinal)
            .Replace("user=phone\r\nCall-ID", "user=phone;tag=" + side.Events[0].Dialog.LocalTag + "\r\nCall-ID", StringComparison.Ordinal) + "\r\n";
        side.Receive(ack);
        Assert.Equal(0, side.Endpoint.Counters.StrayAcks);
        side.Advance(60_000);
        Assert.Equal([100, 100, 486], side.Statuses);
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    private static List<JsonElement> Index() =>
        [.. JsonDocument.Parse(File.ReadAllText(TestData.Path("rfc4475", "index.json"))).RootElement.GetProperty("messages").EnumerateArray()];
}
