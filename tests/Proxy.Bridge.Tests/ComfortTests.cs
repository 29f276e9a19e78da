using System;
using System.Linq;
using Proxy.Bridge.Media;
using Proxy.Bridge.Tests.World;
using Proxy.Bridge.Transfers;
using Proxy.Participant;
using Proxy.Policy;
using Proxy.Policy.Dispatch;
using Xunit;

namespace Proxy.Bridge.Tests;

/// <summary>What an answered caller hears when the room fails, or when nobody is left in it.</summary>
public sealed class ComfortTests
{
    private const int Ringback = 4;
    private const int RoomLost = 5;
    private const int Alone = 6;
    private readonly CallWorld _w = new();

    private bool HasBye => _w.Sent.Any(m => m.StartsWith("BYE ", StringComparison.Ordinal));

    [Theory]
    [InlineData(RoomEnd.SignalLost, "room_signal_lost")]
    [InlineData(RoomEnd.MediaFailed, "room_media_failed")]
    [InlineData(RoomEnd.ServerShutdown, "server_shutdown")]
    public void A_caller_whose_room_is_lost_is_told_before_the_bye(RoomEnd end, string code)
    {
        Lose(end);
        Assert.Equal((RoomLost, true, false), (_w.Playing, IsDeaf, HasBye));
        _w.Keys("1");
        Assert.Empty(_w.Room.Digits);
        _w.PromptEnds();
        Assert.True(HasBye);
        Assert.Contains("cause=41", _w.LastRequest, StringComparison.Ordinal);
        Assert.Equal((code, "room", "because"), (_w.Record.Code, _w.Record.EndedBy, _w.Record.Sentence));
        Assert.Equal(("told_room_lost", 1), (Assert.Single(_w.Record.Flags), _w.Calls.Comforts.RoomLost));
        Assert.Equal((0, 0, 0), (_w.Calls.Count, _w.Media.Out, _w.Calls.Seats));
    }

    [Fact]
    public void Where_the_end_of_the_message_is_not_told_the_bye_comes_all_the_same()
    {
        Lose(RoomEnd.SignalLost);
        _w.Advance(TimeSpan.FromMilliseconds(1_150));
        Assert.False(HasBye);
        _w.Advance(TimeSpan.FromMilliseconds(100));
        Assert.True(HasBye);
    }

    [Fact]
    public void No_message_holds_a_call_for_more_than_five_seconds()
    {
        CallWorld w = new(prompts: CallWorld.Prompts with { RoomLost = new short[8_000 * 60] });
        w.Connect();
        w.Room.End(RoomEnd.SignalLost, "because");
        w.Poke();
        w.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Empty(w.Records);
        w.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal("room_signal_lost", w.Record.Code);
    }

    [Theory]
    [InlineData("BYE")]
    [InlineData("drain")]
    [InlineData("silence")]
    public void Whoever_ends_the_call_during_the_message_the_room_is_why(string who)
    {
        Lose(RoomEnd.SignalLost);
        switch (who)
        {
            case "BYE":
                _w.InDialog("BYE", 2, "b");
                break;
            case "drain":
                _w.Calls.Drain(_w.Now);
                break;
            default:
                _w.MediaEvent(CallEventKind.MediaTimeout);
                break;
        }
        _w.Poke();
        Assert.Equal(("room_signal_lost", "room"), (_w.Record.Code, _w.Record.EndedBy));
        Assert.Equal(who != "BYE", HasBye);
    }

    [Fact]
    public void A_caller_on_hold_is_not_told()
    {
        _w.Connect();
        _w.InDialog("INVITE", 2, "h", CallWorld.Offer("sendonly", version: 2));
        _w.InDialog("ACK", 2, "ha");
        _w.Room.End(RoomEnd.SignalLost, "because");
        _w.Poke();
        Assert.True(HasBye);
        Assert.Equal((0, 0), (_w.Playing, _w.Calls.Comforts.RoomLost));
    }

    [Theory]
    [InlineData(RoomEnd.Removed)]
    [InlineData(RoomEnd.RoomDeleted)]
    public void Who_was_sent_away_is_not_told_of_a_loss(RoomEnd end)
    {
        Lose(end);
        Assert.Equal((true, 0), (HasBye, _w.Playing));
    }

