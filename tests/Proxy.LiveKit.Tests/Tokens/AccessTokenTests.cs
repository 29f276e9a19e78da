using System;
using System.Buffers.Text;
using System.Collections.Generic;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;
using Proxy.Testing;
using Xunit;

namespace Proxy.LiveKit.Tests.Tokens;

public sealed class AccessTokenTests
{
    private const long Now = 1_795_361_259;
    private const string Secret = "secret-secret-secret-secret-secret-0123";
    private static readonly TokenKeys s_keys = new([KeyValuePair.Create("devkey", Secret)]);

    [Fact]
    public void Every_recorded_token_is_judged_as_by_the_stock_server()
    {
        Dictionary<string, TokenVerdict> refused = new()
        {
            ["expired"] = TokenVerdict.Expired,
            ["nbf_future"] = TokenVerdict.NotYetValid,
            ["wrong_secret"] = TokenVerdict.BadSignature,
            ["unknown_key"] = TokenVerdict.UnknownKey,
            ["no_iss"] = TokenVerdict.UnknownKey,
            ["garbage"] = TokenVerdict.Malformed,
            ["alg_none"] = TokenVerdict.BadAlgorithm,
            ["hs512"] = TokenVerdict.BadAlgorithm,
        };
        using JsonDocument document = JsonDocument.Parse(TestData.Text("livekit-golden", "api", "tokens.json"));
        foreach (JsonProperty item in document.RootElement.EnumerateObject())
        {
            string token = item.Value.GetProperty("jwt").GetString()!;
            TokenVerdict verdict = AccessToken.TryVerify(token, s_keys, Now, out AccessClaims? claims);
            Assert.True(refused.GetValueOrDefault(item.Name, TokenVerdict.Ok) == verdict, item.Name + ": " + verdict);
            if (verdict == TokenVerdict.Ok)
            {
                AssertClaims(item.Value.GetProperty("claims"), claims!);
            }
            else
            {
                Assert.Null(claims);
            }
        }
    }

    [Fact]
    public void Tokens_of_the_recorded_clients_can_be_read()
    {
        int count = 0;
        foreach (string path in System.IO.Directory.GetFiles(TestData.Path("livekit-golden", "rtc", "signalling"), "*-v1.jsonl"))
        {
            using JsonDocument document = JsonDocument.Parse(System.IO.File.ReadLines(path).GetEnumerator() is var lines && lines.MoveNext() ? lines.Current : "{}");
            JsonElement root = document.RootElement;
            string token = root.GetProperty("query").TryGetProperty("access_token", out JsonElement query)
                ? query.GetString()!
                : root.GetProperty("headers").GetProperty("authorization").GetString()!["Bearer ".Length..];
            TokenKeys keys = new([KeyValuePair.Create("devkey", "guess")]);
            Assert.Equal(TokenVerdict.BadSignature, AccessToken.TryVerify(token, keys, Now, out _));
            count++;
        }
        Assert.True(count >= 3);
    }

