using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using Proxy.DevRoom.Signal;
using Xunit;

namespace Proxy.DevRoom.Tests.Signal;

public sealed class NegotiationTests
{
    /// <summary>Every way in which our answers may differ from the stock server's, and why it does no harm.</summary>
    private static readonly (string Kind, Regex Line, string Why)[] s_allowed =
    [
        ("own numbers", new Regex("^o="), "session id and version are the answerer's own"),
        ("ice-lite", new Regex("^a=ice-lite$"), "we are an ICE-lite agent; RFC 8445 §6.1.1 makes the client controlling, which it is with the stock server too"),
        ("candidates", new Regex("^a=(candidate:|end-of-candidates)"), "our own address; component 2 is left out because rtcp-mux is mandatory here"),
        ("red", new Regex("^a=(rtpmap:63 red|fmtp:63 )"), "RED is not negotiated, so publishers send plain Opus and no one has to unwrap it"),
        ("formats without red", new Regex("^m=audio .*"), "the same formats less RED; checked apart"),
        ("nack", new Regex("^a=rtcp-fb:"), "no retransmission of audio; receivers conceal"),
        ("capture time", new Regex(@"^a=extmap:\d+ http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"), "forwarded packets carry no header extensions, the stock server's do not either"),
        ("video", new Regex("^m=video "), "video is not forwarded: such sections keep their place and are inactive"),
    ];

    public static TheoryData<string> Files() => [.. StockExchange.FromFiles().Select(exchange => exchange.Name)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Answer_to_a_captured_offer_says_what_the_stock_server_said(string name)
    {
        StockExchange exchange = StockExchange.FromFiles().Single(candidate => candidate.Name == name);
        if (name is "server-without-g711" or "server-without-g711-pcmu-only-offer")
        {
            return; // Another server configuration: ours always has G.711.
        }
        if (name == "FAIL-no-direction-attribute")
        {
            Assert.Contains("a=mid:0\r\n", Replay(exchange)[0].Ours, StringComparison.Ordinal);
            return; // The stock server drops the section, which breaks RFC 3264 §6; we answer it inactive: the track stays silent all the same.
        }
        AssertSame(exchange);
    }

    [Theory]
    [InlineData("lean-v1")]
    [InlineData("rtcnode-v1")]
    [InlineData("chromium-v1")]
    [InlineData("gosdk-v1")]
    public void Answers_of_a_captured_conversation_say_what_the_stock_server_said(string client) => AssertSame(StockExchange.FromSignalling(client));

    private static List<(string Ours, string Stock)> Replay(StockExchange exchange)
    {
        AnswerReplay replay = new();
        return [.. exchange.Steps.Select(step => (replay.Step(step.Offer, step.Answer, step.Map).Sdp, step.Answer))];
    }

    private static void AssertSame(StockExchange exchange)
    {
        Assert.NotEmpty(exchange.Steps);
        int number = 0;
        foreach ((string ours, string stock) in Replay(exchange))
        {
            number++;
            string[] ourSections = Sections(ours);
            string[] stockSections = Sections(stock);
            Assert.Equal(stockSections.Length, ourSections.Length);
            for (int i = 0; i < ourSections.Length; i++)
            {
                if (ourSections[i].StartsWith("m=video", StringComparison.Ordinal))
                {
                    Assert.Contains("a=inactive", ourSections[i], StringComparison.Ordinal);
                    continue;
                }
                Assert.Equal(Formats(stockSections[i]), Formats(ourSections[i]));
                string[] unexplained = [.. Difference(ourSections[i], stockSections[i]).Where(line => !s_allowed.Any(rule => rule.Line.IsMatch(line[2..])))];
                Assert.True(unexplained.Length == 0, $"{exchange.Name} answer {number} section {i}:\n{string.Join('\n', unexplained)}");
            }
        }
    }

    private static string[] Sections(string sdp) => Regex.Split(sdp.Replace("\r\n", "\n", StringComparison.Ordinal), "(?=^m=)", RegexOptions.Multiline);

    private static string Formats(string section)
    {
        Match media = Regex.Match(section, "^m=audio \\d+ \\S+ (.*)$", RegexOptions.Multiline);
        bool hasRed = section.Contains("rtpmap:63 red", StringComparison.Ordinal);
        return string.Join(' ', media.Groups[1].Value.Split(' ').Where(format => !(hasRed && format == "63")));
    }

    private static IEnumerable<string> Difference(string ours, string stock)
    {
        List<string> left = [.. Normal(ours)];
        List<string> right = [.. Normal(stock)];
        foreach (string line in left.ToArray())
        {
            if (right.Remove(line))
            {
                left.Remove(line);
            }
        }
        return left.Select(line => "+ " + line).Concat(right.Select(line => "- " + line));
    }

    private static IEnumerable<string> Normal(string section)
    {
        foreach (string line in section.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string text = Regex.Replace(line, "PA_\\w+", "PA");
            text = Regex.Replace(text, "^a=ssrc:\\d+", "a=ssrc:N");
            text = Regex.Replace(text, "^a=ice-(ufrag|pwd):.*", "a=ice-$1:X");
            yield return Regex.Replace(text, "^a=fingerprint:.*", "a=fingerprint:X");
        }
    }
}
