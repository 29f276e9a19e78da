using System;
using System.Linq;
using Proxy.Bridge.Media;
using Proxy.Bridge.Tests.World;
using Proxy.Participant;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Proxy.Policy.Deferred;
using Proxy.Policy.Dispatch;
using Xunit;

namespace Proxy.Bridge.Tests.Pin;

public sealed class PinCallTests
{
    private const int Enter = 1;
    private const int Wrong = 2;
    private const int Goodbye = 3;
    private const int Ringback = 4;
    private readonly CallWorld _w = new();
    private PinPrompt _how = PinPrompt.Default;
    private CapClaim[] _caps = [];

    public PinCallTests()
    {
        Func<CallFacts, Verdict> join = _w.Decision;
        _w.Decision = f => join(f) with { Kind = VerdictKind.AskPin, Room = "", Pin = _how, PinAttemptsLeft = _how.Attempts, RingingTimeout = TimeSpan.FromSeconds(20), Caps = _caps };
        _w.PinDecision = (asked, pin) => pin == "1234" ? asked with { Kind = VerdictKind.Join, Room = "secret room", RuleId = "SDR_2" }
            : asked.PinAttemptsLeft > 1 ? asked with { PinAttemptsLeft = asked.PinAttemptsLeft - 1 }
            : Verdict.Refuse(RefusalCode.WrongPin, "no rule has the PIN", Refusals.Default);
    }

    [Fact]
    public void The_right_pin_leads_into_the_room_and_ringing_is_heard_until_somebody_speaks()
    {
        Ask();
        Assert.Equal([100, 200], _w.InviteStatuses);
        Assert.Empty(_w.Rooms.Legs);
        Assert.Equal(Enter, _w.Playing);
        _w.Keys("1234#");
        Assert.Equal(["1234"], _w.Keyed);
        Assert.Equal(Ringback, _w.Playing);
        Assert.Equal(("secret room", "active"), (_w.Room.Request!.Room, _w.Room.Request.Attributes["sip.callStatus"]));
        Assert.Equal(["secret room"], _w.Entered);
        Assert.True(IsDeaf);
        _w.Room.Join();
        _w.Poke();
        Assert.Equal(Ringback, _w.Playing);
        _w.Keys("9");
        Assert.Empty(_w.Room.Digits);
        _w.Room.PublishAgent();
        _w.Poke();
        Assert.Equal((0, false), (_w.Playing, IsDeaf));
        _w.Keys("5");
        Assert.Equal(['5'], _w.Room.Digits);
        _w.InDialog("BYE", 2, "b");
        _w.Farewell();
        Assert.Equal(("hangup", "SDR_2", "secret room"), (_w.Record.Code, _w.Record.RuleId, _w.Record.Room));
        Assert.Equal((0, 0, 0, 0), (_w.Calls.Count, _w.Media.Out, _w.Caps.Entries, _w.Calls.Seats));
        Assert.InRange(_w.Record.PinMs, 0, _w.Record.BridgedMs);
    }

    [Fact]
    public void After_the_right_pin_somebody_may_be_asked_and_has_the_last_word()
    {
        AskAfterPin();
        _caps = [new CapClaim(CapScope.Rule, "SDR_1", 1, 0)];
        Ask();
        _w.Keys("1234#");
        Assert.Equal((Ringback, 0, 1), (_w.Playing, _w.Rooms.Legs.Count, _w.Calls.Waiting));
        Assert.Equal((0, 1), (_w.Caps.Running(CapScope.Rule, "SDR_1"), _w.Caps.Running(CapScope.Rule, "SDR_2")));
        _w.Resumption = (_, deferred, _) => deferred.Deferral!.Local with { Room = "vip", Note = "hook answered in 3 ms: room vip" };
        _w.Answer(new DeferredAnswer(true, "answered in 3 ms"));
        Assert.Equal(("vip", Ringback, 0), (_w.Room.Request!.Room, _w.Playing, _w.Calls.Waiting));
        _w.InDialog("BYE", 2, "b");
        _w.Farewell();
        Assert.Equal(("hangup", "SDR_2", "hook answered in 3 ms: room vip"), (_w.Record.Code, _w.Record.RuleId, _w.Record.Note));
        Assert.Equal((0, 0, 0, 0), (_w.Calls.Count, _w.Media.Out, _w.Caps.Running(CapScope.Rule, "SDR_2"), _w.Calls.Seats));
    }

    [Fact]
    public void Who_is_asked_after_the_right_pin_may_refuse()
    {
        AskAfterPin();
        Ask();
        _w.Keys("1234#");
        _w.Resumption = (_, _, _) => Verdict.Refuse(RefusalCode.HookRejected, "the policy hook refuses the call", Refusals.Default);
        _w.Answer(new DeferredAnswer(true, "answered in 3 ms"));
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
        Assert.Equal(("hook_rejected", 1L, 0), (_w.Record.Code, _w.Calls.Pins.Right, _w.Caps.Running(CapScope.Rule, "SDR_2")));
    }

