using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using Proxy.Core.Memory;
using Proxy.Sip.Parsing;
using Proxy.Testing;
using Xunit;

namespace Proxy.Sip.Tests;

/// <summary>Corpora with random bytes changed, cut, doubled and spliced: nothing throws, nothing grows, nothing takes long.</summary>
public sealed class MutationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Endpoint_survives_mutated_messages(ulong seed)
    {
        byte[][] corpus = [.. new[] { "rfc4475", "rfc5118/wire", "invites" }.SelectMany(f => Directory.GetFiles(TestData.Path(f.Split('/')))).Where(f => !f.EndsWith(".json", StringComparison.Ordinal) && !f.EndsWith(".tsv", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
        var random = new SeededRandom(seed);
        using var side = new Sipside(seed: seed);
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < 5_000; i++)
        {
            byte[] message = Mutate(corpus, random);
            side.Receive(message, random.Next(3) switch { 0 => Sipside.Tcp, _ => Sipside.Udp });
            Walk(message);
            side.Sent.Clear();
            foreach ((_, SipEventKind kind, Proxy.Sip.Dialogs.SipDialog dialog, _, _) in side.Events.ToArray())
            {
                side.Do(now => _ = kind == SipEventKind.Invite && random.Next(2) == 0 ? dialog.Accept("v=0\r\n"u8, default, now) : dialog.Reject(486, default, default, now));
            }
            side.Events.Clear();
            if (i % 50 == 0)
            {
                side.Advance(random.Next(20_000));
            }
        }
        side.Advance(200_000);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"seed {seed}: {watch.Elapsed}");
        Assert.Equal(0, side.Endpoint.Counters.ServerTransactions);
        Assert.Equal(0, side.Endpoint.Counters.EventsDropped);
    }

    [Theory]
    [InlineData("Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n", 300, 513)]
    [InlineData("X-Y: z\r\n", 3000, 513)]
    public void Header_bombs_are_refused_fast(string line, int count, int status)
    {
        string message = Sipside.Invite(extra: string.Concat(Enumerable.Repeat(line, count)));
        using var side = new Sipside();
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < 50; i++)
        {
            side.Receive(message);
        }
        Assert.All(side.Statuses, s => Assert.Equal(status, s));
        Assert.True(watch.ElapsedMilliseconds < 50 * 20, $"{watch.ElapsedMilliseconds} ms");
    }

    [Fact]
    public void One_huge_header_and_too_many_folds_are_refused()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(extra: "X: " + new string('y', 60_000) + "\r\n"));
        side.Receive(Sipside.Invite(extra: "X: a" + string.Concat(Enumerable.Repeat("\r\n b", 200)) + "\r\n"));
        Assert.Equal([513, 513], side.Statuses);
    }

    /// <summary>Found by fuzz: 64 KiB of parameters in a Via were read several times over.</summary>
    [Fact]
    public void A_field_over_its_limit_is_not_looked_into()
    {
        byte[] message = Encoding.Latin1.GetBytes(Sipside.Invite().Replace(";branch=", string.Concat(Enumerable.Repeat(";a", 5_000)) + ";branch=", StringComparison.Ordinal));
        Assert.False(SipMessageView.TryParse(message, out SipMessageView view, out SipParseError error));
        Assert.Equal(SipParseError.HeaderTooLong, error);
        Assert.True(view.TopVia.Whole.IsEmpty);
    }

    private static byte[] Mutate(byte[][] corpus, SeededRandom random)
    {
        List<byte> message = [.. corpus[random.Next(corpus.Length)]];
        int changes = random.Next(6);
        for (int i = 0; i < changes && message.Count > 4; i++)
        {
            int at = random.Next(message.Count);
            int length = Math.Min(random.Next(40), message.Count - at);
            switch (random.Next(6))
            {
                case 0:
                    message[at] = (byte)random.Next(256);
                    break;
                case 1:
                    message.RemoveRange(at, length);
                    break;
                case 2:
                    message.InsertRange(at, message.GetRange(at, length));
                    break;
                case 3:
                    ReadOnlySpan<byte> marks = ";,:<>\"\\ \r\n\t\0@/=%?[]"u8;
                    message[at] = marks[random.Next(marks.Length)];
                    break;
                case 4:
                    byte[] other = corpus[random.Next(corpus.Length)];
                    message.InsertRange(at, other.Skip(random.Next(other.Length)).Take(length * 4));
                    break;
                default:
                    message.RemoveRange(at, message.Count - at);
                    break;
            }
        }
        return [.. message];
    }

    /// <summary>Reads everything a view offers, sound or not.</summary>
    private static void Walk(byte[] bytes)
    {
        SipMessageView.TryParse(bytes, out SipMessageView view, out _);
        view.TryGetSdp(out _);
        view.TryGetContact(out NameAddrView contact);
        SipUriView.TryParse(contact.Uri, out SipUriView uri);
        uri.TryGetParameter("transport"u8, out _);
        uri.UnescapeUser(stackalloc byte[256]);
        foreach (SipHeaderView header in view.Headers)
        {
            foreach (ReadOnlySpan<byte> value in new SipValueEnumerator(header.Value))
            {
                NameAddrView.TryParse(value, out _);
                ViaView.TryParse(value, out _);
                Sip.Auth.DigestCredentialsView.TryParse(value, out _);
                Sip.Auth.DigestChallengeView.TryParse(value, out _);
            }
        }
        var parts = new MultipartReader(view.ContentType, view.Body);
        while (parts.MoveNext())
        {
        }
    }
}
