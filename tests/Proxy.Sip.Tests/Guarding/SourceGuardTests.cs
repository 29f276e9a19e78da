using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Core;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Sip.Guarding;
using Xunit;

namespace Proxy.Sip.Tests.Guarding;

public sealed class SourceGuardTests
{
    private static readonly NetAddress s_carrier = At("203.0.113.7");
    private static readonly NetAddress s_stranger = At("198.51.100.9");
    private MonoTime _now = MonoTime.FromMillis(10_000);

    private static NetAddress At(string text) => NetAddress.TryParse(text, out NetAddress address) ? address : throw new ArgumentException(text);

    private static SourceGuard Guard(Func<GuardOptions, GuardOptions>? change = null)
    {
        GuardOptions options = GuardOptions.From(new Limits { AlikeAfter = 5, BanAfter = 20 }, address => address == s_carrier);
        return new SourceGuard(change?.Invoke(options) ?? options);
    }

    private void Wait(double seconds) => _now += TimeSpan.FromSeconds(seconds);

    private void Blame(SourceGuard guard, int times, NetAddress? who = null)
    {
        for (int i = 0; i < times; i++)
        {
            guard.Blame(who ?? s_stranger, _now);
        }
    }

    [Fact]
    public void Carrier_that_a_trunk_lists_sends_500_a_second_for_a_minute_and_is_refused_what_it_likes()
    {
        SourceGuard guard = Guard();
        for (int i = 0; i < 30_000; i++)
        {
            Assert.Equal(GuardVerdict.Pass, guard.Admit(s_carrier, _now));
            guard.Blame(s_carrier, _now);
            _now = _now.AddMillis(2);
        }
        Assert.False(guard.IsSuspect(s_carrier, _now) || guard.IsStranger(s_carrier, _now));
        Assert.False(guard.Ban(s_carrier, TimeSpan.FromHours(1), _now));
        Assert.Equal((0, 0), (guard.Count, guard.Bans(_now).Count));
    }

    [Fact]
    public void Stranger_has_a_burst_and_a_rate_and_who_keeps_flooding_is_banned()
    {
        SourceGuard guard = Guard(o => o with { RatePerSecond = 10, Burst = 30, Patience = 5 });
        Assert.Equal(30, Enumerable.Range(0, 32).Count(_ => guard.Admit(s_stranger, _now) == GuardVerdict.Pass));
        Wait(1);
        Assert.Equal(10, Enumerable.Range(0, 12).Count(_ => guard.Admit(s_stranger, _now) == GuardVerdict.Pass));
        Assert.Equal(GuardVerdict.Flooding, guard.Admit(s_stranger, _now));
        Assert.Equal(GuardVerdict.Banned, guard.Admit(s_stranger, _now));
        Assert.Equal(GuardVerdict.Pass, guard.Admit(At("198.51.100.10"), _now));
        for (int i = 0; i < 600; i++)
        {
            // At its rate it goes on for ever.
            Assert.Equal(GuardVerdict.Pass, guard.Admit(At("198.51.100.11"), _now));
            Wait(0.1);
        }
    }

    [Fact]
    public void Refused_requests_ban_and_one_each_half_minute_is_forgotten()
    {
        SourceGuard guard = Guard(o => o with { Patience = 20 });
        for (int i = 0; i < 200; i++)
        {
            guard.Blame(s_stranger, _now);
            Wait(30);
        }
        Assert.Equal(GuardVerdict.Pass, guard.Admit(s_stranger, _now));
        Blame(guard, 20);
        Assert.Equal(GuardVerdict.Pass, guard.Admit(s_stranger, _now));
        Blame(guard, 1);
        Assert.Equal(GuardVerdict.Banned, guard.Admit(s_stranger, _now));
        Assert.True(guard.TryPollBan(out GuardBan ban));
        Assert.Equal((s_stranger, TimeSpan.FromMinutes(10), 1), (ban.Source, ban.Left, ban.Times));
        Assert.False(guard.TryPollBan(out _));
    }

    [Fact]
    public void Ban_ends_and_each_further_one_is_twice_as_long_up_to_a_day()
    {
        SourceGuard guard = Guard(o => o with { Patience = 2 });
        List<double> minutes = [];
        for (int i = 0; i < 10; i++)
        {
            Blame(guard, 3);
            GuardBan ban = Assert.Single(guard.Bans(_now));
            minutes.Add(ban.Left.TotalMinutes);
            Wait(ban.Left.TotalSeconds - 1);
            Assert.Equal(GuardVerdict.Banned, guard.Admit(s_stranger, _now));
            Wait(1);
            Assert.Equal(GuardVerdict.Pass, guard.Admit(s_stranger, _now));
            Assert.Empty(guard.Bans(_now));
        }
        Assert.Equal([10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440], minutes);
    }

