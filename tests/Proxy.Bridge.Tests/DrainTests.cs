using System;
using System.Linq;
using Proxy.Bridge.Tests.World;
using Proxy.Core.Time;
using Xunit;

namespace Proxy.Bridge.Tests;

public sealed class DrainTests
{
    private readonly CallWorld _w = new();

    [Fact]
    public void Running_calls_go_on_until_the_deadline_and_then_get_a_bye_with_a_reason()
    {
        _w.Connect();
        _w.Calls.Drain(_w.Now + TimeSpan.FromMinutes(1));
        _w.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(1, _w.Calls.Count);
        Assert.DoesNotContain(_w.Sent, m => m.StartsWith("BYE", StringComparison.Ordinal));
        _w.Advance(TimeSpan.FromSeconds(1));
        Assert.StartsWith("BYE", _w.LastRequest, StringComparison.Ordinal);
        Assert.Contains("\r\nReason: Q.850;cause=41;text=\"drained\"\r\n", _w.LastRequest, StringComparison.Ordinal);
        _w.Farewell();
        Assert.Equal(("drained", "us", 200), (_w.Record.Code, _w.Record.EndedBy, _w.Record.SipStatus));
        Assert.Equal((0, 0), (_w.Calls.Count, _w.Media.Out));
    }

    [Fact]
    public void Ringing_call_at_the_deadline_gets_503_with_retry_after()
    {
        _w.Invite();
        _w.Calls.Drain(_w.Now + TimeSpan.FromSeconds(5));
        _w.Advance(TimeSpan.FromSeconds(6));
        Assert.Contains(503, _w.InviteStatuses);
        Assert.Contains(_w.Sent, m => m.StartsWith("SIP/2.0 503", StringComparison.Ordinal) && m.Contains("\r\nRetry-After: 5\r\n", StringComparison.Ordinal));
        Assert.Equal(("drained", 503), (_w.Record.Code, _w.Record.SipStatus));
    }

    [Fact]
    public void Undone_drain_takes_calls_again_and_ends_none()
    {
        _w.Connect();
        _w.Calls.Drain(_w.Now + TimeSpan.FromSeconds(5));
        _w.Invite();
        Assert.Equal("draining", _w.Record.Code);
        _w.Calls.EndDrain();
        _w.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal((1, false), (_w.Calls.Count, _w.Calls.IsDraining));
        _w.Invite();
        Assert.Equal(2, _w.Calls.Count);
    }

    [Fact]
    public void Drain_without_a_deadline_never_ends_a_call()
    {
        _w.Connect();
        _w.Calls.Drain(MonoTime.Never);
        _w.Advance(TimeSpan.FromHours(2));
        Assert.Equal(1, _w.Calls.Count);
    }

    [Fact]
    public void One_call_is_hung_up_by_our_id_or_by_the_sip_call_id()
    {
        _w.Connect();
        _w.Connect();
        var outcome = new Outcome(EndedBy.Us, "hangup", "an operator hung up", 480, 16);
        Assert.Null(_w.Calls.HangUp("SCL_nobody", outcome, _w.Now));
        Assert.Equal("call-1@caller", _w.Calls.HangUp("call-1@caller", outcome, _w.Now)?.SipCallId);
        Assert.Null(_w.Calls.HangUp("call-1@caller", outcome, _w.Now));
        Assert.Equal("call-2@caller", _w.Calls.HangUp(_w.ToTag(), outcome, _w.Now)?.SipCallId);
        _w.Farewell();
        Assert.Equal(["hangup", "hangup"], _w.Records.Select(r => r.Code));
        Assert.Equal(0, _w.Calls.Count);
    }
}
