using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Server.Node;
using Proxy.Server.Signal;
using Proxy.Sip;
using Xunit;

namespace Proxy.Server.Tests.Signal;

public sealed class SipTraceTests
{
    private static readonly SipFlow s_flow = new(SipTransport.Udp, 0, 0, new NetEndPoint(NetAddress.FromV4(0xC633640A), 5060));

    private static byte[] Message(string method, string callId, int cseq = 1, string more = "", int padding = 0) => Encoding.UTF8.GetBytes(
        $"{method} sip:+15550100@203.0.113.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.10;branch=z9hG4bK{cseq}\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=t\r\nTo: <sip:c@d>\r\n"
        + $"Call-ID: {callId}\r\nCSeq: {cseq} {method}\r\nContact: <sip:a@b>\r\n{more}Content-Length: {padding}\r\n\r\n{new string('x', padding)}");

    private static byte[] Response(string status, string callId, string method = "INVITE", int cseq = 1) => Encoding.UTF8.GetBytes(
        $"SIP/2.0 {status}\r\nVia: SIP/2.0/UDP 198.51.100.10;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=t\r\nTo: <sip:c@d>;tag=SCL_1\r\nCall-ID: {callId}\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n");

    private static string[] Labels(SipTrace trace, string callId) =>
        [.. trace.Copy(Encoding.UTF8.GetBytes(callId)).Messages.Select(m => SipLadder.Label(m.Bytes) + (m.IsRepeat ? "+" : ""))];

    [Fact]
    public void Call_is_kept_from_its_invite_on_and_other_requests_are_not()
    {
        var trace = new SipTrace(new Limits());
        trace.Add(false, s_flow, Message("OPTIONS", "ping"), default);
        trace.Add(true, s_flow, Response("200 OK", "ping", "OPTIONS"), default);
        trace.Add(false, s_flow, Message("BYE", "stray"), default);
        trace.Add(false, s_flow, "\r\n\r\n"u8, default);
        trace.Add(false, s_flow, Message("INVITE", "call"), MonoTime.FromMillis(1));
        trace.Add(true, s_flow, Response("180 Ringing", "call"), MonoTime.FromMillis(2));
        trace.Add(true, s_flow, Response("180 Ringing", "call"), MonoTime.FromMillis(1002));
        trace.Add(true, s_flow, Response("200 OK", "call"), MonoTime.FromMillis(1500));
        trace.Add(false, s_flow, Message("ACK", "call"), MonoTime.FromMillis(1600));
        trace.Add(false, s_flow, Message("BYE", "call", 2), MonoTime.FromMillis(2600));
        trace.Add(true, s_flow, Response("200 OK", "call", "BYE", 2), MonoTime.FromMillis(2600));
        Assert.Equal((7, 1), (trace.Count, trace.Calls));
        Assert.Equal(["INVITE", "180 Ringing", "180 Ringing+", "200 OK", "ACK", "BYE", "200 OK (BYE)"], Labels(trace, "call"));
        Assert.Empty(Labels(trace, "ping"));
    }

