using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Sip;
using Proxy.Sip.Auth;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Framing;
using Proxy.Sip.Parsing;
using Proxy.Testing;

namespace Proxy.Fuzz.Targets;

internal static class SipTargets
{
    private static readonly NetEndPoint s_here = NetEndPoint.TryParse("198.51.100.1:5060", out NetEndPoint e) ? e : default;
    private static readonly NetEndPoint s_peer = NetEndPoint.TryParse("192.0.2.10:5062", out NetEndPoint e) ? e : default;

    /// <summary>The message as a whole: start line, headers, the fields that every message has, the SDP in it.</summary>
    public static Target Message() => new("sip-message", ReadMessage, Messages(), Words.Sip);

    /// <summary>Every header's value through every typed reader, whether it belongs there or not.</summary>
    public static Target Fields() => new("sip-fields", ReadFields, Messages(), Words.Sip) { LongestInput = 8_192 };

    /// <summary>The messages that a stream holds do not depend on how it was cut into segments.</summary>
    /// <remarks>Two framers, and a chain of segments of a few bytes that .NET walks on each slice: most of the time is the harness's.</remarks>
    public static Target Stream() => new("sip-stream", CompareCuts, Streams(), Words.Sip)
    {
        AllocatesAtMost = 1_000_000,
        AllocatesPerByte = 400,
        LongestInput = 4_096,
        TimePer64K = TimeSpan.FromMilliseconds(100),
    };

    /// <summary>Up to eight messages to one endpoint that accepts every call.</summary>
    public static Target Endpoint() => new("sip-endpoint", Talk, Talks(), Words.Sip) { AllocatesAtMost = 1_000_000, AllocatesPerByte = 16, LongestInput = 16_384 };

    private static IEnumerable<byte[]> Messages() =>
        Directory.GetFiles(TestData.Path("invites"), "*.sip").Order().Concat(Directory.GetFiles(TestData.Path("rfc4475"), "*.dat").Order())
            .Concat(Directory.GetFiles(TestData.Path("rfc5118", "wire"), "*.dat").Order()).Select(File.ReadAllBytes);

    private static void ReadMessage(byte[] input)
    {
        FirstBytes.Classify(input);
        if (!SipMessageView.TryParse(input, out SipMessageView view, out _))
        {
            return;
        }
        _ = view.From.Tag.Length + view.To.Tag.Length + view.TopVia.Branch.Length + view.TopVia.Received.Length + (view.TopVia.HasRport ? 1 : 0);
        _ = view.CSeq.Number + (uint)view.MaxForwards + (uint)view.Method;
        view.TryGetContact(out _);
        view.TryGetSdp(out _);
        view.TryGetHeader("x-none"u8, out _);
        view.ListContains(SipHeaderId.Supported, "timer"u8);
        view.ListContains(SipHeaderId.Require, "100rel"u8);
        foreach (SipHeaderView header in view.Headers)
        {
            view.Has(header.Id);
        }
        MultipartReader parts = new(view.ContentType, view.Body);
        while (parts.MoveNext())
        {
            MediaType.Is(parts.ContentType, "application/sdp"u8);
        }
    }

    private static void ReadFields(byte[] input)
    {
        if (!SipMessageView.TryParse(input, out SipMessageView view, out _))
        {
            ReadValue(input);
            return;
        }
        ReadUri(view.RequestUri);
        foreach (SipHeaderView header in view.Headers)
        {
            ReadValue(header.Value);
        }
    }

    private static void ReadValue(ReadOnlySpan<byte> value)
    {
        CSeqView.TryParse(value, out _);
        DigestCredentialsView.TryParse(value, out _);
        DigestChallengeView.TryParse(value, out _);
        ReplacesView.TryParse(value, out _);
        SipFragment.Status(value);
        _ = SipFragment.Reason(value).Length;
        MediaType.Accepts(value, "application/sdp"u8);
        SipParameters.IsValid(value);
        int count = 0;
        foreach (ReadOnlySpan<byte> item in new SipValueEnumerator(value))
        {
            if (++count > 64)
            {
                break;
            }
            if (ViaView.TryParse(item, out ViaView via))
            {
                _ = via.Branch.Length + via.Received.Length + via.Port + (via.HasRport ? 1 : 0);
            }
            if (NameAddrView.TryParse(item, out NameAddrView address))
            {
                _ = address.Tag.Length + address.DisplayName.Length;
                ReadUri(address.Uri);
            }
        }
    }

