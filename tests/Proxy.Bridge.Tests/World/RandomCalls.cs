using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;
using Proxy.Sip;

namespace Proxy.Bridge.Tests.World;

/// <summary>One seed. Policies and INVITEs that meet often: few numbers, few addresses, every kind of rule.</summary>
internal sealed class RandomCalls(ulong seed)
{
    private static readonly string[] s_numbers = ["+15550200", "1 555-0200", "+15550201", "0015550202", "service", "+442071230005", "anonymous", ""];
    private static readonly string[] s_called = ["+15550200", "15550200", "+15550201", "0015550202", "service", "+442071230005", "nobody-knows"];
    private static readonly string[] s_sources = ["192.0.2.1", "192.0.2.2", "198.51.100.1", "203.0.113.9"];
    private static readonly string[] s_blocks = ["192.0.2.0/24", "192.0.2.1", "198.51.100.0/24", "not an address"];
    private static readonly string[] s_patterns = ["+1555*", "+15550*", "+44*", "+442071230000-9"];
    private readonly SeededRandom _random = new(seed);

    public PolicyObjects Policy() => new()
    {
        Trunks = [.. Enumerable.Range(0, 1 + _random.Next(4)).Select(Trunk)],
        Rules = [.. Enumerable.Range(0, 1 + _random.Next(6)).Select(Rule)],
        Numbers = Chance(4) ? [new PhoneNumber { Id = "PN_0", E164 = "+15550201", IsAssigned = true, RuleIds = Some(["SDR_0", "SDR_1"], 2) }] : [],
        InterconnectAddresses = Chance(2) ? ["192.0.2.2"] : [],
        Compat = Chance(2) ? Compat.LiveKit : Compat.Strict,
    };

    /// <summary>An INVITE and where it comes from.</summary>
    public (string Message, SipFlow Flow) Invite()
    {
        string to = Pick(s_called);
        string request = Chance(3) ? Pick(s_called) : to;
        string source = Pick(s_sources);
        string from = Escape(Pick(s_numbers));
        string user = from.Length > 0 ? from + "@" : "";
        string pai = Chance(3) ? $"P-Asserted-Identity: <sip:{Escape(Pick(s_numbers))}@carrier.example>\r\n" : "";
        string extra = Chance(2) ? "X-Tenant: acme\r\n" : "";
        string sdp = CallWorld.Offer(address: source);
        NetEndPoint.TryParse(source + ":5060", out NetEndPoint remote);
        return ($"INVITE sip:{request}@203.0.113.1 SIP/2.0\r\nVia: SIP/2.0/UDP {source}:5060;branch=z9hG4bK{seed};rport\r\nMax-Forwards: 70\r\n"
            + $"From: \"X\" <sip:{user}carrier.example>;tag=c{seed}\r\nTo: <sip:{to}@203.0.113.1>\r\nCall-ID: call-{seed}@caller\r\nCSeq: 1 INVITE\r\n"
            + $"Contact: <sip:{source}:5060>\r\n{pai}{extra}Content-Type: application/sdp\r\nContent-Length: {sdp.Length}\r\n\r\n{sdp}",
            new SipFlow(SipTransport.Udp, 0, 0, remote));
    }

    /// <summary>The INVITE again, with the credentials of the trunk that a 407 asks for; sometimes wrong ones.</summary>
    public string Authenticated(string invite, string challenge, PolicyObjects policy)
    {
        string nonce = Regex.Match(challenge, "nonce=\"([^\"]*)\"").Groups[1].Value;
        string realm = Regex.Match(challenge, "realm=\"([^\"]*)\"").Groups[1].Value;
        string name = policy.Trunks.Select(t => t.AuthUsername).Where(u => u.Length > 0).ElementAt(0);
        string ha1 = Md5($"{name}:{realm}:{(Chance(4) ? "wrong" : "p")}");
        string response = Md5($"{ha1}:{nonce}:00000001:cn:auth:{Md5("INVITE:sip:x")}");
        string line = $"Proxy-Authorization: Digest username=\"{name}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"sip:x\", response=\"{response}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"cn\"\r\n";
        return invite.Replace("CSeq: 1 INVITE", "CSeq: 2 INVITE", StringComparison.Ordinal).Replace("z9hG4bK", "z9hG4bKa", StringComparison.Ordinal)
            .Replace("Content-Type:", line + "Content-Type:", StringComparison.Ordinal);
    }

    private Trunk Trunk(int i)
    {
        bool hasAuth = Chance(4);
        return new Trunk
        {
            Id = "ST_" + i.ToString(CultureInfo.InvariantCulture),
            Numbers = Some(s_called[..5], 2),
            AllowedNumbers = Chance(3) ? Some(s_numbers[..6], 3) : [],
            AllowedAddresses = Chance(3) ? Some(s_blocks, 2) : [],
            AuthUsername = hasAuth ? "u" + i : "",
            AuthPassword = hasAuth || Chance(12) ? "p" : "",
            IncludeHeaders = (IncludeHeaders)_random.Next(3),
            Extras = new TrunkExtras
            {
                CalledFrom = Chance(6) ? CalledFrom.RequestUri : CalledFrom.To,
                CallerFrom = Chance(6) ? CallerFrom.AssertedIdentity : CallerFrom.From,
                NumberPatterns = Chance(3) ? Some(s_patterns, 2) : [],
            },
        };
    }

    private DispatchRule Rule(int i) => new()
    {
        Id = "SDR_" + i.ToString(CultureInfo.InvariantCulture),
        Kind = (RuleKind)_random.Next(3),
        Room = "room" + _random.Next(3),
        Pin = Chance(4) ? "12" : "",
        NoRandomness = Chance(2),
        Randomize = Chance(2),
        HidePhoneNumber = Chance(3),
        TrunkIds = Chance(2) ? Some(["ST_0", "ST_1", "ST_9"], 2) : [],
        Numbers = Chance(4) ? Some(s_called, 3) : [],
        InboundNumbers = Chance(4) ? Some(s_numbers[..6], 3) : [],
        Extras = Chance(3) ? Conditions() : RuleExtras.None,
    };

    private RuleExtras Conditions()
    {
        RuleMatch.TryPattern("^acme$", out Regex? pattern, out _);
        return new RuleExtras { Match = new RuleMatch { Headers = [new HeaderMatch("X-Tenant", pattern!)], Percent = Chance(2) ? 50 : 100 } };
    }

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    private string Pick(string[] from) => from[_random.Next(from.Length)];

    private string[] Some(string[] from, int most) => [.. Enumerable.Range(0, _random.Next(most + 1)).Select(_ => Pick(from))];

    private static string Escape(string user) => user.Replace(" ", "%20", StringComparison.Ordinal);

    private static string Md5(string text) => Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(text)));
}
