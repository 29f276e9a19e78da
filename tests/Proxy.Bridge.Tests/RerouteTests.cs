using System;
using Proxy.Bridge.Tests.World;
using Xunit;

namespace Proxy.Bridge.Tests;

/// <summary>Requests of ours that did not go where the next hop's name says: the operator hears of it.</summary>
public sealed class RerouteTests
{
    private readonly CallWorld _w = new();

    [Fact]
    public void Next_hop_that_nobody_knows_stands_in_log_and_record()
    {
        _w.Invite(extra: "Record-Route: <sip:edge.example.com;lr>\r\n");
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
        _w.Ack();
        _w.Calls.HangUp("call-1@caller", new Outcome(EndedBy.Us, "api", "hung up", 200, 16), _w.Now);
        _w.Poke();
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
        Assert.Equal("<sip:edge.example.com;lr>", CallWorld.Header(_w.LastRequest, "Route"));
        Assert.Contains("not known to the DNS", Assert.Single(_w.Reroutes), StringComparison.Ordinal);
        _w.Answer("200 OK");
        _w.Farewell();
        Assert.Equal(["next_hop_unknown"], _w.Record.Flags);
    }
}