    [Fact]
    public void Minted_token_holds_what_livekit_sip_puts_in()
    {
        AccessClaims claims = new()
        {
            ApiKey = "devkey",
            Identity = "sip_+15550100",
            Name = "Phone +15550100",
            Kind = "sip",
            Metadata = "{\"a\":1}",
            Attributes = new Dictionary<string, string> { ["sip.callID"] = "SCL_x", ["\u00fc"] = "\u00e9" },
            NotBefore = Now,
            IssuedAt = Now,
            ExpiresAt = Now + 86_400,
            Video = new VideoGrant { RoomJoin = true, Room = "r", CanPublish = true, CanSubscribe = false, CanUpdateOwnMetadata = true, CanPublishSources = ["microphone"] },
            Sip = new SipGrant(false, true),
            Agent = new AgentGrant(true),
            RoomPreset = "p",
            RoomConfig = new RoomConfiguration { Name = "r", EmptyTimeout = 5, Agents = { new RoomAgentDispatch { AgentName = "a" } } },
            Sha256 = "x",
        };
        string token = AccessToken.Mint(claims, Encoding.UTF8.GetBytes(Secret));
        Assert.Equal(TokenVerdict.Ok, AccessToken.TryVerify(token, s_keys, Now, out AccessClaims? read));
        Assert.Equal(claims.Attributes, read!.Attributes);
        Assert.Equal(claims.Video.CanPublishSources, read.Video!.CanPublishSources);
        Assert.Equal(claims.RoomConfig, read.RoomConfig);
        Assert.Equal(ParticipantInfo.Types.Kind.Sip, read.ParticipantKind);
        Assert.Equal((claims.Identity, claims.Name, claims.Metadata, claims.Sip, claims.Agent, claims.ExpiresAt), (read.Identity, read.Name, read.Metadata, read.Sip, read.Agent, read.ExpiresAt));
        Assert.Equal((true, false, true, true), (read.Video.MayPublish, read.Video.MaySubscribe, read.Video.MayPublishData, read.Video.MayUpdateOwnMetadata));
        Assert.True(read.Video.MayPublishSource(TrackSource.Microphone));
        Assert.False(read.Video.MayPublishSource(TrackSource.Camera));
    }

    [Fact]
    public void Rights_that_a_token_leaves_open_are_livekits_defaults()
    {
        VideoGrant open = new();
        Assert.Equal((true, true, true, false), (open.MayPublish, open.MaySubscribe, open.MayPublishData, open.MayUpdateOwnMetadata));
        Assert.False(new VideoGrant { CanPublish = false }.MayPublishData);
        Assert.True(open.ToPermission().CanPublish);
    }

    [Theory]
    [InlineData(0, TokenVerdict.Ok)]
    [InlineData(59, TokenVerdict.Ok)]
    [InlineData(60, TokenVerdict.Expired)]
    [InlineData(-59, TokenVerdict.Ok)]
    [InlineData(-61, TokenVerdict.NotYetValid)]
    public void Clocks_may_differ_by_a_minute(long offset, TokenVerdict expected)
    {
        AccessClaims claims = new() { ApiKey = "devkey", NotBefore = Now, ExpiresAt = Now };
        string token = AccessToken.Mint(claims, Encoding.UTF8.GetBytes(Secret));
        Assert.Equal(expected, AccessToken.TryVerify(token, s_keys, Now + offset, out _));
    }

