using System;
using System.IO;
using System.Linq;
using System.Text;
using Proxy.Bridge.Tests.World;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Sip.Parsing;
using Proxy.Testing;
using Xunit;

namespace Proxy.Bridge.Tests;

public sealed class RefusedInvitesTests
{
    private readonly CallWorld _w = new(new Limits { CallsMax = 50, SipTransactions = 2 });

    private static string Invite(string id, string extra = "") =>
        $"INVITE sip:+15550100@203.0.113.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK{id};rport\r\nMax-Forwards: 70\r\n"
        + $"From: <sip:+15550199@198.51.100.7>;tag={id}\r\nTo: <sip:+15550100@203.0.113.1>\r\nCall-ID: {id}\r\nCSeq: 1 INVITE\r\n"
        + $"Contact: <sip:+15550199@198.51.100.7>\r\n{extra}Content-Length: 0\r\n\r\n";

    [Fact]
    public void Invite_that_cannot_be_read_has_a_record_that_says_why()
    {
        _w.Receive(Invite("bad").Replace("Max-Forwards: 70", "Max-Forwards: many", StringComparison.Ordinal));
        Assert.Equal(("bad_request", "the INVITE cannot be read: Bad Max-Forwards", 400), (_w.Record.Code, _w.Record.Sentence, _w.Record.SipStatus));
        Assert.Equal(("bad", "+15550199", "+15550100", "198.51.100.7:5060"), (_w.Record.SipCallId, _w.Record.FromUser, _w.Record.ToUser, _w.Record.Source));
    }

    [Fact]
    public void Invite_that_requires_what_we_lack_has_a_record()
    {
        _w.Receive(Invite("ext", "Require: x-rocket\r\n"));
        Assert.Equal(("bad_request", 420), (_w.Record.Code, _w.Record.SipStatus));
        Assert.Contains("extension", _w.Record.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Invite_for_which_there_is_no_transaction_has_a_record_and_its_repetitions_have_none()
    {
        _w.Invite();
        _w.Invite();
        for (int i = 0; i < 3; i++)
        {
            _w.Receive(Invite("full"));
        }
        Assert.Equal(3, _w.Sent.Count(m => m.StartsWith("SIP/2.0 503", StringComparison.Ordinal)));
        Assert.Equal(("node_full", 503, "full"), (_w.Record.Code, _w.Record.SipStatus, _w.Record.SipCallId));
        _w.Advance(TimeSpan.FromMinutes(1));
        _w.Receive(Invite("full"));
        Assert.Equal(2, _w.Records.Count(r => r.SipCallId == "full"));
    }

    [Fact]
    public void Damaged_invite_never_throws()
    {
        var random = new SeededRandom(11);
        byte[] dice = new byte[8];
        for (int n = 0; n < 20_000; n++)
        {
            byte[] message = Encoding.ASCII.GetBytes(Invite("d" + n));
            random.Fill(dice);
            for (int i = 0; i < (dice[0] & 3) + 1; i++)
            {
                message[((dice[1 + i] << 8) | dice[5]) % message.Length] = dice[6];
            }
            _w.Receive(Encoding.Latin1.GetString(message));
        }
        Assert.NotEmpty(_w.Records);
    }

    [Fact]
    public void Every_torture_invite_that_is_answered_without_a_call_has_exactly_one_record()
    {
        foreach (string file in Directory.EnumerateFiles(TestData.Path("rfc4475"), "*.dat", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var world = new CallWorld();
            string message = Encoding.Latin1.GetString(File.ReadAllBytes(file));
            world.Receive(message);
            // An INVITE with a To tag is no attempt: it belongs, or claims to belong, to a call.
            SipMessageView.TryParse(Encoding.Latin1.GetBytes(message), out SipMessageView view, out _);
            bool isAttempt = view.Method == SipMethod.Invite && view.To.Tag.IsEmpty && world.InviteStatuses.Any(s => s >= 300);
            Assert.True(world.Records.Count == (isAttempt ? 1 : 0), $"{Path.GetFileName(file)}: {string.Join(' ', world.InviteStatuses)}, {world.Records.Count} records");
        }
    }
}
