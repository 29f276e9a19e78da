using System;
using System.Linq;
using System.Text.Json;
using Proxy.Bridge.Tests.World;
using Proxy.Participant;
using Proxy.Policy;
using Xunit;

namespace Proxy.Bridge.Tests;

/// <summary>Methods that an agent calls on the caller's participant, as livekit/sip has them (recorded scenario 1.53).</summary>
public sealed class RoomMethodsTests
{
    private const string Extra = "User-Agent: phone/1\r\nX-Custom: v1\r\nX-Custom: v2\r\nX-Empty: \r\nDiversion: <sip:+15550100888@example.invalid>\r\nAllow: INVITE, ACK, BYE\r\nAuthorization: Digest response=\"1\"\r\n";
    private readonly CallWorld _w = new();

    private RpcAnswer Call(string method, string payload)
    {
        _w.Room.Call(method, payload);
        _w.Poke();
        return _w.Room.Answers[^1];
    }

    private void Connect()
    {
        _w.Invite(extra: Extra);
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
        _w.Ack();
    }

    [Fact]
    public void Remote_headers_are_those_of_the_invite_without_routing_negotiation_and_credentials()
    {
        Connect();
        RpcAnswer answer = Call("lk.sip.GetRemoteHeaders", "{}");
        Assert.Equal(("r1", "agent", RpcError.None), (answer.RequestId, answer.Caller, answer.Error));
        JsonElement headers = JsonDocument.Parse(answer.Text).RootElement.GetProperty("headers");
        Assert.Equal(["Call-ID", "Contact", "Diversion", "From", "To", "User-Agent", "X-Custom", "X-Empty"], headers.EnumerateObject().Select(h => h.Name));
        Assert.Equal(("v2", "", "<sip:+15550199@198.51.100.7>;tag=c1"), (headers.GetProperty("X-Custom").GetString(), headers.GetProperty("X-Empty").GetString(), headers.GetProperty("From").GetString()));
        Assert.Equal("<sip:+15550100@203.0.113.1>;tag=" + _w.ToTag(), headers.GetProperty("To").GetString());
    }

    [Theory]
    [InlineData("{\"include\":[\"X-Custom\",\"from\"]}", "From X-Custom")]
    [InlineData("{\"include\":[\"x-custom\",\"from\",\"Authorization\",\"Via\"],\"exclude\":[\"FROM\"]}", "X-Custom")]
    [InlineData("{\"exclude\":[\"to\",\"from\",\"contact\",\"call-id\",\"x-empty\"]}", "Diversion User-Agent X-Custom")]
    [InlineData("", "Call-ID Contact Diversion From To User-Agent X-Custom X-Empty")]
    public void Remote_headers_can_be_chosen(string payload, string names)
    {
        Connect();
        JsonElement headers = JsonDocument.Parse(Call("lk.sip.GetRemoteHeaders", payload).Text).RootElement.GetProperty("headers");
        Assert.Equal(names, string.Join(' ', headers.EnumerateObject().Select(h => h.Name)));
    }

    [Fact]
    public void A_hidden_number_stays_hidden()
    {
        Func<CallFacts, Verdict> join = _w.Decision;
        _w.Decision = facts => join(facts) with { HidesNumber = true };
        Connect();
        RpcAnswer answer = Call("lk.sip.GetRemoteHeaders", "{\"include\":[\"From\",\"Contact\",\"Diversion\",\"User-Agent\"]}");
        Assert.Equal("{\"headers\":{\"User-Agent\":\"phone/1\"}}", answer.Text);
    }

    [Fact]
    public void An_agent_ends_the_call_and_says_what_the_bye_carries()
    {
        Connect();
        Assert.Equal("{}", Call("lk.sip.EndCall", "{\"headers\":{\"X-End\":\"by-rpc\",\"Contact\":\"<sip:evil>\",\"X-Bad\\r\\nY\":\"1\",\"X-Line\":\"a\\r\\nb\"}}").Text);
        string bye = _w.LastRequest;
        Assert.StartsWith("BYE ", bye, StringComparison.Ordinal);
        Assert.Equal(("by-rpc", "a  b", ""), (CallWorld.Header(bye, "X-End"), CallWorld.Header(bye, "X-Line"), CallWorld.Header(bye, "Y")));
        Assert.DoesNotContain("evil", bye, StringComparison.Ordinal);
        Assert.False(_w.Room.WasLeft);
        _w.Farewell();
        Assert.Equal(("end_call", "room", 200, true), (_w.Record.Code, _w.Record.EndedBy, _w.Record.SipStatus, _w.Room.WasLeft));
    }

    [Fact]
    public void An_agent_that_ends_a_ringing_call_refuses_it()
    {
        _w.Invite();
        _w.Room.Join();
        _w.Poke();
        Call("lk.sip.EndCall", "");
        Assert.Equal(486, _w.InviteStatuses[^1]);
        _w.Farewell();
        Assert.Equal(("end_call", 486), (_w.Record.Code, _w.Record.SipStatus));
    }

    [Theory]
    [InlineData("lk.sip.EndCall", "[]", RpcError.Application)]
    [InlineData("lk.sip.EndCall", "{\"headers\":{\"X\":\"\\ud800\"}}", RpcError.Application)]
    [InlineData("lk.sip.GetRemoteHeaders", "no json", RpcError.Application)]
    [InlineData("lk.sip.GetRemoteHeaders", "{\"include\":[\"\\ud800\"]}", RpcError.Application)]
    [InlineData("lk.sip.Unknown", "{}", RpcError.UnsupportedMethod)]
    public void What_is_not_understood_is_answered_and_leaves_the_call_as_it_was(string method, string payload, RpcError error)
    {
        Connect();
        Assert.Equal(error, Call(method, payload).Error);
        Assert.Empty(_w.Records);
        Assert.Equal(1, _w.Calls.Count);
    }
}