    private static void ReadUri(ReadOnlySpan<byte> text)
    {
        SipUriView.SchemeOf(text);
        if (SipUriView.TryParse(text, out SipUriView uri))
        {
            Span<byte> user = stackalloc byte[256];
            uri.UnescapeUser(user);
            uri.TryGetParameter("transport"u8, out _);
            _ = NetAddress.TryParse(uri.Host, out _);
        }
    }

    private static IEnumerable<byte[]> Streams()
    {
        byte[][] whole = [.. Messages().Where(m => m.Length < 2_000)];
        for (int i = 0; i + 2 < whole.Length; i += 3)
        {
            yield return [3, .. whole[i], .. "\r\n\r\n"u8, .. whole[i + 1], .. "\r\n"u8, .. whole[i + 2]];
        }
    }

    private static void CompareCuts(byte[] input)
    {
        if (input.Length < 2)
        {
            return;
        }
        byte[] stream = input[1..];
        List<string> one = Frames(stream, stream.Length);
        List<string> many = Frames(stream, 1 + (input[0] % 64));
        if (!one.SequenceEqual(many))
        {
            throw new InvalidOperationException($"{one.Count} frames of one segment, {many.Count} of many");
        }
    }

    /// <summary>What the stream holds when it comes in segments of that length.</summary>
    private static List<string> Frames(byte[] stream, int segment)
    {
        SipStreamFramer framer = new(new Limits { SipMessageBytes = 4_096 });
        ReadOnlySequence<byte> whole = Cut(stream, segment);
        List<string> frames = [];
        int start = 0;
        int end = 0;
        while (end < stream.Length)
        {
            end = Math.Min(stream.Length, end + segment);
            while (true)
            {
                SipFrame frame = framer.Next(whole.Slice(start, end - start));
                int from = start + (int)frame.Skipped;
                start += (int)frame.Consumed;
                if (start > end)
                {
                    throw new InvalidOperationException("a frame is longer than what was read");
                }
                if (frame.Verdict == SipFrameVerdict.NeedMore)
                {
                    break;
                }
                if (frame.Verdict is SipFrameVerdict.Close or SipFrameVerdict.RefuseAndClose)
                {
                    frames.Add("closed");
                    return frames;
                }
                frames.Add(frame.Verdict + Convert.ToHexString(stream.AsSpan(from, start - from)));
            }
        }
        return frames;
    }

