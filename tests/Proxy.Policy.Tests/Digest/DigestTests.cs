using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Proxy.Core.Net;
using Proxy.Policy.Caps;
using Proxy.Policy.Digest;
using Proxy.Policy.Trunks;
using Proxy.Testing;
using Xunit;

namespace Proxy.Policy.Tests.Digest;

public sealed class DigestTests
{
    private static readonly CapsView s_live = new CallCaps().At(default);

    private static PolicyObjects Objects(params Trunk[] trunks) => new() { Trunks = trunks, Rules = [Given.Direct("SDR_1", "lobby")] };

    private static Trunk Auth(string id, string user, string password, params string[] numbers) =>
        Given.Trunk(id, numbers) with { AuthUsername = user, AuthPassword = password };

    /// <summary>What a caller answers to a challenge.</summary>
    private static CallFacts Answer(CallFacts facts, DigestChallenge challenge, string user, string password, uint count = 1, bool withQop = true)
    {
        var credentials = new DigestCredentials
        {
            UserName = user,
            Realm = challenge.Realm,
            Nonce = challenge.Nonce,
            Uri = facts.RequestUri,
            Algorithm = challenge.Algorithm,
            Qop = withQop ? "auth" : "",
            NonceCount = withQop ? count.ToString("x8") : "",
            ClientNonce = withQop ? "c0ffee" : "",
        };
        string Hash(string text) => Convert.ToHexStringLower(challenge.Algorithm == "MD5"
            ? MD5.HashData(Encoding.UTF8.GetBytes(text)) : SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        string middle = withQop ? $"{challenge.Nonce}:{credentials.NonceCount}:c0ffee:auth" : challenge.Nonce;
        string response = Hash($"{Hash($"{user}:{challenge.Realm}:{password}")}:{middle}:{Hash($"{facts.Method}:{facts.RequestUri}")}");
        return facts with { Credentials = credentials with { Response = response } };
    }

    public static IEnumerable<object[]> Vectors()
    {
        using JsonDocument document = JsonDocument.Parse(TestData.Bytes("digest", "digest_vectors.json"));
        foreach (JsonElement vector in document.RootElement.GetProperty("vectors").EnumerateArray())
        {
            string qop = vector.TryGetProperty("qop", out JsonElement q) && q.ValueKind == JsonValueKind.String ? q.GetString()! : "";
            if (qop is "" or "auth" && DigestResponse.Knows(vector.GetProperty("alg").GetString()!))
            {
                yield return [vector.GetProperty("name").GetString()!, vector.GetRawText()];
            }
        }
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Published_responses_verify_and_any_other_does_not(string name, string json)
    {
        JsonElement v = JsonDocument.Parse(json).RootElement;
        string Text(string key) => v.TryGetProperty(key, out JsonElement e) && e.ValueKind == JsonValueKind.String ? e.GetString()! : "";
        var offered = new DigestCredentials
        {
            UserName = Text("user"),
            Realm = Text("realm"),
            Nonce = Text("nonce"),
            Uri = Text("uri"),
            Qop = Text("qop"),
            NonceCount = Text("nc"),
            ClientNonce = Text("cnonce"),
            Response = Text("response"),
        };
        bool Verify(DigestCredentials o) => DigestResponse.Verify(o, Text("alg"), Text("user"), Text("realm"), Text("pw"), Text("method"));
        Assert.True(Verify(offered), name);
        Assert.False(Verify(offered with { Response = offered.Response[..^1] + (offered.Response[^1] == '0' ? '1' : '0') }), name);
        Assert.False(Verify(offered with { Response = "" }), name);
        Assert.False(Verify(offered with { Response = new string('z', offered.Response.Length) }), name);
    }

    [Theory]
    [InlineData("MD5", true)]
    [InlineData("MD5", false)]
    [InlineData("SHA-256", true)]
    public void A_challenge_answered_rightly_passes(string algorithm, bool withQop)
    {
        Trunk trunk = Auth("ST_1", "u", "p", "+15550200") with { Extras = new TrunkExtras { DigestAlgorithm = algorithm } };
        RulePolicy policy = Given.Policy(Objects(trunk));
        Verdict asked = policy.Decide(Given.Call(), s_live, null);
        Assert.Equal((VerdictKind.Challenge, 407, "LiveKit", algorithm, false),
            (asked.Kind, asked.SipStatus, asked.Challenge!.Realm, asked.Challenge.Algorithm, asked.Challenge.IsStale));
        Assert.Equal("lobby", policy.Decide(Answer(Given.Call(), asked.Challenge, "u", "p", withQop: withQop), s_live, null).Room);
    }

    [Fact]
    public void A_nonce_passes_at_another_node_with_the_same_secret_from_another_address()
    {
        PolicyObjects objects = Objects(Auth("ST_1", "u", "p", "+15550200"));
        Verdict asked = Given.Policy(objects).Decide(Given.Call(), s_live, null);
        CallFacts answer = Answer(Given.Call(source: "192.0.2.77") with { CallId = "SCL_othercallid1" }, asked.Challenge!, "u", "p");
        Verdict joined = Given.Policy(objects).Decide(answer, s_live, null);
        Assert.Equal((VerdictKind.Join, new TrunkLogin("u", "p")), (joined.Kind, joined.Login));
        Assert.DoesNotContain("UserName", joined.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_repeated_count_is_stale_and_a_higher_one_passes()
    {
        RulePolicy policy = Given.Policy(Objects(Auth("ST_1", "u", "p", "+15550200")));
        DigestChallenge challenge = policy.Decide(Given.Call(), s_live, null).Challenge!;
        Assert.Equal(VerdictKind.Join, policy.Decide(Answer(Given.Call(), challenge, "u", "p", 5), s_live, null).Kind);
        Verdict again = policy.Decide(Answer(Given.Call(), challenge, "u", "p", 5), s_live, null);
        Assert.True(again.Challenge!.IsStale);
        Assert.Equal(VerdictKind.Join, policy.Decide(Answer(Given.Call(), challenge, "u", "p", 3), s_live, null).Kind);
        Assert.Equal(VerdictKind.Join, policy.Decide(Answer(Given.Call(), challenge, "u", "p", 200), s_live, null).Kind);
        Assert.True(policy.Decide(Answer(Given.Call(), challenge, "u", "p", 100), s_live, null).Challenge!.IsStale);
    }

    [Fact]
    public void Request_from_elsewhere_proves_the_credentials_of_the_calls_own_trunk()
    {
        Trunk listed = Auth("ST_1", "u", "p", "+15550200") with { AllowedAddresses = ["192.0.2.1"] };
        RulePolicy policy = Given.Policy(Objects(listed, Auth("ST_2", "v", "q", "+15550201"), Given.Trunk("ST_3", "+15550202")));
        CallFacts bye = Given.Call(source: "192.0.2.77") with { Method = "BYE" };
        Verdict asked = policy.Prove(bye, "ST_1", s_live);
        Assert.Equal(VerdictKind.Challenge, asked.Kind);
        Assert.Equal(VerdictKind.Join, policy.Prove(Answer(bye, asked.Challenge!, "u", "p"), "ST_1", s_live).Kind);
        Assert.True(policy.Prove(Answer(bye, asked.Challenge!, "u", "p"), "ST_1", s_live).Challenge!.IsStale);
        Assert.Equal(RefusalCode.BadCredentials, policy.Prove(Answer(bye, asked.Challenge!, "v", "q", 2), "ST_1", s_live).Code);
        Assert.Equal(RefusalCode.BadCredentials, policy.Prove(Answer(bye, asked.Challenge!, "u", "p", 2) with { Method = "INFO" }, "ST_1", s_live).Code);
        foreach (string without in new[] { "ST_3", "ST_gone", "" })
        {
            Assert.Equal((VerdictKind.Reject, RefusalCode.SourceNotAllowed), (policy.Prove(bye, without, s_live).Kind, policy.Prove(bye, without, s_live).Code));
        }
    }

    [Fact]
    public void Either_of_two_challenges_of_a_repeated_invite_can_be_answered()
    {
        RulePolicy policy = Given.Policy(Objects(Auth("ST_1", "u", "p", "+15550200")));
        DigestChallenge first = policy.Decide(Given.Call(), s_live, null).Challenge!;
        DigestChallenge second = policy.Decide(Given.Call() with { Utc = Given.Noon.AddMilliseconds(500) }, s_live, null).Challenge!;
        Assert.NotEqual(first.Nonce, second.Nonce);
        CallFacts later = Given.Call() with { Utc = Given.Noon.AddSeconds(1) };
        Assert.Equal(VerdictKind.Join, policy.Decide(Answer(later, first, "u", "p"), s_live, null).Kind);
        Assert.Equal(VerdictKind.Join, policy.Decide(Answer(later, second, "u", "p"), s_live, null).Kind);
    }

    [Fact]
    public void An_old_nonce_with_the_right_password_is_stale_and_a_forged_one_is_asked_anew()
    {
        RulePolicy policy = Given.Policy(Objects(Auth("ST_1", "u", "p", "+15550200")));
        DigestChallenge challenge = policy.Decide(Given.Call(), s_live, null).Challenge!;
        CallFacts late = Answer(Given.Call() with { Utc = Given.Noon.AddSeconds(NonceMint.LifeSeconds + 1) }, challenge, "u", "p");
        Assert.True(policy.Decide(late, s_live, null).Challenge!.IsStale);
        CallFacts forged = Answer(Given.Call(), challenge with { Nonce = challenge.Nonce[..20] + (challenge.Nonce[20] == 'A' ? 'B' : 'A') + challenge.Nonce[21..] }, "u", "p");
        Assert.False(policy.Decide(forged, s_live, null).Challenge!.IsStale);
    }

    [Fact]
    public void Unknown_user_and_wrong_password_get_the_same_answer()
    {
        RulePolicy policy = Given.Policy(Objects(Auth("ST_1", "u", "p", "+15550200")));
        DigestChallenge challenge = policy.Decide(Given.Call(), s_live, null).Challenge!;
        Verdict user = policy.Decide(Answer(Given.Call(), challenge, "nobody", "p"), s_live, null);
        Verdict password = policy.Decide(Answer(Given.Call(), challenge, "u", "wrong"), s_live, null);
        Assert.Equal(RefusalCode.BadCredentials, user.Code);
        Assert.Equal((user.SipStatus, user.SipReason, user.Sentence, user.Q850Cause), (password.SipStatus, password.SipReason, password.Sentence, password.Q850Cause));
    }

    [Fact]
    public void Trunks_without_numbers_are_told_apart_by_the_user_name()
    {
        RulePolicy policy = Given.Policy(Objects(Auth("ST_1", "alice", "a"), Auth("ST_2", "bob", "b")));
        Verdict asked = policy.Decide(Given.Call(), s_live, null);
        Assert.Equal((VerdictKind.Challenge, ""), (asked.Kind, asked.TrunkId));
        Assert.Equal("ST_2", policy.Decide(Answer(Given.Call(), asked.Challenge!, "bob", "b"), s_live, null).TrunkId);
        Assert.Equal("ST_1", policy.Decide(Answer(Given.Call(), asked.Challenge!, "alice", "a", 2), s_live, null).TrunkId);
        Assert.Equal(RefusalCode.BadCredentials, policy.Decide(Answer(Given.Call(), asked.Challenge!, "bob", "a", 3), s_live, null).Code);
        Assert.Equal(RefusalCode.BadCredentials, policy.Decide(Answer(Given.Call(), asked.Challenge!, "carol", "c", 4), s_live, null).Code);
    }

    [Fact]
    public void Only_sources_that_nobody_lists_are_locked_out()
    {
        RulePolicy policy = Given.Policy(Objects(
            Auth("ST_1", "u", "p", "+15550200"), Given.Trunk("ST_2", "+15550999") with { AllowedAddresses = ["198.51.100.0/24"] }));
        foreach ((string source, RefusalCode code) in new[] { ("192.0.2.1", RefusalCode.LockedOut), ("198.51.100.7", RefusalCode.BadCredentials) })
        {
            DigestChallenge challenge = policy.Decide(Given.Call(source: source), s_live, null).Challenge!;
            for (uint i = 1; i <= FailedSources.Most; i++)
            {
                Assert.Equal(RefusalCode.BadCredentials, policy.Decide(Answer(Given.Call(source: source), challenge, "u", "x", i), s_live, null).Code);
            }
            Assert.Equal(code, policy.Decide(Answer(Given.Call(source: source), challenge, "u", "x", 99), s_live, null).Code);
        }
    }

    [Fact]
    public void Explain_uses_up_no_nonce_and_locks_nobody_out()
    {
        RulePolicy policy = Given.Policy(Objects(Auth("ST_1", "u", "p", "+15550200")));
        DigestChallenge challenge = policy.Decide(Given.Call(), default, null).Challenge!;
        CallFacts answer = Answer(Given.Call(), challenge, "u", "p");
        Assert.Equal(VerdictKind.Join, policy.Decide(answer, default, new DecisionTrace()).Kind);
        Assert.Equal(VerdictKind.Join, policy.Decide(answer, s_live, null).Kind);
    }

    [Fact]
    public void An_evicted_nonce_counts_as_used()
    {
        var used = new UsedNonces();
        for (ulong i = 0; i <= UsedNonces.Capacity; i++)
        {
            Assert.True(used.TryUse(i, 1_000 + (long)i, 1, commit: true));
        }
        Assert.Equal(UsedNonces.Capacity, used.Count);
        Assert.False(used.TryUse(0, 1_000, 1, commit: true));
        Assert.True(used.TryUse(ulong.MaxValue, 50_000_000, 1, commit: true));
    }

    [Fact]
    public void Neither_verdict_nor_settings_print_a_secret()
    {
        RulePolicy policy = Given.Policy(Objects(Auth("ST_1", "u", "pa55word", "+15550200")));
        Assert.DoesNotContain("pa55word", policy.Decide(Given.Call(), s_live, null).ToString());
        Assert.DoesNotContain("secret of", new PolicySettings { Secret = Given.Secret }.ToString());
        Assert.DoesNotContain("pa55word", Auth("ST_1", "u", "pa55word").ToString());
    }
}
