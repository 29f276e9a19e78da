using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Proxy.Core.Net;
using Proxy.LiveKit.Tokens;
using Proxy.Policy;
using Proxy.Server.Api;
using Proxy.Server.Http;
using Proxy.Testing;
using Xunit;

namespace Proxy.Server.Tests.Api;

public sealed class SipModuleTests : IAsyncLifetime
{
    private readonly HttpHost _host = HttpHost.Build(
        new HttpOptions { Listen = new NetEndPoint(NetAddress.FromV4(0x7F000001), 0) },
        [new SipModule(SipGoldenTests.Service(Compat.LiveKit), new TokenKeys([KeyValuePair.Create("devkey", "secret-secret-secret-secret-secret-0123")]), () => DateTimeOffset.UtcNow)]);

    private readonly HttpClient _http = new();

    public async Task InitializeAsync() => await _host.StartAsync(default);

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _host.StopAsync(default);
        await _host.DisposeAsync();
    }

    /// <summary>The transport's part of the recorded pairs: tokens, methods, content types. Only who is at fault counts, so status and kind.</summary>
    [Fact]
    public async Task Tokens_methods_and_content_types_are_answered_as_recorded()
    {
        JsonNode tokens = JsonNode.Parse(TestData.Text("livekit-golden", "api", "tokens.json"))!;
        List<string> differences = [];
        int pairs = 0;
        foreach (string file in new[] { "http.jsonl", "CreateSIPInboundTrunk.jsonl", "ListSIPInboundTrunk.jsonl" })
        {
            foreach (string line in File.ReadLines(TestData.Path("livekit-golden", "api", file)))
            {
                JsonNode pair = JsonNode.Parse(line)!;
                string name = (string)pair["name"]!;
                string path = (string)pair["request"]!["path"]!;
                if ((string)pair["scenario"]! != "http-auth" || !path.StartsWith("/twirp/livekit.SIP/", StringComparison.Ordinal) || name is "http.options_preflight" or "http.with_origin" or "pb.unknown_field_get"
                    || name.StartsWith("http.huge", StringComparison.Ordinal) || pair["request"]!["body_generator"] is not null)
                {
                    continue;
                }
                pairs++;
                string? difference = await Replay(pair, path, tokens);
                if (difference is not null)
                {
                    differences.Add($"{name}: {difference}");
                }
            }
        }
        Assert.True(differences.Count == 0, string.Join("\n", differences));
        Assert.True(pairs > 60, $"only {pairs} pairs");
    }

    private async Task<string?> Replay(JsonNode pair, string path, JsonNode tokens)
    {
        string Fill(string text) => tokens.AsObject().Aggregate(text, (t, token) => t.Replace($"{{token:{token.Key}}}", (string?)token.Value!["jwt"] ?? "garbage", StringComparison.Ordinal));
        using var request = new HttpRequestMessage(new HttpMethod((string)pair["request"]!["method"]!), $"http://127.0.0.1:{_host.Local.Port}{Fill(path)}");
        JsonNode body = pair["request"]!;
        byte[] bytes = body["body_b64"] is { } b64 ? Convert.FromBase64String((string)b64!) : Encoding.UTF8.GetBytes((string?)body["body"] ?? "");
        request.Content = request.Method == HttpMethod.Get || request.Method == HttpMethod.Head ? null : new ByteArrayContent(bytes);
        foreach (KeyValuePair<string, JsonNode?> header in pair["request"]!["headers"]!.AsObject())
        {
            string value = Fill((string)header.Value!);
            bool isKnown = header.Key != "Content-Type" ? request.Headers.TryAddWithoutValidation(header.Key, value) || request.Content!.Headers.TryAddWithoutValidation(header.Key, value)
                : request.Content?.Headers.TryAddWithoutValidation(header.Key, value) ?? true;
            Assert.True(isKnown, header.Key);
        }
        using HttpResponseMessage response = await _http.SendAsync(request);
        int status = (int)pair["response"]!["status"]!;
        string type = (string?)pair["response"]!["headers"]!["content-type"] ?? "";
        string got = await response.Content.ReadAsStringAsync();
        string gotType = response.Content.Headers.ContentType?.ToString() ?? "";
        bool sameMessage = status == 401 || (string?)(pair["response"]!["body"] as JsonObject)?["msg"] is not { } msg || (string?)JsonNode.Parse(got)!["msg"] == msg;
        return status == (int)response.StatusCode && type == gotType && sameMessage ? null : $"{(int)response.StatusCode} {gotType} {got}, stock {status} {type}";
    }

    [Fact]
    public async Task A_bad_token_is_never_echoed()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{_host.Local.Port}/twirp/livekit.SIP/ListSIPInboundTrunk") { Content = new StringContent("{}") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "abc.def.ghi");
        using HttpResponseMessage response = await _http.SendAsync(request);
        Assert.DoesNotContain("abc", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_caller_without_a_token_may_send_64_KiB()
    {
        using HttpResponseMessage response = await _http.PostAsync($"http://127.0.0.1:{_host.Local.Port}/twirp/livekit.SIP/ListSIPInboundTrunk",
            new StringContent(new string(' ', SipModule.BodyBytesUnknown + 1), Encoding.UTF8, "application/json"));
        Assert.Equal(413, (int)response.StatusCode);
    }
}