    [Fact]
    public void A_caller_who_hangs_up_while_somebody_is_asked_after_the_pin_leaves_nothing_behind()
    {
        AskAfterPin();
        Ask();
        _w.Keys("1234#");
        _w.InDialog("BYE", 2, "b");
        _w.Answer(new DeferredAnswer(true, "too late"));
        _w.Farewell();
        Assert.Equal(("hangup", 0), (_w.Record.Code, _w.Rooms.Legs.Count));
        Assert.Equal((0, 0, 0, 0), (_w.Calls.Waiting, _w.Calls.Count, _w.Caps.Running(CapScope.Rule, "SDR_2"), _w.Calls.Seats));
    }

    private void AskAfterPin()
    {
        Func<Verdict, string, Verdict> decide = _w.PinDecision;
        _w.PinDecision = (asked, pin) => decide(asked, pin) is { Kind: VerdictKind.Join } join
            ? new Verdict { Kind = VerdictKind.Deferred, Deferral = new Deferral(DeferralKind.Hook, TimeSpan.FromMilliseconds(500), join with { Caps = [new CapClaim(CapScope.Rule, "SDR_2", 1, 0)] }, IsPinPassed: true) }
            : decide(asked, pin);
    }

    [Fact]
    public void Three_wrong_pins_end_with_a_goodbye_and_a_reason()
    {
        Ask();
        _w.PromptEnds();
        _w.Keys("1#");
        Assert.Equal(Wrong, _w.Playing);
        _w.PromptEnds();
        _w.Keys("2#");
        Assert.Equal(Wrong, _w.Playing);
        _w.Keys("3#");
        Assert.Equal(Goodbye, _w.Playing);
        Assert.Empty(_w.Records);
        _w.PromptEnds();
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
        Assert.Contains("Reason: Q.850;cause=21;text=\"wrong_pin\"", _w.LastRequest, StringComparison.Ordinal);
        Assert.Equal(("wrong_pin", "no rule has the PIN", "us", 200), (_w.Record.Code, _w.Record.Sentence, _w.Record.EndedBy, _w.Record.SipStatus));
        Assert.Equal(["1", "2", "3"], _w.Keyed);
        Assert.Empty(_w.Rooms.Legs);
        Assert.Equal((1L, 0L, 3L), (_w.Calls.Pins.Asked, _w.Calls.Pins.Right, _w.Calls.Pins.Wrong));
    }

    [Fact]
    public void The_goodbye_ends_the_call_even_when_its_end_is_not_told()
    {
        Ask();
        _w.Keys("1#2#3#");
        _w.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal("wrong_pin", _w.Record.Code);
    }

    [Fact]
    public void Digits_stop_the_prompt()
    {
        Ask();
        _w.Keys("1");
        Assert.Equal(0, _w.Playing);
    }

    [Fact]
    public void Without_barge_in_the_prompt_is_said_to_its_end_and_digits_are_kept()
    {
        _how = _how with { BargeIn = false };
        Ask();
        _w.Keys("1234#");
        Assert.Equal(Enter, _w.Playing);
        Assert.Empty(_w.Keyed);
        _w.PromptEnds();
        Assert.Equal(["1234"], _w.Keyed);
    }

    [Fact]
    public void A_pause_ends_the_digits()
    {
        Ask();
        _w.Keys("12");
        _w.Advance(TimeSpan.FromSeconds(4));
        _w.Keys("34");
        _w.Advance(TimeSpan.FromSeconds(4));
        Assert.Empty(_w.Keyed);
        _w.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(["1234"], _w.Keyed);
    }

    [Fact]
    public void The_agreed_length_ends_the_digits()
    {
        _how = _how with { Length = 4 };
        Ask();
        _w.Keys("1234");
        Assert.Equal(["1234"], _w.Keyed);
        Assert.Equal("secret room", _w.Room.Request!.Room);
    }

    [Fact]
    public void Slow_digits_end_with_the_total_time()
    {
        _how = _how with { InterDigit = TimeSpan.FromSeconds(20) };
        Ask();
        _w.PromptEnds();
        _w.Advance(TimeSpan.FromSeconds(15));
        _w.Keys("12");
        _w.Advance(TimeSpan.FromSeconds(16));
        Assert.Equal(["12"], _w.Keyed);
    }

