using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Http;
using System.Threading.Tasks;
using Proxy.Core.Net;
using Proxy.LiveKit.Protocol;
using Proxy.Server.Config;
using Proxy.Server.Http;
using Proxy.Server.Store;
using Proxy.Server.Twilio;
using Proxy.Sip;
using Xunit;

namespace Proxy.Server.Tests.Twilio;

public sealed class VoiceModuleTests : IAsyncDisposable
{
    private const string Token = "12345";
    private static readonly TwilioConfig s_config = new() { AuthToken = Token, SipHost = "sip.example.com", PublicUrl = "https://pbx.example.com" };
    private readonly HttpClient _http = new();
    private readonly List<string> _said = [];
    private HttpHost? _host;

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_host is not null)
        {
            await _host.StopAsync(default);
            await _host.DisposeAsync();
        }
    }

    private static StoredObjects Objects(params SIPInboundTrunkInfo[] trunks)
    {
        StoredObjects objects = StoredObjects.Empty;
        foreach (SIPInboundTrunkInfo trunk in trunks)
        {
            objects = objects.With(ObjectKind.InboundTrunk, trunk.SipTrunkId, trunk);
        }
        return objects;
    }

    private static SIPInboundTrunkInfo Trunk(string id, string user, params string[] numbers)
    {
        var trunk = new SIPInboundTrunkInfo { SipTrunkId = id, AuthUsername = user, AuthPassword = user.Length == 0 ? "" : "p<&\"w" };
        trunk.Numbers.Add(numbers);
        return trunk;
    }

    private async Task<(HttpStatusCode Status, string Text)> PostAsync(TwilioConfig config, string? signedUrl, string query = "", string called = "+15105550100", (string, string)[]? headers = null)
    {
        _host ??= HttpHost.Build(new HttpOptions { Listen = new NetEndPoint(NetAddress.FromV4(0x7F000001), 0) },
            [new VoiceModule(config, () => Objects(Trunk("ST_a", "user", "+1 (510) 555-0100")), _said.Add)]);
        if (_host.Local.Port == 0)
        {
            await _host.StartAsync(default);
        }
        KeyValuePair<string, string>[] form = [new("To", called), new("From", "+13105550199"), new("CallSid", "CA1")];
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{_host.Local.Port}/twilio/voice{query}") { Content = new FormUrlEncodedContent(form) };
        string url = signedUrl ?? request.RequestUri!.ToString();
        request.Headers.TryAddWithoutValidation("X-Twilio-Signature", TwilioSignature.Of(Token, url, form));
        foreach ((string name, string value) in headers ?? [])
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        using HttpResponseMessage response = await _http.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public void The_example_of_Twilios_documentation_has_the_signature_that_stands_there()
    {
        KeyValuePair<string, string>[] form =
            [new("CallSid", "CA1234567890ABCDE"), new("Caller", "+14158675309"), new("Digits", "1234"), new("From", "+14158675309"), new("To", "+18005551212")];
        const string Url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        Assert.Equal("RSOYDt4T1cUTdK1PDd93/VVr8B8=", TwilioSignature.Of(Token, Url, form));
        Assert.True(TwilioSignature.IsRight(Token, Url, form, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
        Assert.True(TwilioSignature.IsRight(Token, "https://mycompany.com:443/myapp.php?foo=1&bar=2", form, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
        Assert.False(TwilioSignature.IsRight("12346", Url, form, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
        Assert.False(TwilioSignature.IsRight("", Url, form, TwilioSignature.Of("", Url, form)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("AAAA")]
    [InlineData("not base64 at all ~~~")]
    [InlineData("RSOYDt4T1cUTdK1PDd93/VVr8B8=RSOYDt4T1cUTdK1PDd93/VVr8B8=RSOYDt4T1cUTdK1PDd93/VVr8B8=")]
    public void What_is_no_signature_is_refused(string header) => Assert.False(TwilioSignature.IsRight(Token, "https://a/b", [], header));

    [Fact]
    public async Task The_public_url_is_what_was_signed_with_the_query_of_the_request()
    {
        (HttpStatusCode status, string text) = await PostAsync(s_config, "https://pbx.example.com/twilio/voice?tenant=7", "?tenant=7");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("<Sip username=\"user\" password=\"p&lt;&amp;&quot;w\">sip:+15105550100@sip.example.com;transport=tcp</Sip>", text);
        Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(s_config, "https://pbx.example.com/twilio/voice?tenant=8", "?tenant=7")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(s_config, null)).Status);
        Assert.Contains("https://pbx.example.com/twilio/voice", Assert.Single(_said));
        Assert.DoesNotContain(Token, _said[0]);
    }

    [Fact]
    public async Task Forwarded_headers_are_believed_from_trusted_proxies()
    {
        TwilioConfig config = s_config with { PublicUrl = "", TrustedProxies = [new SipSourceRange(NetAddress.FromV4(0x7F000000), 8)] };
        (string, string)[] forwarded = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "pbx.example.com, inner")];
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(config, "https://pbx.example.com/twilio/voice", headers: forwarded)).Status);
    }

    [Fact]
    public async Task Forwarded_headers_of_anybody_else_are_not_believed()
    {
        TwilioConfig config = s_config with { PublicUrl = "" };
        (string, string)[] forwarded = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "pbx.example.com")];
        Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(config, "https://pbx.example.com/twilio/voice", headers: forwarded)).Status);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(config, null, headers: forwarded)).Status);
    }

    [Fact]
    public async Task A_number_of_no_trunk_is_rejected_with_its_reason()
    {
        (HttpStatusCode status, string text) = await PostAsync(s_config, "https://pbx.example.com/twilio/voice", called: "+15105550999");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("<Reject/>", text);
        Assert.Contains("no trunk lists +15105550999", Assert.Single(_said));
    }

    [Fact]
    public void The_trunk_with_credentials_is_taken_of_two_and_two_are_told()
    {
        string Answer(string number, params SIPInboundTrunkInfo[] trunks)
        {
            VoiceAnswer answer = VoiceAnswer.For(number, Objects(trunks), s_config);
            return answer.Problem.Length > 0 ? answer.Problem : answer.User + " " + answer.Target;
        }
        Assert.Equal("b sip:+15550100@sip.example.com;transport=tcp", Answer("+15550100", Trunk("ST_a", "", "+15550100"), Trunk("ST_b", "b", "+15550100")));
        Assert.Equal(" sip:+15550100@sip.example.com;transport=tcp", Answer("+15550100", Trunk("ST_a", "", "15550100")));
        Assert.Equal("c sip:+15550100@sip.example.com;transport=tcp", Answer("+15550100", Trunk("ST_a", "a", "+15550199"), Trunk("ST_c", "c")));
        Assert.Equal("trunks ST_a and ST_c both could take +15550100", Answer("+15550100", Trunk("ST_a", "a"), Trunk("ST_c", "c")));
        Assert.StartsWith("'client:alice' is no telephone number", Answer("client:alice"));
        Assert.Equal("twilio.sip_host is missing in the configuration", VoiceAnswer.For("+15550100", Objects(), new TwilioConfig()).Problem);
    }
}
