using System;
using System.Collections.Generic;
using System.IO;
using Proxy.Core.Memory;
using Proxy.Testing;
using Xunit;

namespace Proxy.Sdp.Tests;

public sealed class MutatedOfferTests
{
    private const int Rounds = 4_000;

    [Theory]
    [InlineData(1)]
    [InlineData(20261122)]
    public void Mutated_offer_never_throws_and_gets_a_valid_answer_or_none(int seed)
    {
        SeededRandom random = new((ulong)seed);
        List<byte[]> corpus = Corpus();
        int answered = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] first = Mutate(corpus[random.Next(corpus.Count)], random);
            byte[] second = Mutate(corpus[random.Next(corpus.Count)], random);
            Leg leg = new(c => c with { Srtp = (SrtpPolicy)random.Next(3), PreferTheirOrder = random.Next(2) == 0 }, (ulong)round);
            foreach (byte[] offer in new[] { first, second })
            {
                leg.Answer(offer);
                SdpCorpusTests.AssertValidAnswer(offer, leg);
                answered += leg.Audio is null ? 0 : 1;
            }
            leg.Offer();
            leg.Take(System.Text.Encoding.Latin1.GetString(second));
        }
        Assert.True(answered > Rounds / 4, "seed " + seed + ": " + answered);
    }

    private static List<byte[]> Corpus()
    {
        List<byte[]> all = [];
        foreach (string path in Directory.GetFiles(TestData.Path("sdp"), "*.sdp"))
        {
            all.Add(File.ReadAllBytes(path));
        }
        foreach (string path in Directory.GetFiles(TestData.Path("invites"), "*.sip"))
        {
            all.Add(SdpCorpusTests.SdpOf(File.ReadAllBytes(path)));
        }
        return all;
    }

    private static byte[] Mutate(byte[] source, SeededRandom random)
    {
        List<byte> text = [.. source];
        for (int i = random.Next(6); i > 0 && text.Count > 4; i--)
        {
            int at = random.Next(text.Count);
            switch (random.Next(6))
            {
                case 0:
                    text[at] = (byte)random.Next();
                    break;
                case 1:
                    text.RemoveAt(at);
                    break;
                case 2:
                    text.Insert(at, (byte)" \r\n:/=0m|a9-"[random.Next(12)]);
                    break;
                case 3:
                    text.RemoveRange(at, Math.Min(random.Next(40), text.Count - at));
                    break;
                case 4:
                    text.InsertRange(at, text.GetRange(at, Math.Min(random.Next(60), text.Count - at)));
                    break;
                default:
                    text.AddRange("m=audio 4000 RTP/AVP 8 0\r\na=inactive\r\n"u8.ToArray());
                    break;
            }
        }
        return [.. text];
    }
}