    [Fact]
    public void A_transfer_that_is_asked_for_during_the_message_comes_too_late()
    {
        Lose(RoomEnd.SignalLost);
        TransferResult result = default;
        _w.Calls.Transfer("room", "sip_1", new TransferRequest("tel:+1", [], false, TimeSpan.Zero), outcome => result = outcome.Result, _w.Now);
        Assert.Equal(TransferResult.NotEstablished, result);
    }

    [Fact]
    public void After_a_pin_a_room_that_cannot_be_joined_is_told_too()
    {
        Func<CallFacts, Verdict> join = _w.Decision;
        _w.Decision = f => join(f) with { Kind = VerdictKind.AskPin, Room = "", Pin = PinPrompt.Default, PinAttemptsLeft = 3 };
        _w.PinDecision = (asked, _) => asked with { Kind = VerdictKind.Join, Room = "room" };
        _w.Invite();
        _w.Ack();
        _w.Keys("1#");
        Assert.Equal(Ringback, _w.Playing);
        _w.Room.End(RoomEnd.Unreachable, "nobody there");
        _w.Poke();
        Assert.Equal((RoomLost, false), (_w.Playing, HasBye));
        _w.PromptEnds();
        Assert.Equal(("backend_down", "us", 200), (_w.Record.Code, _w.Record.EndedBy, _w.Record.SipStatus));
    }

    [Theory]
    [InlineData(WhenAlone.HangUp, Alone)]
    [InlineData(WhenAlone.Dispatch, Alone)]
    [InlineData(WhenAlone.Stay, 0)]
    public void A_caller_left_alone_hears_a_tone_while_the_rule_waits(WhenAlone what, int heard)
    {
        BeLeft(what);
        Assert.Equal(heard, _w.Playing);
        _w.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(heard, _w.Playing);
        _w.Room.AddAgent();
        _w.Poke();
        Assert.Equal(0, _w.Playing);
        Assert.Equal(heard > 0 ? 1 : 0, _w.Calls.Comforts.Alone);
        _w.InDialog("BYE", 2, "b");
        _w.Farewell();
        Assert.Equal(heard > 0, _w.Record.Flags.Contains("hold_tone"));
    }

    [Fact]
    public void The_tone_goes_on_while_agents_are_asked_for_again()
    {
        BeLeft(WhenAlone.Dispatch);
        _w.Advance(TimeSpan.FromSeconds(30));
        Assert.Contains("agents_asked_again", Live().Record.Flags);
        Assert.Equal((Alone, 1), (_w.Playing, _w.Media.Commands.Count(c => c.Command.Kind == CallCommandKind.Play)));
    }

    [Fact]
    public void Ringing_of_a_transfer_is_heard_instead_of_the_tone_and_the_tone_after_it()
    {
        BeLeft(WhenAlone.HangUp);
        _w.Calls.Transfer("room", "sip_1", new TransferRequest("tel:+1", [], true, TimeSpan.Zero), _ => { }, _w.Now);
        _w.Poke();
        Assert.Equal(Ringback, _w.Playing);
        _w.Answer("603 Decline");
        Assert.Equal(Alone, _w.Playing);
    }

    private bool IsDeaf => _w.Media.Commands.Last(c => c.Command.Kind == CallCommandKind.Deafen).Command.Payload is true;

    private Call Live()
    {
        Call? live = null;
        _w.Calls.Visit(c => live = c);
        return live!;
    }

    private void Lose(RoomEnd end)
    {
        _w.Connect();
        _w.Room.End(end, "because");
        _w.Poke();
    }

    private void BeLeft(WhenAlone what)
    {
        Func<CallFacts, Verdict> join = _w.Decision;
        _w.Decision = f => join(f) with { WhenAlone = what, AloneFor = TimeSpan.FromSeconds(10), Agents = ["a"], RoomConfigJson = "{}" };
        _w.Invite();
        _w.Room.Join();
        _w.Room.AddAgent();
        _w.Room.PublishAgent();
        _w.Poke();
        _w.Ack();
        Assert.Equal(0, _w.Playing);
        _w.Room.RemoveAgent();
        _w.Poke();
    }
}
