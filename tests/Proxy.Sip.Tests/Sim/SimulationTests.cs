using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Sip.Targets;
using Xunit;

namespace Proxy.Sip.Tests.Sim;

/// <summary>
/// Random calls over a bad network in virtual time, from a seed. Invariants: one final response per INVITE, one call per
/// INVITE, one end per call, nothing left. <c>SIPROOM_SIM_FLOWS</c> and <c>SIPROOM_SIM_SEED</c> run more, or one seed again.
/// </summary>
public sealed class SimulationTests
{
    public static TheoryData<ulong> Seeds
    {
        get
        {
            if (ulong.TryParse(Environment.GetEnvironmentVariable("SIPROOM_SIM_SEED"), CultureInfo.InvariantCulture, out ulong one))
            {
                return [one];
            }
            int flows = int.TryParse(Environment.GetEnvironmentVariable("SIPROOM_SIM_FLOWS"), CultureInfo.InvariantCulture, out int n) ? n : 5_000;
            return [.. Enumerable.Range(1, Math.Max(1, flows / FlowsPerSeed)).Select(s => (ulong)s)];
        }
    }

    private const int FlowsPerSeed = 250;

    /// <summary>Nothing arrives there.</summary>
    private static readonly NetEndPoint s_dead = Sipside.EndPoint("192.0.2.66:5060");

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_calls_end_once_and_leave_nothing(ulong seed)
    {
        var net = new SimNetwork(seed) { LossPerMille = seed % 4 == 0 ? 200 : 50, DuplicatePerMille = 50, DelayMaxMs = seed % 3 == 0 ? 400 : 60 };
        using var endpoint = new SipEndpoint(new SipEndpointOptions
        {
            Listeners = [new SipListener(0, SipTransport.Udp, Sipside.EndPoint("198.51.100.1:5060"), Sipside.EndPoint("198.51.100.1:5060"))],
            Limits = new Limits { SipTransactions = 2_000, CallsMax = 500 },
        }, new SeededRandom(seed ^ 0xABCDEF));
        var owner = new SimOwner(net);
        SimCaller[] callers = Start(net, endpoint);
        Run(net, endpoint, owner, callers);

        string[] complaints = [.. owner.Complaints, .. callers.SelectMany(c => c.Complaints)];
        Assert.True(complaints.Length == 0, $"seed {seed}: {string.Join("; ", complaints.Take(5))}");
        SipCounters counters = endpoint.Counters;
        Assert.True(owner.Ended == owner.Calls, $"seed {seed}: {owner.Calls} calls, {owner.Ended} ended");
        Assert.True((counters.ServerTransactions, counters.ClientTransactions, counters.Dialogs, counters.Buffers) == (0, 0, 0, 0),
            $"seed {seed}: left {counters.ServerTransactions} {counters.ClientTransactions} {counters.Dialogs} {counters.Buffers}");
        Assert.Equal(0, counters.EventsDropped + counters.SendDropped + counters.Malformed + counters.DroppedMalformed);
        Assert.True(owner.Calls > FlowsPerSeed * 8 / 10, $"seed {seed}: only {owner.Calls} calls");
    }

    private static SimCaller[] Start(SimNetwork net, SipEndpoint endpoint)
    {
        var callers = new SimCaller[FlowsPerSeed];
        for (int i = 0; i < callers.Length; i++)
        {
            callers[i] = new SimCaller(net, i, text => net.Carry(() => endpoint.HandleMessage(Encoding.Latin1.GetBytes(text), Sipside.Udp, MonoTime.FromMillis(net.Now))));
            net.After(net.Random.Next(60_000), callers[i].Start);
        }
        return callers;
    }

    /// <summary>Names stand for nothing, for nobody knows what, or for up to three places of which one is dead.</summary>
    private static TargetList LookUp(SimNetwork net)
    {
        SipTarget[] places = [new(SipTransport.Udp, s_dead), new(SipTransport.Udp, Sipside.Peer), new(SipTransport.Udp, Sipside.EndPoint("192.0.2.11:5060"))];
        int first = net.Random.Next(4);
        return new TargetList([.. places.Skip(first)], TimeSpan.FromSeconds(net.Random.Next(200)), isFailure: net.Happens(200));
    }

    private static void Run(SimNetwork net, SipEndpoint endpoint, SimOwner owner, SimCaller[] callers)
    {
        Dictionary<string, SimCaller> byCallId = callers.ToDictionary(c => c.CallId);
        byte[] buffer = new byte[65_535];
        long limit = net.Now + 3_600_000;
        while (net.Now < limit)
        {
            long deadline = endpoint.NextDeadline.IsNever ? long.MaxValue : (endpoint.NextDeadline.Micros + 999) / 1000;
            if (net.IsIdle && deadline == long.MaxValue)
            {
                return;
            }
            if (deadline <= net.NextAt)
            {
                net.MoveTo(deadline);
                endpoint.HandleTimeout(MonoTime.FromMillis(net.Now));
            }
            else
            {
                net.RunOne();
            }
            while (endpoint.TryPollEvent(out SipEvent e))
            {
                owner.Handle(in e);
            }
            while (endpoint.TryPollLookup(out TargetName? name))
            {
                net.After(net.Random.Next(5_000), () => endpoint.HandleTargets(name, LookUp(net), MonoTime.FromMillis(net.Now)));
            }
            while (endpoint.TryPollSend(buffer, out int length, out SipFlow flow))
            {
                if (flow.Remote == s_dead)
                {
                    continue;
                }
                string text = Encoding.Latin1.GetString(buffer, 0, length);
                SimCaller caller = byCallId[Sipside.Header(text, "Call-ID")];
                net.Carry(() => caller.Receive(text));
            }
        }
    }
}
