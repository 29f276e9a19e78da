using System;
using System.Linq;
using Proxy.Bridge.Media;
using Proxy.Bridge.Tests.World;
using Proxy.Bridge.Transfers;
using Proxy.Participant;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Proxy.Policy.Deferred;
using Xunit;

namespace Proxy.Bridge.Tests;

/// <summary>REFER of the caller's side (RFC 3515): the target goes through the policy like a called number.</summary>
public sealed class ReferralTests
{
    private readonly CallWorld _w = new();

    public ReferralTests()
    {
        Func<CallFacts, Verdict> join = _w.Decision;
        _w.Decision = facts => facts.ToUser switch
        {
            "+15550100" => join(facts) with { Caps = [new CapClaim(CapScope.Rule, "SDR_1", 1, 0)] },
            "+15550200" => join(facts) with { Room = "sales", RuleId = "SDR_2", Caps = [new CapClaim(CapScope.Rule, "SDR_2", 1, 0)] },
            "pin" => join(facts) with { Kind = VerdictKind.AskPin, Room = "", RuleId = "SDR_2", Caps = [new CapClaim(CapScope.Rule, "SDR_2", 1, 0)] },
            "asked" => new Verdict { Kind = VerdictKind.Deferred, Deferral = new Deferral(DeferralKind.Hook, TimeSpan.FromMilliseconds(500), join(facts) with { Room = "sales", RuleId = "SDR_2" }) },
            "locked" => new Verdict { Kind = VerdictKind.Challenge, SipStatus = 407, Challenge = new DigestChallenge("LiveKit", "n1", "MD5", false) },
            _ => Verdict.Refuse(RefusalCode.NoTrunk, "no trunk takes it", Refusals.Default) with { MayTellWhy = true },
        };
    }

    private void Refer(string target, int cseq = 2) => _w.InDialog("REFER", cseq, "r" + cseq, extra: target.Length > 0 ? $"Refer-To: {target}\r\n" : "");

    private int Status => int.Parse(_w.Sent.Last(m => m.StartsWith("SIP/2.0", StringComparison.Ordinal) && m.Contains(" REFER\r\n", StringComparison.Ordinal)).AsSpan(8, 3));

