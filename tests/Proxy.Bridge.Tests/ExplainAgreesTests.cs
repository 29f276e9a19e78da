using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.Json;
using Proxy.Bridge.Tests.World;
using Proxy.Core;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Explaining;
using Proxy.Sip;
using Proxy.Sip.Parsing;
using Xunit;

namespace Proxy.Bridge.Tests;

/// <summary>What explain says and what a call gets, through the whole SIP stack: never different.</summary>
public sealed class ExplainAgreesTests
{
    private static readonly PolicySettings s_settings = new() { Secret = Encoding.UTF8.GetBytes("secret of the tests, long enough") };

    [Fact]
    public void Explain_and_a_real_call_agree_on_reply_room_and_identity_in_a_thousand_random_cases()
    {
        var seen = new Dictionary<string, int>();
        for (ulong seed = 1; seed <= 1_000; seed++)
        {
            string kind = new Case(seed).Run();
            seen[kind] = seen.GetValueOrDefault(kind) + 1;
        }
        // Every way out was walked, or the test proves little.
        foreach (string kind in new[] { "join", "pin", "404", "403", "500", "challenge, then join", "challenge, then pin", "challenge, then 403" })
        {
            Assert.True(seen.GetValueOrDefault(kind) >= 5, $"{kind}: {seen.GetValueOrDefault(kind)} cases; {string.Join(", ", seen)}");
        }
    }

    /// <summary>One seed: a policy, an INVITE, and (after a 407) the INVITE with credentials.</summary>
    private sealed class Case
    {
        private readonly ulong _seed;
        private readonly RandomCalls _random;
        private readonly PolicyObjects _objects;
        private readonly RulePolicy _explaining;
        private readonly CallWorld _w = new(new Limits { CallsMax = 4 });
        private bool _isAnswer;

        public Case(ulong seed)
        {
            _seed = seed;
            _random = new RandomCalls(seed);
            _objects = _random.Policy();
            var store = new Store(PolicySnapshot.Build(_objects, 7));
            var calling = new RulePolicy(store, s_settings);
            _explaining = new RulePolicy(store, s_settings);
            _w.Decision = facts => calling.Decide(facts, _w.Caps.At(_w.Now), null);
            _w.PinDecision = (asked, pin) => calling.DecidePin(_w.Facts, asked, pin, _w.Caps.At(_w.Now), null);
        }

        public string Run()
        {
            (string invite, SipFlow flow) = _random.Invite();
            string kind = Compare(invite, flow);
            if (kind != "challenge" || !_objects.Trunks.Any(t => t.AuthUsername.Length > 0))
            {
                return kind;
            }
            string challenge = _w.Sent.Last(m => m.StartsWith("SIP/2.0 407", StringComparison.Ordinal));
            _isAnswer = true;
            return "challenge, then " + Compare(_random.Authenticated(invite, challenge, _objects), flow);
        }

        private string Compare(string invite, SipFlow flow)
        {
            // A second INVITE keeps our tag, which is known by then; explain must look before the nonce is used up.
            JsonElement? before = _isAnswer ? Explain(invite, flow, _w.ToTag()) : null;
            int said = _w.Sent.Count;
            _w.Receive(invite, flow);
            JsonElement explained = before ?? Explain(invite, flow, _w.ToTag());
            int status = _w.Sent.Skip(said).Select(m => int.Parse(m.AsSpan(8, 3), System.Globalization.CultureInfo.InvariantCulture)).LastOrDefault(s => s >= 200);
            string verdict = explained.GetProperty("verdict").GetString()!;
            switch (verdict)
            {
                case "join":
                    Assert.True(status == 0, $"seed {_seed}: explain says join, the call got {status}");
                    CompareRoom(explained);
                    return verdict;
                case "pin":
                    Assert.True(status == 200, $"seed {_seed}: explain says pin, the call got {status}");
                    Assert.Empty(_w.Rooms.Legs);
                    ComparePin(invite, flow);
                    return verdict;
                default:
                    Assert.True(status == explained.GetProperty("sip").GetProperty("status").GetInt32(), $"seed {_seed}: {explained}, the call got {status}");
                    Assert.Equal(explained.GetProperty("code").GetString(), verdict == "challenge" ? "" : _w.Records[^1].Code);
                    Assert.Empty(_w.Rooms.Legs);
                    return verdict == "challenge" ? verdict : status.ToString(System.Globalization.CultureInfo.InvariantCulture);
            }
        }

        private void CompareRoom(JsonElement explained)
        {
            Assert.Equal((explained.GetProperty("room").GetString(), explained.GetProperty("identity").GetString()), (_w.Room.Request!.Room, _w.Room.Request.Identity));
            Dictionary<string, string> attributes = _w.Room.Request.Attributes.Where(a => a.Key != "sip.callStatus").ToDictionary();
            Assert.Equal(explained.GetProperty("attributes").EnumerateObject().ToDictionary(a => a.Name, a => a.Value.GetString()!), attributes);
        }

        private void ComparePin(string invite, SipFlow flow)
        {
            string pin = _seed % 2 == 0 ? "12" : "13";
            CallFacts facts = Facts(invite, flow, _w.ToTag());
            Verdict asked = _explaining.Decide(facts, default, null);
            var trace = new DecisionTrace();
            Verdict then = _explaining.DecidePin(facts, asked, pin, default, trace);
            _w.Keys(pin + "#");
            if (then.Kind == VerdictKind.Join)
            {
                CompareRoom(JsonDocument.Parse(ExplainJson.Write(facts, then, trace)).RootElement);
            }
            else
            {
                Assert.Empty(_w.Rooms.Legs);
            }
        }

        private JsonElement Explain(string invite, SipFlow flow, string callId)
        {
            var trace = new DecisionTrace();
            CallFacts facts = Facts(invite, flow, callId);
            return JsonDocument.Parse(ExplainJson.Write(facts, _explaining.Decide(facts, default, trace), trace)).RootElement;
        }

        /// <summary>As the explain module reads a captured message.</summary>
        private CallFacts Facts(string invite, SipFlow flow, string callId)
        {
            Assert.True(SipMessageView.TryParse(Encoding.UTF8.GetBytes(invite), out SipMessageView message, out _));
            return FactsFromInvite.Read(callId, message, flow, DateTimeOffset.UnixEpoch.AddTicks(_w.Now.Micros * 10));
        }
    }

    private sealed class Store(PolicySnapshot snapshot) : IRuleStore
    {
        public PolicySnapshot Current => snapshot;
    }
}