    [Fact]
    public void Source_that_acknowledged_an_answer_is_not_banned_for_an_hour_and_may_send_ten_times_as_much()
    {
        SourceGuard guard = Guard(o => o with { Patience = 5, Burst = 10, RatePerSecond = 1, CrowdBurst = 1, CrowdRatePerSecond = 0.01 });
        Blame(guard, 5);
        Assert.True(guard.IsSuspect(s_stranger, _now));
        guard.Vouch(s_stranger, _now);
        Blame(guard, 100);
        Assert.False(guard.IsSuspect(s_stranger, _now) || guard.IsStranger(s_stranger, _now));
        Wait(8);
        Assert.Equal(90, Enumerable.Range(0, 200).Count(_ => guard.Admit(s_stranger, _now) == GuardVerdict.Pass));
        Assert.Equal(GuardVerdict.Flooding, guard.Admit(s_stranger, _now));
        Wait(3_601);
        Assert.True(guard.IsStranger(s_stranger, _now));
        Blame(guard, 6);
        Assert.Equal(GuardVerdict.Banned, guard.Admit(s_stranger, _now));
    }

    [Fact]
    public void Crowd_of_forged_addresses_gets_the_rate_of_all_strangers_and_nobody_is_banned_for_it()
    {
        SourceGuard guard = Guard(o => o with { CrowdRatePerSecond = 100, CrowdBurst = 50 });
        int passed = 0;
        for (uint i = 0; i < 20_000; i++)
        {
            GuardVerdict verdict = guard.Admit(NetAddress.FromV4(0x0A000000 + i), _now);
            Assert.True(verdict is GuardVerdict.Pass or GuardVerdict.Crowded);
            passed += verdict == GuardVerdict.Pass ? 1 : 0;
            Assert.Equal(GuardVerdict.Pass, guard.Admit(s_carrier, _now));
            Wait(0.0001);
        }
        Assert.InRange(passed, 245, 250);
        Assert.Empty(guard.Bans(_now));
    }

    [Fact]
    public void Hundred_challenges_without_a_password_ban_and_calls_that_are_taken_are_forgiven()
    {
        SourceGuard guard = Guard();
        for (int i = 0; i < 500; i++)
        {
            guard.BlameChallenge(s_stranger, _now);
            guard.Forgive(s_stranger, _now);
        }
        Assert.False(guard.IsSuspect(s_stranger, _now));
        for (int i = 0; i < 99; i++)
        {
            guard.BlameChallenge(s_stranger, _now);
        }
        Assert.Empty(guard.Bans(_now));
        guard.BlameChallenge(s_stranger, _now);
        guard.BlameChallenge(s_stranger, _now);
        Assert.Single(guard.Bans(_now));
    }

    [Fact]
    public void Who_has_one_ipv6_address_has_all_of_its_64()
    {
        SourceGuard guard = Guard(o => o with { Patience = 3 });
        for (int i = 1; i <= 4; i++)
        {
            guard.Blame(At($"2001:db8:1:2::{i}"), _now);
        }
        Assert.Equal(GuardVerdict.Banned, guard.Admit(At("2001:db8:1:2:ffff::9"), _now));
        Assert.Equal(GuardVerdict.Pass, guard.Admit(At("2001:db8:1:3::1"), _now));
        Assert.Equal(At("2001:db8:1:2::"), Assert.Single(guard.Bans(_now)).Source);
    }

    [Fact]
    public void Memory_is_bounded_and_a_crowd_of_forged_addresses_lifts_no_ban_and_pushes_out_no_caller()
    {
        SourceGuard guard = Guard(o => o with { Capacity = 100, Patience = 2, Burst = 1, RatePerSecond = 0.001 });
        NetAddress caller = At("198.51.100.77");
        guard.Vouch(caller, _now);
        Blame(guard, 3);
        for (uint i = 0; i < 10_000; i++)
        {
            guard.Admit(NetAddress.FromV4(0x0A000000 + i), _now);
        }
        Assert.Equal(100, guard.Count);
        Assert.Equal(GuardVerdict.Banned, guard.Admit(s_stranger, _now));
        Assert.False(guard.IsStranger(caller, _now));
        for (uint i = 0; i < 1_000; i++)
        {
            Blame(guard, 3, NetAddress.FromV4(0x0B000000 + i));
        }
        Assert.InRange(guard.Bans(_now).Count, 50, 100);
    }

    [Fact]
    public void Bans_are_set_and_lifted_by_hand()
    {
        SourceGuard guard = Guard();
        Assert.True(guard.Ban(s_stranger, TimeSpan.FromMinutes(5), _now));
        Assert.Equal(GuardVerdict.Banned, guard.Admit(s_stranger, _now));
        Assert.True(guard.Unban(s_stranger, _now));
        Assert.False(guard.Unban(s_stranger, _now));
        Assert.Equal(GuardVerdict.Pass, guard.Admit(s_stranger, _now));
    }

    [Fact]
    public void Address_that_a_trunk_lists_later_is_free_at_once()
    {
        bool isListed = false;
        var guard = new SourceGuard(GuardOptions.From(new Limits(), _ => isListed));
        Assert.True(guard.Ban(s_stranger, TimeSpan.FromHours(1), _now));
        isListed = true;
        Assert.Equal(GuardVerdict.Pass, guard.Admit(s_stranger, _now));
        Assert.Empty(guard.Bans(_now));
    }

    [Fact]
    public void With_no_patience_set_nobody_is_banned()
    {
        SourceGuard guard = Guard(o => o with { Patience = 0 });
        Blame(guard, 1_000);
        Assert.Equal(GuardVerdict.Pass, guard.Admit(s_stranger, _now));
        Assert.False(guard.IsSuspect(s_stranger, _now));
    }
}
