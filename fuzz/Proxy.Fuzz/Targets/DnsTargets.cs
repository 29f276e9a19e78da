using System;
using System.Collections.Generic;
using Proxy.Core.Memory;
using Proxy.Sip.Targets;

namespace Proxy.Fuzz.Targets;

internal static class DnsTargets
{
    private static readonly DnsQuestion[] s_questions =
        [new(DnsKind.Srv, "_sip._udp.example.com"), new(DnsKind.Naptr, "example.com"), new(DnsKind.A, "a.example.com"), new(DnsKind.Aaaa, "a.example.com")];

    /// <summary>Pointers to the question's name and into it, types with class IN, labels.</summary>
    private static readonly byte[][] s_words =
    [
        [0xC0, 12], [0xC0, 14], [0xC0, 30], [0, 1, 0, 1], [0, 5, 0, 1], [0, 6, 0, 1], [0, 28, 0, 1], [0, 33, 0, 1], [0, 35, 0, 1], [0, 0, 0, 60], [0x80, 0, 0, 0],
        [4, .. "_sip"u8], [7, .. "example"u8], [3, .. "com"u8, 0], [7, .. "SIP+D2U"u8], [63], [0xFF, 0xFF],
    ];

    /// <summary>
    /// What a DNS server may say: the first byte chooses the question, which is put before the rest, so that every input gets as far as the records. What is
    /// read goes on into a search, which must end.
    /// </summary>
    /// <remarks>64 records of two names of 255 characters each, which pointers make of a few bytes.</remarks>
    public static Target Answer() => new("dns-answer", Read, Answers(), s_words) { AllocatesAtMost = 131_072, AllocatesPerByte = 16, LongestInput = 16_384 };

    private static IEnumerable<byte[]> Answers()
    {
        byte[] a = [0, 0, 1, 0, 0, 0, 0, 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1];
        byte[] server = [0, 0, 1, 0, 0, 0, 0, 0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 10, 0, 10, 0, 20, 19, 0xC4, 1, (byte)'a', 0xC0, 22];
        byte[] service = [0, 0, 1, 0, 0, 0, 0, 0xC0, 12, 0, 35, 0, 1, 0, 0, 0, 60, 0, 24, 0, 10, 0, 20, 1, (byte)'s', 7, .. "SIP+D2U"u8, 0, 4, .. "_sip"u8, 4, .. "_udp"u8, 0xC0, 12];
        byte[] alias = [0, 0, 2, 0, 0, 0, 0, 0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, (byte)'b', 0xC0, 14, 0xC0, 43, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1];
        byte[] none = [0, 0, 0, 0, 1, 0, 0, 0xC0, 14, 0, 6, 0, 1, 0, 0, 3, 0x84, 0, 24, 0xC0, 14, 0xC0, 14, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 30];
        yield return [2, .. a];
        yield return [0, .. server];
        yield return [1, .. service];
        yield return [2, .. alias];
        yield return [2, .. none];
    }

    /// <param name="input">Question, code of the answer, its counts of records (answers, authorities, additional), the records.</param>
    private static void Read(byte[] input)
    {
        if (input.Length < 8)
        {
            DnsMessage.Read(input, 7, s_questions[0], out _);
            return;
        }
        DnsQuestion question = s_questions[input[0] & 3];
        byte[] message = new byte[DnsMessage.QuestionBytesMax + input.Length];
        int length = DnsMessage.Write(message, 7, question) - 11;
        (message[2], message[3]) = (0x81, (byte)(0x80 | (input[1] & 0x0F)));
        input.AsSpan(2, 6).CopyTo(message.AsSpan(6));
        input.AsSpan(8).CopyTo(message.AsSpan(length));
        DnsVerdict verdict = DnsMessage.Read(message.AsSpan(0, length + input.Length - 8), 7, question, out DnsAnswer? answer);
        if ((verdict == DnsVerdict.Answer) != (answer is not null))
        {
            throw new InvalidOperationException($"{verdict} with {(answer is null ? "no answer" : "an answer")}");
        }
        if (answer is not null)
        {
            Search(answer);
        }
    }

    /// <summary>A zone that answers every question alike.</summary>
    private static void Search(DnsAnswer answer)
    {
        var search = new TargetSearch(new TargetName("example.com", 0, null), wantsV6: true, new SeededRandom(1));
        for (int asked = 0; search.TryNext(out DnsQuestion? question); asked++)
        {
            if (asked > 64)
            {
                throw new InvalidOperationException("the search never ends");
            }
            search.Take(answer with { Records = Array.FindAll(answer.Records, r => r.Kind == question.Kind) });
        }
        _ = search.Result.Targets.Length;
    }
}