    private static ReadOnlySequence<byte> Cut(ReadOnlyMemory<byte> bytes, int segment)
    {
        if (bytes.Length <= segment)
        {
            return new ReadOnlySequence<byte>(bytes);
        }
        Segment first = new(bytes[..segment], 0);
        Segment last = first;
        for (int at = segment; at < bytes.Length; at += segment)
        {
            last = last.Append(bytes.Slice(at, Math.Min(segment, bytes.Length - at)));
        }
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private static IEnumerable<byte[]> Talks()
    {
        byte[] invite = Request("INVITE", 1, "z9hG4bKa", "");
        yield return Pieces.Join(invite, Request("ACK", 1, "z9hG4bKb", ";tag=x"), Request("BYE", 2, "z9hG4bKc", ";tag=x"));
        yield return Pieces.Join(invite, invite, Request("CANCEL", 1, "z9hG4bKa", ""));
        yield return Pieces.Join(Request("OPTIONS", 1, "z9hG4bKa", ""), Request("REGISTER", 1, "z9hG4bKb", ""));
        yield return Pieces.Join(invite, Request("UPDATE", 2, "z9hG4bKd", ";tag=x"), Request("PRACK", 3, "z9hG4bKe", ";tag=x"), Request("INFO", 4, "z9hG4bKf", ";tag=x"));
        byte[] early = Request("INVITE", 1, "z9hG4bKa", "", "Require: 100rel\r\n", "v=0\r\n");
        byte[] late = Request("INVITE", 1, "z9hG4bKa", "", "Require: 100rel\r\n");
        byte[] update = Request("UPDATE", 3, "z9hG4bKd", ";tag=x", "", "v=0\r\n");
        foreach (byte[] prack in new[] { Request("PRACK", 2, "z9hG4bKe", ";tag=x", "RAck: x 1 INVITE\r\n"), Request("PRACK", 2, "z9hG4bKe", ";tag=x", "RAck: x 1 INVITE\r\n", "v=0\r\n") })
        {
            yield return Pieces.Join(early, prack, update, Request("UPDATE", 4, "z9hG4bKf", ";tag=x"), Request("ACK", 1, "z9hG4bKg", ";tag=x"));
            yield return Pieces.Join(late, update, prack, prack, Request("CANCEL", 1, "z9hG4bKa", ""));
        }
        foreach (byte[] message in Messages())
        {
            yield return Pieces.Join(message, message);
        }
    }

    private static byte[] Request(string method, int cseq, string branch, string toTag, string extra = "", string body = "") => Encoding.ASCII.GetBytes(
        $"{method} sip:+15550100@198.51.100.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5062;rport;branch={branch}\r\nMax-Forwards: 70\r\n" +
        $"From: \"Alice\" <sip:+15550199@example.com>;tag=f1\r\nTo: <sip:+15550100@198.51.100.1>{toTag}\r\nCall-ID: call-1@peer\r\nCSeq: {cseq} {method}\r\n" +
        "Contact: <sip:alice@192.0.2.10:5062>\r\nSupported: timer, 100rel\r\n" +
        $"{extra}{(body.Length > 0 ? "Content-Type: application/sdp\r\n" : "")}Content-Length: {body.Length}\r\n\r\n{body}");

    private static readonly byte[] s_out = new byte[65_535];

    private static void Talk(byte[] input)
    {
        SipEndpointOptions options = new()
        {
            Listeners = [new SipListener(0, SipTransport.Udp, s_here, s_here)],
            Limits = new Limits { SipTransactions = 16, CallsMax = 4 },
        };
        using SipEndpoint endpoint = new(options, new SeededRandom(1));
        SipFlow flow = new(SipTransport.Udp, 0, 0, s_peer);
        MonoTime now = MonoTime.FromMillis(1_000);
        string tag = "";
        string rseq = "";
        SipDialog? ringing = null;
        int ringsFor = 0;
        foreach (byte[] piece in Pieces.Cut(input, 8_192).Take(8))
        {
            // The tag of ours and the RSeq cannot be guessed: x stands for them.
            byte[] message = tag.Length == 0 ? piece : Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(piece)
                .Replace(";tag=x", ";tag=" + tag, StringComparison.Ordinal).Replace("RAck: x", "RAck: " + rseq, StringComparison.Ordinal));
            endpoint.HandleMessage(message, in flow, now);
            while (endpoint.TryPollEvent(out SipEvent e))
            {
                if (e.Kind == SipEventKind.Invite && e.Dialog is { } dialog)
                {
                    tag = dialog.LocalTag;
                    if (dialog.Ring(now, "v=0\r\n"u8) && message.AsSpan().IndexOf("Require: 100rel"u8) >= 0)
                    {
                        dialog.Progress("v=0\r\n"u8, now);
                        (ringing, ringsFor) = (dialog, 4);
                    }
                    else
                    {
                        dialog.Accept("v=0\r\n"u8, default, now);
                    }
                }
                else if (!e.Request.IsNone)
                {
                    e.Dialog.Respond(e.Request, message.Length % 3 == 0 && e.Kind != SipEventKind.Prack ? 488 : 200, "v=0\r\n"u8, default, now);
                }
            }
            if (ringing is not null && --ringsFor == 0)
            {
                ringing.Accept("v=0\r\n"u8, default, now);
            }
            Drain(endpoint, ref rseq);
            now = now.AddMillis(300);
            if (endpoint.NextDeadline <= now)
            {
                endpoint.HandleTimeout(now);
                Drain(endpoint, ref rseq);
            }
        }
    }

    private static void Drain(SipEndpoint endpoint, ref string rseq)
    {
        for (int i = 0; endpoint.TryPollSend(s_out, out int length, out _); i++)
        {
            int at = s_out.AsSpan(0, length).IndexOf("\r\nRSeq: "u8);
            if (at >= 0)
            {
                ReadOnlySpan<byte> value = s_out.AsSpan(at + 8, length - at - 8);
                rseq = Encoding.Latin1.GetString(value[..value.IndexOf((byte)'\r')]);
            }
            if (i > 1_000)
            {
                throw new InvalidOperationException("one message makes a thousand");
            }
        }
    }

    /// <summary>One owner. A segment of a stream.</summary>
    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            Segment next = new(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
