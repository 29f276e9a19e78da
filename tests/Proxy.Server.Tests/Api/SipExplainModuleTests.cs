using System;
using System.Text;
using System.Text.Json;
using Proxy.Bridge;
using Proxy.Policy;
using Proxy.Server.Api;
using Proxy.Testing;
using Xunit;

namespace Proxy.Server.Tests.Api;

public sealed class SipExplainModuleTests
{
    private static bool TryRead(string json, out CallFacts facts, out string error) =>
        SipExplainModule.TryReadFacts(Encoding.UTF8.GetBytes(json), DateTimeOffset.UnixEpoch, SourceRecovery.None, out facts, out error);

    [Fact]
    public void Numbers_source_and_headers_become_facts()
    {
        Assert.True(TryRead("""{"from": "+1", "to": "+2", "src": "192.0.2.1", "transport": "tcp", "ruri": "sip:pilot@x", "headers": {"X-A": "b"}, "at": "2026-11-22T12:00:00Z"}""",
            out CallFacts facts, out _));
        Assert.Equal(("+1", "+2", "pilot", "192.0.2.1:5060", "tcp", "b"), (facts.FromUser, facts.ToUser, facts.RequestUser, facts.Source.ToString(), facts.Transport, facts.Header("x-a")));
        Assert.Equal(12, facts.Utc.Hour);
    }

    [Fact]
    public void A_captured_INVITE_is_read_as_a_call_would_be()
    {
        string invite = TestData.Text("invites", "03-twilio-pai-user-phone-early-media.sip").ReplaceLineEndings("\r\n");
        Assert.True(TryRead(JsonSerializer.Serialize(new { invite, src = "54.172.60.1:5060" }), out CallFacts facts, out string error), error);
        Assert.NotEmpty(facts.FromUser);
        Assert.NotEmpty(facts.Headers);
    }

    [Theory]
    [InlineData("[]", "no JSON object")]
    [InlineData("{", "no JSON object")]
    [InlineData("{}", "from and to")]
    [InlineData("""{"from": "1", "to": "2", "src": "here"}""", "src: 'here' is neither")]
    [InlineData("""{"from": "1", "to": "2", "at": "noon"}""", "at: 'noon'")]
    [InlineData("""{"invite": "hello"}""", "invite: no SIP message")]
    public void What_is_wrong_is_named(string json, string error)
    {
        Assert.False(TryRead(json, out _, out string said));
        Assert.Contains(error, said);
    }
}
