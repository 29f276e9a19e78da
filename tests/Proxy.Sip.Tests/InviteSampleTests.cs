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

/// <summary>INVITEs of 25 real devices and carriers: every quirk that index.json names is read as the device meant it.</summary>
public sealed class InviteSampleTests
{
    public static TheoryData<string> Files => [.. Directory.GetFiles(TestData.Path("invites"), "*.sip").Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];

    /// <summary>File prefix, what is asked of the message, and the answer.</summary>
    public static TheoryData<string, string, string> Facts => new()
    {
        { "01", "From.tag", "08601002_c3356d0b_658bbbdc-370e-4c02-862b-000000000001" },
        { "01", "CallId", "fb3e6e86a53e3094ed17b47700000001@0.0.0.0" },
        { "01", "Routes", "<sip:203.0.113.10:5061;transport=tls;r2=on;lr>|<sip:203.0.113.10;r2=on;lr>" },
        { "01", "Contact", "sip:+15550100002@172.25.75.240:5060;transport=udp" },
        { "01", "Vias", "2" },
        { "01", "X-Twilio-CallSid", "CA00000000000000000000000000000001" },
        { "02", "X-CID", "dae8845526bf7fe640ad016200000002@0.0.0.0" },
        { "02", "Contact.user", "" },
        { "02", "Via.rport", "5060" },
        { "03", "P-Early-Media", "supported" },
        { "03", "P-Asserted-Identity", "<sip:+495550100006@carrier.example;user=phone>" },
        { "03", "From.port", "5060" },
        { "04", "Routes", "<sip:192.0.2.10;r2=on;lr;ftag=BUXDty7v06tXH>|<sip:10.255.0.1;r2=on;lr;ftag=BUXDty7v06tXH>" },
        { "04", "From.display", "+15550100008" },
        { "05", "To.tag", "" },
        { "05", "To.params", ";transport=UDP" },
        { "05", "Contact", "sip:10.0.58.47:5060;alias=10.0.58.47~5060~1" },
        { "06", "Remote-Party-ID", "\"+15550100012\" <sip:+15550100012@voip.example.com>;party=calling;privacy=off;screen=no" },
        { "06", "Supports.100rel", "True" },
        { "06", "Session-Expires", "1800" },
        { "07", "From", "sip:+15550100014@10.0.0.141" },
        { "08", "Via.hasRport", "False" },
        { "09", "Ruri.user", "1101" },
        { "09", "Ruri.params", ";rinstance=c41238c9fa63c32e" },
        { "10", "Via.branch", "z9hG4bK1281B9C" },
        { "10", "Via.x-ds0num", "ISDN 0 / 0 / 1:15 0 / 0 / 1 : DS1 9 : DS0" },
        { "10", "Ruri.user", "" },
        { "10", "Timestamp", "1515676850" },
        { "10", "Cisco-Guid", "0323255855-4127789543-2194997273-1451141520" },
        { "11", "From.user", "" },
        { "11", "Allow-Events", "kpml , telephone-event" },
        { "12", "Require", "siprec" },
        { "12", "Contact.params", ";+sip.src" },
        { "12", "Session-ID", "812eae44f57c50b38e897d75d8e12809;remote=00000000000000000000000000000000" },
        { "13", "RouteCount", "4" },
        { "13", "User-to-User", "00FA080001247C5E46F6E6;encoding=hex" },
        { "13", "P-Charging-Vector", "icid-value=\"64bf44a0-4f61-11ea-bea2-005056b42b9e\"" },
        { "13", "Session-Expires", "1200;refresher=uac" },
        { "14", "Accepts.sdp", "True" },
        { "15", "CSeq", "656516155" },
        { "16", "Privacy", "none" },
        { "16", "Supports.em", "True" },
        { "17", "MaxForwards", "-1" },
        { "18", "X-FS-Support", "update_display,send_info." },
        { "18", "P-Charge-Info", "<sip:+15550100023@203.0.113.8>;npi=0;noa=3" },
        { "18", "Supports.precondition", "True" },
        { "19", "Via.host", "[2001:db8:e888:51aa:d4a4:c5e0:300:0]" },
        { "19", "Via.received", "2001:db8:e888:51aa:d4a4:c5e0:300:0" },
        { "19", "Via.branch", "z9hG4bKPjNvs.IZBnUa1W4l8oHPpk3SUMmcx3MMcE" },
        { "19", "CallId", "outgoing:wacid.HBgLMTU1NTAxMDAwMjUVAgASGCAzODg1NTE5NEU1NTBEMTc1RTFFQUY5NjNCQ0FCRkEzRhwYCzE1NTUwMTAwMDI0FQIAAA==" },
        { "19", "Contact.params", ";isfocus" },
        { "20", "Allow", "folded" },
        { "20", "x-wa-meta-country-code", "IN" },
        { "20", "Ruri.params", ";transport=tcp" },
        { "21", "Ruri.scheme", "Tel" },
        { "21", "Ruri.user", "+15550100028" },
        { "21", "To", "tel:+15550100028" },
        { "21", "Via.branch", "z9hG4bK+c4694dd03bc9702f25c94c6d30369d981+sip+2+a64fd585" },
        { "22", "From.display", "Anonymous" },
        { "22", "From.user", "5550100030" },
        { "22", "Supports.timer", "True" },
        { "23", "From.display", "Adele Vance" },
        { "23", "Pai", "<tel:+15550100032>|<sip:adele@example.com>" },
        { "23", "Contact.port", "443" },
        { "23", "Privacy", "id" },
        { "24", "Via.cookie", "False" },
        { "24", "Via.maddr", "239.128.16.254" },
        { "24", "From.tag", "1" },
        { "25", "Ruri.user", "5550100033" },
        { "25", "Ruri.host", "livekit.example.com" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void Sample_is_read_and_begins_a_call_or_is_refused_with_420(string file)
    {
        byte[] bytes = TestData.Bytes("invites", file);
        Assert.True(SipMessageView.TryParse(bytes, out SipMessageView view, out SipParseError error), error.ToString());
        Assert.Equal(SipMethod.Invite, view.Method);
        Assert.True(view.TryGetSdp(out ReadOnlySpan<byte> sdp));
        Assert.StartsWith("v=0", Encoding.Latin1.GetString(sdp));
        using var side = new Sipside();
        side.Receive(bytes, Encoding.Latin1.GetString(view.TopVia.Transport) switch { "UDP" => Sipside.Udp, "TCP" => Sipside.Tcp, _ => new SipFlow(SipTransport.Tls, 2, 8, Sipside.Peer) });
        Assert.Equal([file.StartsWith("12", StringComparison.Ordinal) ? 420 : 100], side.Statuses);
        Assert.Equal(Sipside.Peer.Address, side.Sent[0].Flow.Remote.Address);
    }

    [Theory]
    [MemberData(nameof(Facts))]
    public void Quirk_is_read(string prefix, string question, string answer)
    {
        byte[] bytes = File.ReadAllBytes(Directory.GetFiles(TestData.Path("invites"), prefix + "-*.sip")[0]);
        Assert.True(SipMessageView.TryParse(bytes, out SipMessageView view, out _));
        Assert.Equal(answer, Ask(in view, question));
    }

    [Fact]
    public void Index_names_only_files_that_are_here()
    {
        using JsonDocument index = JsonDocument.Parse(TestData.Text("invites", "index.json"));
        foreach (JsonElement sample in index.RootElement.GetProperty("samples").EnumerateArray())
        {
            Assert.Equal(sample.GetProperty("bytes").GetInt32(), TestData.Bytes("invites", sample.GetProperty("file").GetString()!).Length);
        }
    }

    [Fact]
    public void Compact_and_long_names_read_the_same()
    {
        (string Long, string Compact)[] names = [("Via", "v"), ("From", "f"), ("To", "t"), ("Call-ID", "i"), ("Contact", "m"), ("Content-Type", "c"), ("Content-Length", "l"),
            ("Supported", "k"), ("Subject", "s"), ("Session-Expires", "x"), ("Allow-Events", "u"), ("Referred-By", "b"), ("Content-Encoding", "e"), ("Event", "o"), ("Refer-To", "r")];
        foreach (string path in Directory.GetFiles(TestData.Path("invites"), "*.sip"))
        {
            string text = Encoding.Latin1.GetString(File.ReadAllBytes(path));
            int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            string compact = names.Aggregate(text[..end], (t, n) => t.Replace("\r\n" + n.Long + ":", "\r\n" + n.Compact + " :", StringComparison.OrdinalIgnoreCase)) + text[end..];
            Assert.True(SipMessageView.TryParse(Encoding.Latin1.GetBytes(text), out SipMessageView a, out _));
            Assert.True(SipMessageView.TryParse(Encoding.Latin1.GetBytes(compact), out SipMessageView b, out SipParseError error), path + error);
            foreach (string question in (string[])["CallId", "From.tag", "Contact", "Vias", "Via.branch", "To", "Session-Expires", "Allow-Events", "RouteCount"])
            {
                Assert.Equal(Ask(in a, question), Ask(in b, question));
            }
            Assert.True(a.Body.SequenceEqual(b.Body));
        }
    }

    private static string Ask(in SipMessageView view, string question)
    {
        view.TryGetContact(out NameAddrView contact);
        SipUriView.TryParse(contact.Uri, out SipUriView contactUri);
        SipUriView.TryParse(view.From.Uri, out SipUriView from);
        SipUriView.TryParse(view.RequestUri, out SipUriView ruri);
        ViaView via = view.TopVia;
        switch (question)
        {
            case "From": return Text(view.From.Uri);
            case "From.tag": return Text(view.From.Tag);
            case "From.display": return Text(view.From.DisplayName);
            case "From.user": return Text(from.User);
            case "From.port": return from.Port.ToString();
            case "To": return Text(view.To.Uri);
            case "To.tag": return Text(view.To.Tag);
            case "To.params": return Text(view.To.Parameters);
            case "CallId": return Text(view.CallId);
            case "CSeq": return view.CSeq.Number.ToString();
            case "MaxForwards": return view.MaxForwards.ToString();
            case "Contact": return Text(contact.Uri);
            case "Contact.user": return Text(contactUri.User);
            case "Contact.port": return contactUri.Port.ToString();
            case "Contact.params": return Text(contact.Parameters);
            case "Ruri.user": return Text(ruri.User);
            case "Ruri.host": return Text(ruri.Host);
            case "Ruri.params": return Text(ruri.Parameters);
            case "Ruri.scheme": return ruri.Scheme.ToString();
            case "Via.host": return Text(via.Host);
            case "Via.branch": return Text(via.Branch);
            case "Via.received": return Text(via.Received);
            case "Via.hasRport": return via.HasRport.ToString();
            case "Via.cookie": return via.HasMagicCookie.ToString();
            case "Vias": return Values(in view, SipHeaderId.Via).Length.ToString();
            case "Routes": return string.Join('|', Values(in view, SipHeaderId.RecordRoute));
            case "RouteCount": return Values(in view, SipHeaderId.RecordRoute).Length.ToString();
            case "Pai": return string.Join('|', Values(in view, SipHeaderId.PAssertedIdentity));
            case "Allow": return view.TryGetHeader(SipHeaderId.Allow, out ReadOnlySpan<byte> allow) && Text(allow).Contains("\r\n ") && Text(allow).EndsWith("SUBSCRIBE", StringComparison.Ordinal) ? "folded" : "";
            case "Accepts.sdp": return view.ListContains(SipHeaderId.Accept, "application/sdp"u8).ToString();
        }
        if (question.StartsWith("Supports.", StringComparison.Ordinal))
        {
            return view.ListContains(SipHeaderId.Supported, Encoding.ASCII.GetBytes(question[9..])).ToString();
        }
        if (question.StartsWith("Via.", StringComparison.Ordinal))
        {
            return SipParameters.TryGet(via.Parameters, Encoding.ASCII.GetBytes(question[4..]), out ReadOnlySpan<byte> parameter) ? Text(parameter) : "";
        }
        return view.TryGetHeader(Encoding.ASCII.GetBytes(question), out ReadOnlySpan<byte> value) ? Text(value) : "";
    }

    private static string[] Values(in SipMessageView view, SipHeaderId id)
    {
        var values = new List<string>();
        foreach (SipHeaderView header in view.Headers)
        {
            if (header.Id == id)
            {
                foreach (ReadOnlySpan<byte> value in new SipValueEnumerator(header.Value))
                {
                    values.Add(Text(value));
                }
            }
        }
        return [.. values];
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