    private string[] Told => [.. _w.Sent.Where(m => m.StartsWith("NOTIFY ", StringComparison.Ordinal))
        .Select(m => m[(m.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..].Trim() + " " + CallWorld.Header(m, "Subscription-State").Split(';')[0]).Distinct()];

    [Theory]
    [InlineData("<sip:+15550200@203.0.113.1>")]
    [InlineData("tel:+15550200")]
    [InlineData("\"Sales\" <sip:+15550200@example.com;user=phone;method=INVITE>;x=y")]
    public void Caller_is_moved_to_the_room_that_the_target_would_have_got(string target)
    {
        _w.Connect();
        FakeRoom first = _w.Room;
        Refer(target);
        Assert.Equal((202, true), (Status, first.WasLeft));
        _w.Poke();
        Assert.Equal(["SIP/2.0 100 Processing active"], Told);
        Assert.Equal(("sales", "active", 4), (_w.Room.Request!.Room, _w.Room.Request.Attributes["sip.callStatus"], _w.Playing));
        Assert.Equal(["REFER", "+15550199", "+15550200"], [_w.Facts.Method, _w.Facts.FromUser, _w.Facts.RequestUser]);
        _w.Room.Join();
        _w.Advance(TimeSpan.FromSeconds(3));
        Assert.Single(Told);
        _w.Room.PublishAgent();
        _w.Poke();
        string notify = _w.LastRequest;
        Assert.Equal(["SIP/2.0 100 Processing active", "SIP/2.0 200 OK terminated"], Told);
        Assert.Equal(("refer;id=2", "message/sipfrag;version=2.0"), (CallWorld.Header(notify, "Event"), CallWorld.Header(notify, "Content-Type")));
        Assert.StartsWith("<sip:203.0.113.1", CallWorld.Header(notify, "Contact"), StringComparison.Ordinal);
        Assert.Equal(0, _w.Playing);
        Assert.Equal((0, 1), (_w.Caps.Running(CapScope.Rule, "SDR_1"), _w.Caps.Running(CapScope.Rule, "SDR_2")));
        _w.Keys("5");
        Assert.Equal(['5'], _w.Room.Digits);
        _w.InDialog("BYE", 3, "b");
        _w.Farewell();
        Assert.Equal(("hangup", "sales", "SDR_2", 0), (_w.Record.Code, _w.Record.Room, _w.Record.RuleId, _w.Calls.Count));
        Assert.Equal(("caller", "moved", 200), (_w.Record.Transfers[0].By, _w.Record.Transfers[0].Result, _w.Record.Transfers[0].SipStatus));
        Assert.Equal((0, 0), (_w.Calls.Seats, _w.Caps.Running(CapScope.Rule, "SDR_2")));
    }

    [Theory]
    [InlineData("<sip:+15559999@203.0.113.1>", 404)]
    [InlineData("<sip:locked@203.0.113.1>", 407)]
    [InlineData("", 400)]
    [InlineData("<nothing>", 400)]
    [InlineData("<mailto:a@b>", 416)]
    [InlineData("<sip:+15550200@203.0.113.1;method=BYE>", 603)]
    [InlineData("<sip:+15550200@203.0.113.1?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>", 603)]
    public void Target_that_the_policy_does_not_take_leaves_the_call_as_it_was(string target, int status)
    {
        _w.Connect();
        Refer(target);
        Assert.Equal(status, Status);
        Assert.Equal(status == 404, _w.Last.Contains("Reason: Q.850;cause=1;text=\"no_trunk\"", StringComparison.Ordinal));
        Assert.Equal(status == 407, _w.Last.Contains("Proxy-Authenticate: Digest realm=\"LiveKit\", nonce=\"n1\"", StringComparison.Ordinal));
        _w.Advance(TimeSpan.FromSeconds(3));
        Assert.Empty(Told);
        Assert.Equal((1, false, 1), (_w.Rooms.Legs.Count, _w.Room.WasLeft, _w.Caps.Running(CapScope.Rule, "SDR_1")));
        Assert.Empty(_w.Records);
    }

    [Fact]
    public void Target_that_asks_for_a_PIN_asks_for_it_outside_the_room()
    {
        _w.PinDecision = (asked, pin) => pin == "12"
            ? new Verdict { Kind = VerdictKind.Join, Room = "vault", Identity = "sip_1", RuleId = "SDR_3", Caps = [new CapClaim(CapScope.Rule, "SDR_3", 1, 0)] }
            : Verdict.Refuse(RefusalCode.WrongPin, "no rule has this PIN", Refusals.Default);
        _w.Connect();
        FakeRoom first = _w.Room;
        Refer("<sip:pin@203.0.113.1>");
        _w.Poke();
        Assert.Equal((202, true, 1, 1), (Status, first.WasLeft, _w.Playing, _w.Rooms.Legs.Count));
        Assert.Equal((0, 1), (_w.Caps.Running(CapScope.Rule, "SDR_1"), _w.Caps.Running(CapScope.Rule, "SDR_2")));
        _w.Keys("12#");
        Assert.Equal(["12"], _w.Keyed);
        Assert.Equal(("vault", "active", 4), (_w.Room.Request!.Room, _w.Room.Request.Attributes["sip.callStatus"], _w.Playing));
        Assert.Equal((0, 1), (_w.Caps.Running(CapScope.Rule, "SDR_2"), _w.Caps.Running(CapScope.Rule, "SDR_3")));
        Assert.Single(Told);
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
        Assert.Equal("SIP/2.0 200 OK terminated", Told[^1]);
        _w.InDialog("BYE", 3, "b");
        _w.Farewell();
        Assert.Equal(("moved", "vault"), (_w.Record.Transfers[0].Result, _w.Record.Room));
        Assert.Equal((0, 0), (_w.Calls.Seats, _w.Caps.Running(CapScope.Rule, "SDR_3")));
    }

    [Fact]
    public void Wrong_PIN_after_a_referral_ends_the_call()
    {
        _w.PinDecision = (_, _) => Verdict.Refuse(RefusalCode.WrongPin, "no rule has this PIN", Refusals.Default);
        _w.Connect();
        Refer("<sip:pin@203.0.113.1>");
        _w.Keys("9#");
        _w.PromptEnds();
        Assert.Equal("SIP/2.0 403 Forbidden terminated", Told[^1]);
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
        _w.Farewell();
        Assert.Equal(("wrong_pin", "failed"), (_w.Record.Code, _w.Record.Transfers[0].Result));
        Assert.Equal((0, 0, 0), (_w.Calls.Count, _w.Calls.Seats, _w.Media.Out));
    }

    [Fact]
    public void Target_about_which_somebody_is_asked_first_is_accepted_and_the_call_goes_on_meanwhile()
    {
        _w.Connect();
        Refer("<sip:asked@203.0.113.1>");
        Assert.Equal((202, false, "REFER"), (Status, _w.Room.WasLeft, _w.Facts.Method));
        Assert.Equal(["SIP/2.0 100 Processing active"], Told);
        _w.Keys("5");
        Assert.Equal(['5'], _w.Room.Digits);
        Refer("tel:+15550200", 3);
        Assert.Equal(491, Status);
        _w.Answer(new DeferredAnswer(true, "answered in 12 ms"));
        _w.Poke();
        Assert.Equal("sales", _w.Room.Request!.Room);
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
        Assert.Equal("SIP/2.0 200 OK terminated", Told[^1]);
    }

    [Fact]
    public void Refusal_of_whoever_was_asked_leaves_the_call_as_it_was()
    {
        _w.Resumption = (_, _, _) => Verdict.Refuse(RefusalCode.HookRejected, "the policy hook refuses the call", Refusals.Default) with { Note = "hook answered in 12 ms: refuses" };
        _w.Connect();
        Refer("<sip:asked@203.0.113.1>");
        _w.Answer(new DeferredAnswer(true, "answered in 12 ms"));
        Assert.Equal("SIP/2.0 403 Forbidden terminated", Told[^1]);
        Assert.Equal((1, false, 1, 0), (_w.Rooms.Legs.Count, _w.Room.WasLeft, _w.Caps.Running(CapScope.Rule, "SDR_1"), _w.Calls.Waiting));
        _w.InDialog("BYE", 3, "b");
        _w.Farewell();
        Assert.Equal(("hangup", "refused", 403, "hook answered in 12 ms: refuses"), (_w.Record.Code, _w.Record.Transfers[0].Result, _w.Record.Transfers[0].SipStatus, _w.Record.Note));
    }

    [Fact]
    public void Caller_who_hangs_up_while_somebody_is_asked_leaves_nothing_behind()
    {
        _w.Connect();
        Refer("<sip:asked@203.0.113.1>");
        _w.InDialog("BYE", 3, "b");
        Assert.Equal((0, false), (_w.Calls.Waiting, _w.Answers.GivenUp.Single().IsLate));
        _w.Answer(new DeferredAnswer(true, "too late"));
        _w.Farewell();
        Assert.Equal(("hangup", "failed"), (_w.Record.Code, _w.Record.Transfers[0].Result));
        Assert.Equal((0, 0, 0), (_w.Calls.Count, _w.Calls.Seats, _w.Media.Out));
    }

    [Theory]
    [InlineData("nobody can be asked")]
    [InlineData("")]
    public void Without_an_answer_the_rules_decide_about_the_referral(string refusal)
    {
        _w.Answers.Refusal = refusal;
        _w.Connect();
        Refer("<sip:asked@203.0.113.1>");
        _w.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("sales", _w.Room.Request!.Room);
    }

    [Fact]
    public void Referral_before_the_answer_is_declined()
    {
        _w.Invite();
        Refer("tel:+15550200");
        Assert.Equal(603, Status);
    }

    [Fact]
    public void Room_that_cannot_be_joined_ends_the_call_and_the_referral()
    {
        _w.Connect();
        Refer("tel:+15550200");
        _w.Poke();
        _w.Room.End(RoomEnd.Unreachable, "nobody listens there");
        _w.Poke();
        Assert.Equal(["SIP/2.0 100 Processing active", "SIP/2.0 503 Service Unavailable terminated"], Told);
        _w.PromptEnds();
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
        _w.Farewell();
        Assert.Equal(("backend_down", "failed", 503), (_w.Record.Code, _w.Record.Transfers[0].Result, _w.Record.Transfers[0].SipStatus));
    }

    [Fact]
    public void Room_in_which_nobody_speaks_is_a_ring_timeout()
    {
        _w.Connect();
        Refer("tel:+15550200");
        _w.Poke();
        _w.Room.Join();
        _w.MediaEvent(CallEventKind.FirstPacket);
        _w.Advance(_w.Limits.RingingTimeout);
        Assert.Equal("SIP/2.0 480 Temporarily Unavailable terminated", Told[^1]);
        _w.Farewell();
        Assert.Equal("ring_timeout", _w.Record.Code);
    }

    [Fact]
    public void One_transfer_at_a_time()
    {
        _w.Connect();
        Refer("tel:+15550200");
        _w.Poke();
        Refer("tel:+15550200", 3);
        Assert.Equal(491, Status);
        TransferOutcome outcome = default;
        _w.Calls.Transfer("sales", "sip_1", new TransferRequest("tel:+1", [], false, default), o => outcome = o, _w.Now);
        Assert.Equal(TransferResult.Elsewhere, outcome.Result);
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
        _w.Calls.Transfer("sales", "sip_1", new TransferRequest("tel:+1", [], false, default), o => outcome = o, _w.Now);
        Refer("tel:+15550100", 4);
        Assert.Equal(491, Status);
    }

    [Fact]
    public void Caller_who_hangs_up_while_being_moved_leaves_nothing_behind()
    {
        _w.Connect();
        Refer("tel:+15550200");
        _w.InDialog("BYE", 3, "b");
        _w.Farewell();
        _w.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(("hangup", "failed", 487), (_w.Record.Code, _w.Record.Transfers[0].Result, _w.Record.Transfers[0].SipStatus));
        Assert.Equal((0, 0, 0), (_w.Calls.Count, _w.Calls.Seats, _w.Media.Out));
    }

    [Fact]
    public void Caller_may_be_moved_back()
    {
        _w.Connect();
        Refer("tel:+15550200");
        _w.Poke();
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
        Refer("tel:+15550100", 3);
        _w.Poke();
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
        Assert.Equal((3, "room", 0), (_w.Rooms.Legs.Count, _w.Room.Request!.Room, _w.Playing));
        Assert.Equal((1, 0), (_w.Caps.Running(CapScope.Rule, "SDR_1"), _w.Caps.Running(CapScope.Rule, "SDR_2")));
        Assert.Equal(CallPhase.Connected, Phase());
    }

    private CallPhase Phase()
    {
        CallPhase phase = CallPhase.Over;
        _w.Calls.Visit(call => phase = call.Phase);
        return phase;
    }
}