    [Fact]
    public void Secrets_are_not_kept()
    {
        var trace = new SipTrace(new Limits());
        trace.Add(false, s_flow, Message("INVITE", "call", more: "Proxy-Authorization: Digest username=\"u\", response=\"0123456789abcdef\"\r\n"), default);
        string kept = Encoding.UTF8.GetString(trace.Copy("call"u8).Messages[0].Bytes);
        Assert.Contains("response=\"****************\"", kept, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789abcdef", kept, StringComparison.Ordinal);
    }

    [Fact]
    public void Call_that_talks_too_much_keeps_first_lines_and_then_nothing()
    {
        var trace = new SipTrace(new Limits { SipTraceBytesPerCall = 5_000, SipTraceMessagesPerCall = 20 });
        trace.Add(false, s_flow, Message("INVITE", "other"), default);
        trace.Add(false, s_flow, Message("INVITE", "call"), default);
        for (int i = 2; i < 30; i++)
        {
            trace.Add(false, s_flow, Message("INFO", "call", i, padding: 1_000), default);
        }
        SipTraceCopy copy = trace.Copy("call"u8);
        Assert.Equal((20, 9), (copy.Messages.Count, copy.Cut));
        Assert.Equal("INFO sip:+15550100@203.0.113.1 SIP/2.0\r\n", Encoding.UTF8.GetString(copy.Messages[19].Bytes));
        Assert.True(copy.Messages.Sum(m => m.Bytes.Length) < 7_000);
        string ladder = SipLadder.Write("call", copy, DateTimeOffset.UnixEpoch);
        Assert.Contains("only the first line was kept", ladder, StringComparison.Ordinal);
        Assert.Contains("and 9 more that were not kept", ladder, StringComparison.Ordinal);
        Assert.Equal(["INVITE"], Labels(trace, "other"));
    }

    [Fact]
    public void Ring_of_any_size_holds_the_newest_and_never_shows_bytes_of_another_call()
    {
        var random = new SeededRandom(3);
        byte[] dice = new byte[4];
        foreach (int size in (int[])[4_096, 5_000, 20_000])
        {
            var trace = new SipTrace(new Limits { SipTraceBytes = size });
            Dictionary<string, List<string>> all = [];
            for (int n = 0; n < 3_000; n++)
            {
                random.Fill(dice);
                string id = "call-" + ((n / 20) + (dice[0] % 4)).ToString(CultureInfo.InvariantCulture);
                byte[] message = all.ContainsKey(id) ? Message(dice[1] % 4 == 0 ? "INFO" : "UPDATE", id, dice[1] % 8 == 0 ? 7 : n, padding: dice[2] * 4) : Message("INVITE", id);
                all.TryAdd(id, []);
                all[id].Add(Encoding.UTF8.GetString(message));
                trace.Add(false, s_flow, message, new MonoTime(n));
                string[] kept = [.. trace.Copy(Encoding.UTF8.GetBytes(id)).Messages.Select(m => Encoding.UTF8.GetString(m.Bytes))];
                if (kept.Length == 0)
                {
                    // Forgotten since: without its INVITE it is not begun again.
                    all[id].Clear();
                    continue;
                }
                Assert.Equal(all[id].TakeLast(kept.Length).Where((m, i) => kept[i].Length > 0), kept.Where(k => k.Length > 0));
            }
            Assert.InRange(trace.Calls, 1, 16);
        }
    }

    [Fact]
    public void Ladder_shows_times_directions_repeats_and_every_message_once()
    {
        var trace = new SipTrace(new Limits());
        trace.Add(false, s_flow, Message("INVITE", "call"), MonoTime.FromMillis(1_000));
        trace.Add(true, s_flow, Response("180 Ringing", "call"), MonoTime.FromMillis(1_002));
        trace.Add(true, s_flow, Response("180 Ringing", "call"), MonoTime.FromMillis(2_002));
        trace.Add(false, s_flow with { Remote = s_flow.Remote with { Port = 5062 } }, Message("BYE", "call", 2, more: "Subject: \u001b[2J\r\n"), MonoTime.FromMillis(5_000));
        string ladder = SipLadder.Write("call", trace.Copy("call"u8), DateTimeOffset.UnixEpoch);
        Assert.StartsWith("Call-ID call, 1970-01-01T00:00:00.000Z\n\n              udp 198.51.100.10:5060              siproom\n", ladder, StringComparison.Ordinal);
        Assert.Contains("      0.0 ms  ─────────────INVITE──────────────▶\n", ladder, StringComparison.Ordinal);
        Assert.Contains("   1002.0 ms  ◀───────180 Ringing (again)───────", ladder, StringComparison.Ordinal);
        Assert.Contains("▶  from udp 198.51.100.10:5062\n", ladder, StringComparison.Ordinal);
        Assert.Equal(3, ladder.Split("\n── ").Length - 1);
        Assert.DoesNotContain('\x1b', ladder);
        Assert.DoesNotContain('\r', ladder);
    }
}