    [Fact]
    public void Silence_is_asked_again_and_ends_with_pin_timeout()
    {
        Ask();
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(Enter, _w.Playing);
            _w.PromptEnds();
            _w.Advance(TimeSpan.FromSeconds(31));
        }
        Assert.Equal("pin_timeout", _w.Record.Code);
        Assert.Contains("Reason: Q.850;cause=21", _w.LastRequest, StringComparison.Ordinal);
        Assert.Empty(_w.Keyed);
        Assert.Equal(1L, _w.Calls.Pins.GivenUp);
    }

    [Fact]
    public void Info_digits_are_taken_and_a_phone_that_sends_both_is_heard_once()
    {
        Ask();
        int cseq = 2;
        foreach (char digit in "1234#")
        {
            _w.InDialog("INFO", cseq, "inf" + cseq, $"Signal={digit}\r\nDuration=160\r\n", "Content-Type: application/dtmf-relay\r\n");
            cseq++;
            _w.Keys(digit.ToString());
        }
        Assert.Equal(["1234"], _w.Keyed);
    }

    [Fact]
    public void Seventeen_digits_are_wrong_and_no_memory_grows()
    {
        Ask();
        _w.Keys(new string('1', 400) + "#");
        Assert.Equal([new string('1', 17)], _w.Keyed);
    }

    [Fact]
    public void Only_the_hash_key_asks_for_an_open_rule()
    {
        Ask();
        _w.Keys("#");
        Assert.Equal([""], _w.Keyed);
    }

    [Fact]
    public void Nobody_in_the_room_ends_an_answered_call_by_the_ringing_timeout()
    {
        Ask();
        _w.Keys("1234#");
        _w.Room.Join();
        _w.Advance(TimeSpan.FromSeconds(19));
        Assert.Empty(_w.Records);
        _w.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("ring_timeout", _w.Record.Code);
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
        Assert.DoesNotContain("Retry-After", _w.LastRequest, StringComparison.Ordinal);
    }

    [Fact]
    public void Hanging_up_while_the_pin_is_asked_gives_everything_back()
    {
        _caps = [new CapClaim(CapScope.Rule, "SDR_1", 5, 0)];
        Ask();
        Assert.Equal(1, _w.Caps.Running(CapScope.Rule, "SDR_1"));
        _w.InDialog("BYE", 2, "b");
        Assert.Equal("hangup", _w.Record.Code);
        Assert.Equal((0, 0, 0), (_w.Calls.Count, _w.Media.Out, _w.Caps.Running(CapScope.Rule, "SDR_1")));
        Assert.All(_w.Media.ReleasedClean, Assert.True);
    }

    [Fact]
    public void The_rule_that_the_pin_chose_is_counted_instead_of_the_one_that_asked()
    {
        _caps = [new CapClaim(CapScope.Trunk, "ST_1", 5, 5), new CapClaim(CapScope.Rule, "SDR_1", 5, 0)];
        Func<Verdict, string, Verdict> decide = _w.PinDecision;
        _w.PinDecision = (asked, pin) => decide(asked, pin) with { Caps = [_caps[0], new CapClaim(CapScope.Rule, "SDR_2", 5, 0)] };
        Ask();
        _w.Keys("1234#");
        Assert.Equal((1, 0, 1), (_w.Caps.Running(CapScope.Trunk, "ST_1"), _w.Caps.Running(CapScope.Rule, "SDR_1"), _w.Caps.Running(CapScope.Rule, "SDR_2")));
        _w.InDialog("BYE", 2, "b");
        _w.Farewell();
        Assert.Equal((0, 0), (_w.Caps.Running(CapScope.Trunk, "ST_1"), _w.Caps.Running(CapScope.Rule, "SDR_2")));
    }

    [Fact]
    public void A_refusal_that_is_no_wrong_pin_says_no_goodbye()
    {
        _w.PinDecision = (_, _) => Verdict.Refuse(RefusalCode.RuleCap, "rule SDR_2 is full", Refusals.Default);
        Ask();
        _w.Keys("1234#");
        Assert.Equal("rule_cap", _w.Record.Code);
    }

    [Fact]
    public void The_digits_stand_in_no_record()
    {
        Ask();
        _w.Keys("77881#");
        _w.PromptEnds();
        _w.Keys("1234#");
        _w.InDialog("BYE", 2, "b");
        _w.Farewell();
        string all = string.Join("|", typeof(Records.CallRecord).GetProperties().Select(p => p.GetValue(_w.Record)?.ToString()));
        Assert.DoesNotContain("77881", all, StringComparison.Ordinal);
    }

    [Fact]
    public void A_room_that_cannot_be_joined_after_the_pin_ends_the_call()
    {
        Ask();
        _w.Keys("1234#");
        _w.Room.End(RoomEnd.Unreachable, "no server");
        _w.Poke();
        _w.PromptEnds();
        Assert.Equal(("backend_down", 200), (_w.Record.Code, _w.Record.SipStatus));
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
    }

    private bool IsDeaf => (bool)_w.Media.Commands.Last(c => c.Command.Kind == CallCommandKind.Deafen).Command.Payload!;

    private void Ask()
    {
        _w.Invite();
        _w.Ack();
    }
}