    [Theory]
    [InlineData("{\"alg\":\"HS256\",\"crit\":[\"b64\"]}", "{\"iss\":\"devkey\"}", TokenVerdict.BadAlgorithm)]
    [InlineData("{\"alg\":\"hs256\"}", "{\"iss\":\"devkey\"}", TokenVerdict.BadAlgorithm)]
    [InlineData("{\"alg\":\"RS256\"}", "{\"iss\":\"devkey\"}", TokenVerdict.BadAlgorithm)]
    [InlineData("{\"alg\":\"HS256\",\"alg\":\"none\"}", "{\"iss\":\"devkey\"}", TokenVerdict.BadAlgorithm)]
    [InlineData("{}", "{\"iss\":\"devkey\"}", TokenVerdict.BadAlgorithm)]
    [InlineData("[]", "{\"iss\":\"devkey\"}", TokenVerdict.Malformed)]
    [InlineData("{\"alg\":\"HS256\"}", "{\"iss\":5}", TokenVerdict.Malformed)]
    [InlineData("{\"alg\":\"HS256\"}", "{\"iss\":\"devkey\"} x", TokenVerdict.Malformed)]
    [InlineData("{\"alg\":\"HS256\"}", "{\"iss\":\"devkey\",\"exp\":\"soon\"}", TokenVerdict.Malformed)]
    [InlineData("{\"alg\":\"HS256\"}", "{\"iss\":\"devkey\",\"video\":{\"roomJoin\":\"yes\"}}", TokenVerdict.Malformed)]
    [InlineData("{\"alg\":\"HS256\"}", "{\"iss\":\"devkey\",\"video\":[]}", TokenVerdict.Malformed)]
    [InlineData("{\"alg\":\"HS256\"}", "{\"iss\":\"devkey\",\"video\":null,\"nope\":{\"a\":[1]},\"exp\":4102444800.5}", TokenVerdict.Ok)]
    [InlineData("{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\"}}", "{\"iss\":\"devkey\",\"jti\":\"me\"}", TokenVerdict.Ok)]
    public void Only_hs256_and_well_typed_claims_pass(string header, string payload, TokenVerdict expected)
    {
        string body = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header)) + "." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload));
        string token = body + "." + Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.ASCII.GetBytes(body)));
        Assert.Equal(expected, AccessToken.TryVerify(token, s_keys, Now, out AccessClaims? claims));
        if (payload.Contains("jti", StringComparison.Ordinal))
        {
            Assert.Equal("me", claims!.Identity);
        }
    }

    [Fact]
    public void Altered_and_overlong_and_deep_tokens_never_pass_and_never_throw()
    {
        string token = AccessToken.Mint(new AccessClaims { ApiKey = "devkey" }, Encoding.UTF8.GetBytes(Secret));
        for (int i = 0; i < token.Length; i++)
        {
            char other = token[i] == 'A' ? 'B' : 'A';
            string altered = token[..i] + other + token[(i + 1)..];
            // The last character carries four bits that do not count; a decoder may take them or not.
            Assert.True(i == token.Length - 1 || AccessToken.TryVerify(altered, s_keys, Now, out _) != TokenVerdict.Ok);
            Assert.NotEqual(TokenVerdict.Ok, AccessToken.TryVerify(token.AsSpan(0, i), s_keys, Now, out _));
        }
        Assert.Equal(TokenVerdict.Malformed, AccessToken.TryVerify(new string('a', 40_000), s_keys, Now, out _));
        string deep = Base64Url.EncodeToString(Encoding.ASCII.GetBytes("{\"a\":" + new string('[', 100) + new string(']', 100) + "}"));
        Assert.Equal(TokenVerdict.Malformed, AccessToken.TryVerify("eyJhbGciOiJIUzI1NiJ9." + deep + ".AAAA", s_keys, Now, out _));
        Assert.Equal(TokenVerdict.Malformed, AccessToken.TryVerify(token + "=", s_keys, Now, out _));
        Assert.Equal(TokenVerdict.Malformed, AccessToken.TryVerify(" " + token, s_keys, Now, out _));
    }

    [Fact]
    public void Short_secrets_are_named_without_being_shown()
    {
        TokenKeys keys = new([KeyValuePair.Create("devkey", "secret"), KeyValuePair.Create("long", new string('x', 32))]);
        Assert.Equal(["devkey"], keys.ShortSecrets());
        Assert.DoesNotContain("secret", keys.ToString(), StringComparison.Ordinal);
    }

    private static void AssertClaims(JsonElement expected, AccessClaims actual)
    {
        Assert.Equal(expected.GetProperty("iss").GetString(), actual.ApiKey);
        Assert.Equal(expected.TryGetProperty("exp", out JsonElement exp) ? exp.GetInt64() : null, actual.ExpiresAt);
        Assert.Equal(expected.TryGetProperty("sip", out JsonElement sip), actual.Sip is not null);
        Assert.Equal(actual.Sip is not null && sip.TryGetProperty("admin", out _), actual.Sip?.Admin ?? false);
        Assert.Equal(actual.Sip is not null && sip.TryGetProperty("call", out _), actual.Sip?.Call ?? false);
        Assert.Equal(expected.TryGetProperty("video", out JsonElement video), actual.Video is not null);
        if (actual.Video is not null)
        {
            Assert.Equal(video.TryGetProperty("roomAdmin", out _), actual.Video.RoomAdmin);
            Assert.Equal(video.TryGetProperty("room", out JsonElement room) ? room.GetString() : "", actual.Video.Room);
            Assert.Equal(video.TryGetProperty("destinationRoom", out JsonElement other) ? other.GetString() : "", actual.Video.DestinationRoom);
        }
    }
}
