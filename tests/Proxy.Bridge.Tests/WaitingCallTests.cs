using System;
using System.Linq;
using System.Text;
using Proxy.Bridge.Tests.World;
using Proxy.Core;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Proxy.Policy.Deferred;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;
using Xunit;

namespace Proxy.Bridge.Tests;

/// <summary>Calls whose verdict waits for the policy hook or for Redis, through the SIP stack.</summary>
public sealed class WaitingCallTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(500);
    private static readonly Verdict s_join = new() { Kind = VerdictKind.Join, Room = "lobby", Identity = "sip_1", MayTellWhy = true };

    private static Verdict Waits(Verdict local, DeferralKind kind = DeferralKind.Hook) =>
        new() { Kind = VerdictKind.Deferred, Deferral = new Deferral(kind, s_patience, local), IsListedSource = local.IsListedSource };

    private static CallWorld World(bool isHidden = false, int waiting = 10) => new(new Limits { CallsMax = 50, CallsWaiting = waiting }, isHidden: isHidden)
    {
        Decision = _ => Waits(s_join),
        Resumption = (_, _, answer) => s_join with { Room = answer.Hook?.Room ?? "local", Note = answer.Note },
    };

    private static DeferredAnswer Room(string room) => new(true, "answered in 3 ms", new HookAnswer { Kind = HookVerdict.Join, Room = room });

    [Fact]
    public void A_call_waits_with_100_and_no_port_and_the_answer_is_carried_out()
    {
        CallWorld w = World();
        w.Invite();
        Assert.Equal([100], w.InviteStatuses);
        Assert.Equal((1, 0, 0), (w.Calls.Waiting, w.Calls.Count, w.Media.Out));
        w.Advance(TimeSpan.FromMilliseconds(40));
        w.Answer(Room("kitchen"));
        Assert.Equal([100, 180], w.InviteStatuses);
        Assert.Equal(("kitchen", 0), (w.Room.Request!.Room, w.Calls.Waiting));
        w.Cancel();
        w.Farewell();
        Assert.Equal(("answered in 3 ms", 40.0), (w.Record.Note, w.Record.DecidedMs));
    }

    [Fact]
    public void A_late_answer_finds_the_call_decided_without_it()
    {
        CallWorld w = World();
        w.Invite();
        w.Advance(TimeSpan.FromMilliseconds(499));
        Assert.Equal(1, w.Calls.Waiting);
        w.Advance(TimeSpan.FromMilliseconds(2));
        Assert.Equal("local", w.Room.Request!.Room);
        Assert.Equal([(w.Answers.Asked[0].Call, true)], w.Answers.GivenUp);
        w.Answer(Room("kitchen"));
        Assert.Single(w.Rooms.Legs);
    }

    [Fact]
    public void A_caller_that_cancels_while_waiting_gets_487_and_a_record_and_its_answer_is_ignored()
    {
        CallWorld w = World();
        w.Invite();
        w.Advance(TimeSpan.FromMilliseconds(120));
        w.Cancel();
        Assert.Equal([100, 487], w.InviteStatuses);
        Assert.Equal(("cancelled", "caller", 487, 120.0), (w.Record.Code, w.Record.EndedBy, w.Record.SipStatus, w.Record.EndedMs));
        Assert.Equal([(w.Answers.Asked[0].Call, false)], w.Answers.GivenUp);
        w.Answer(Room("kitchen"));
        w.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((0, 0), (w.Rooms.Legs.Count, w.Calls.Waiting));
    }

    [Fact]
    public void A_repeated_INVITE_while_waiting_asks_nobody_twice()
    {
        CallWorld w = World();
        w.Invite();
        w.Receive(w.LastInvite);
        w.Advance(TimeSpan.FromMilliseconds(10));
        w.Receive(w.LastInvite);
        Assert.Single(w.Answers.Asked);
        Assert.Equal((1, 3), (w.Calls.Waiting, w.Sent.Count(m => m.StartsWith("SIP/2.0 100", StringComparison.Ordinal))));
    }

    [Fact]
    public void Where_nobody_can_be_asked_the_call_is_decided_at_once()
    {
        CallWorld w = World();
        w.Answers.Refusal = "left alone, it failed too often";
        w.Invite();
        Assert.Equal(("local", 0), (w.Room.Request!.Room, w.Calls.Waiting));
    }

    [Fact]
    public void More_calls_than_may_wait_are_decided_without_an_answer()
    {
        CallWorld w = World(waiting: 3);
        for (int i = 0; i < 5; i++)
        {
            w.Invite();
        }
        Assert.Equal((3, 2), (w.Calls.Waiting, w.Rooms.Legs.Count));
        w.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((0, 5), (w.Calls.Waiting, w.Rooms.Legs.Count));
    }

    [Fact]
    public void A_node_that_drains_or_stops_while_a_call_waits_refuses_it()
    {
        CallWorld w = World();
        w.Invite();
        w.Calls.Drain(MonoTime.Never);
        w.Answer(Room("kitchen"));
        Assert.Equal([100, 503], w.InviteStatuses);
        w.Calls.EndDrain();
        w.Invite();
        w.Calls.HangUpAll(new Outcome(EndedBy.Us, "shutdown", "the node shuts down", 503, 41), w.Now);
        w.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal((0, "draining"), (w.Calls.Waiting, w.Records[^1].Code));
        Assert.Equal(2, w.Sent.Count(m => m.StartsWith("SIP/2.0 503", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_hidden_node_sends_strangers_no_100_while_it_asks()
    {
        CallWorld w = World(isHidden: true);
        w.Decision = _ => Waits(Verdict.Refuse(RefusalCode.NoTrunk, "no trunk", Refusals.Default), DeferralKind.Refresh);
        w.Resumption = (_, deferred, _) => deferred.Deferral!.Local;
        w.Invite();
        w.Advance(TimeSpan.FromSeconds(2));
        Assert.Empty(w.Sent);
        Assert.Equal((0, "no_trunk"), (w.Record.SipStatus, w.Record.Code));
    }

    [Fact]
    public void A_refusal_after_the_wait_explains_itself_like_any_other()
    {
        CallWorld w = World();
        w.Tracing = trace => trace?.Add(new TraceStep("trunk", "ST_1", "", false, "called number is not in numbers", ""));
        w.Resumption = (_, _, _) => Verdict.Refuse(RefusalCode.NoTrunk, "no trunk", Refusals.Default) with { Note = "policy read again in 8 ms" };
        w.Invite();
        w.Advance(TimeSpan.FromMilliseconds(8));
        w.Answer(new DeferredAnswer(true, "read again in 8 ms"));
        Assert.Equal([100, 404], w.InviteStatuses);
        Assert.Contains("policy read again in 8 ms", w.Record.Explanation);
        Assert.Contains("- trunk ST_1: called number is not in numbers", w.Record.Explanation);
        Assert.Equal((8.0, 8.0), (w.Record.DecidedMs, w.Record.EndedMs));
    }

    [Fact]
    public void A_thousand_waiting_calls_leave_nothing_behind()
    {
        CallWorld w = World(waiting: 40);
        for (int i = 0; i < 1_000; i++)
        {
            w.Invite();
            switch (i % 4)
            {
                case 0:
                    w.Answer(Room("r" + i));
                    w.Cancel();
                    break;
                case 1:
                    w.Cancel();
                    break;
                case 2:
                    w.Resumption = (_, _, _) => Verdict.Refuse(RefusalCode.HookRejected, "no", Refusals.Default);
                    w.Answer(Room("x"));
                    w.Resumption = (_, _, answer) => s_join with { Room = answer.Hook?.Room ?? "local" };
                    break;
                default:
                    w.Advance(TimeSpan.FromMilliseconds(501));
                    w.Cancel();
                    break;
            }
            w.Farewell();
        }
        w.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal((0, 0, 1_000, 0, 0), (w.Calls.Waiting, w.Calls.Count, w.Records.Count, w.Media.Out, w.Calls.Seats));
    }

    [Fact]
    public void What_a_caller_proved_before_the_wait_need_not_be_proved_again()
    {
        var store = new Store { Current = PolicySnapshot.Build(new PolicyObjects { Trunks = [Trunk("right")] }, 1) };
        byte[] secret = Encoding.UTF8.GetBytes("secret of the tests, long enough");
        var settings = new PolicySettings { Secret = secret };
        var policy = new DeferringPolicy(new RulePolicy(store, settings), new DeferralTerms { RefreshPatience = TimeSpan.FromMilliseconds(300) }, settings);
        var w = new CallWorld();
        w.Decision = facts => policy.Decide(facts, w.Caps.At(w.Now), null);
        w.Resumption = (facts, deferred, answer) => policy.Resume(facts, deferred, answer, w.Caps.At(w.Now), null);
        w.Invite();
        Assert.Contains("407", w.Last);
        string nonce = Between(w.Last, "nonce=\"");
        w.Invite(extra: Credentials(nonce, "right"));
        Assert.Equal(1, w.Calls.Waiting);
        // The rule is made while the call waits: the same credentials carry it into the room.
        store.Current = PolicySnapshot.Build(new PolicyObjects { Trunks = [Trunk("right")], Rules = [new DispatchRule { Id = "SDR_1", Kind = RuleKind.Direct, Room = "late" }] }, 2);
        w.Answer(new DeferredAnswer(true, "read again in 5 ms"));
        Assert.Equal("late", w.Room.Request!.Room);
        // Once used up it is used up for the next INVITE.
        w.Invite(extra: Credentials(nonce, "right"));
        Assert.Contains("stale=true", w.Last);
    }

    private static Trunk Trunk(string password) => new() { Id = "ST_1", Numbers = ["+15550100"], AuthUsername = "u", AuthPassword = password };

    private static string Between(string text, string before)
    {
        int at = text.IndexOf(before, StringComparison.Ordinal) + before.Length;
        return text[at..text.IndexOf('"', at)];
    }

    private static string Credentials(string nonce, string password)
    {
        static string Md5(string text) => Convert.ToHexStringLower(System.Security.Cryptography.MD5.HashData(Encoding.UTF8.GetBytes(text)));
        string response = Md5($"{Md5($"u:LiveKit:{password}")}:{nonce}:00000001:cn:auth:{Md5("INVITE:sip:x")}");
        return $"Proxy-Authorization: Digest username=\"u\", realm=\"LiveKit\", nonce=\"{nonce}\", uri=\"sip:x\", response=\"{response}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"cn\"\r\n";
    }

    private sealed class Store : IRuleStore
    {
        public PolicySnapshot Current { get; set; } = PolicySnapshot.Empty;
    }
}
