using System;
using System.Buffers;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Proxy.Core;
using Proxy.Sip.Framing;
using Proxy.Testing;
using Xunit;

namespace Proxy.Sip.Tests.Framing;

/// <summary>The cases of tests/data/stream-framing; timeouts and half-closed sockets belong to the runtime's connection.</summary>
public sealed class SipStreamFramerTests
{
    private static readonly string s_options = Sipside.Invite(method: "OPTIONS", body: "", transport: "TCP").ReplaceLineEndings("\r\n");

    [Fact]
    public void Split_at_every_byte_gives_the_same_as_one_segment()
    {
        foreach (string name in (string[])["lwsdisp", "longreq", "esc01", "semiuri", "wsinv"])
        {
            byte[] message = TestData.Bytes("rfc4475", name + ".dat");
            (SipFrameVerdict Verdict, string Text)[] whole = Run([message]);
            Assert.Equal(whole, Run([.. message.Select(b => new[] { b })]));
            Assert.Equal(whole, RunSegmented(message));
            Assert.Equal(SipFrameVerdict.Message, whole[0].Verdict);
        }
    }

    [Fact]
    public void Two_messages_in_one_segment_are_two()
    {
        (SipFrameVerdict Verdict, string Text)[] frames = Run([Encoding.Latin1.GetBytes(s_options + s_options)]);
        Assert.Equal([(SipFrameVerdict.Message, s_options), (SipFrameVerdict.Message, s_options)], frames);
    }

    [Fact]
    public void Trailing_request_of_dblreq_is_a_message_of_its_own_on_a_stream() =>
        Assert.Equal([SipFrameVerdict.Message, SipFrameVerdict.Message], Run([TestData.Bytes("rfc4475", "dblreq.dat")]).Take(2).Select(f => f.Verdict));

    [Fact]
    public void Double_crlf_is_a_ping_ten_thousand_times()
    {
        (SipFrameVerdict Verdict, string Text)[] frames = Run([Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat("\r\n\r\n", 10_000)))]);
        Assert.Equal(10_000, frames.Length);
        Assert.All(frames, f => Assert.Equal(SipFrameVerdict.Ping, f.Verdict));
    }

    [Fact]
    public void Lone_crlf_before_a_message_is_ignored()
    {
        Assert.Equal([(SipFrameVerdict.Message, s_options)], Run([Encoding.Latin1.GetBytes("\r\n" + s_options)]));
        Assert.Equal([(SipFrameVerdict.Message, s_options)], Run([[.. "\r\n"u8], Encoding.Latin1.GetBytes(s_options)]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Content-Length: 99999999999999999999\r\n")]
    [InlineData("Content-Length: 4294967306\r\n")]
    [InlineData("Content-Length: +10\r\n")]
    [InlineData("Content-Length: -10\r\n")]
    [InlineData("Content-Length: 0x10\r\n")]
    [InlineData("Content-Length: 10, 10\r\n")]
    [InlineData("Content-Length: 10\r\nContent-Length: 11\r\n")]
    [InlineData("Content-Length: 10\r\nContent-Length: 10\r\n")]
    [InlineData("l: 0\r\nContent-Length: 10\r\n")]
    [InlineData("Content-Length:\r\n")]
    public void Bad_content_length_is_answered_with_400_and_closed(string line)
    {
        string message = s_options.Replace("Content-Length: 0\r\n", line, StringComparison.Ordinal) + "0123456789";
        (SipFrameVerdict Verdict, string Text)[] frames = Run([Encoding.Latin1.GetBytes(message)]);
        Assert.Equal(SipFrameVerdict.RefuseAndClose, frames[0].Verdict);
        using var side = new Sipside();
        side.Receive(Encoding.Latin1.GetBytes(frames[0].Text), Sipside.Tcp);
        Assert.Equal([400], side.Statuses);
        Assert.Equal(Sipside.Tcp, side.Sent[0].Flow);
    }

    [Fact]
    public void White_space_after_the_number_is_none_of_it()
    {
        string message = s_options.Replace("Content-Length: 0\r\n", "Content-Length: 10 \t\r\n", StringComparison.Ordinal) + "0123456789";
        Assert.Equal([(SipFrameVerdict.Message, message)], Run([Encoding.Latin1.GetBytes(message)]));
    }

    [Fact]
    public void Header_section_that_never_ends_is_refused_at_the_limit()
    {
        var framer = new SipStreamFramer(new Limits());
        byte[] begin = Encoding.Latin1.GetBytes("OPTIONS sip:a@b SIP/2.0\r\nX: " + new string('x', 60_000));
        Assert.Equal(SipFrameVerdict.NeedMore, framer.Next(new ReadOnlySequence<byte>(begin)).Verdict);
        Assert.True(framer.IsInMessage);
        byte[] more = [.. begin, .. new byte[6_000]];
        Assert.Equal(SipFrameVerdict.RefuseAndClose, framer.Next(new ReadOnlySequence<byte>(more)).Verdict);
    }

    [Fact]
    public void Body_that_does_not_come_keeps_the_message_open()
    {
        var framer = new SipStreamFramer(new Limits());
        byte[] begin = TestData.Bytes("rfc4475", "clerr.dat");
        Assert.Equal(SipFrameVerdict.NeedMore, framer.Next(new ReadOnlySequence<byte>(begin)).Verdict);
        Assert.True(framer.IsInMessage);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n")]
    [InlineData("\u0016\u0003\u0001\u0002\u0000\u0001")]
    [InlineData("\u0000\u0001\u0000\u0000")]
    public void What_is_no_sip_is_closed_without_a_word(string text) =>
        Assert.Equal([SipFrameVerdict.Close], Run([Encoding.Latin1.GetBytes(text)]).Select(f => f.Verdict));

    [Fact]
    public void Idle_connection_is_not_in_a_message()
    {
        var framer = new SipStreamFramer(new Limits());
        Assert.Equal(SipFrameVerdict.NeedMore, framer.Next(ReadOnlySequence<byte>.Empty).Verdict);
        Assert.False(framer.IsInMessage);
    }

    /// <summary>Feeds segments as a pipe would: what is not consumed stays in front of the next.</summary>
    private static (SipFrameVerdict Verdict, string Text)[] Run(byte[][] segments)
    {
        var framer = new SipStreamFramer(new Limits());
        var frames = new List<(SipFrameVerdict, string)>();
        byte[] rest = [];
        foreach (byte[] segment in segments)
        {
            rest = [.. rest, .. segment];
            rest = Drain(framer, new ReadOnlySequence<byte>(rest), frames);
        }
        return [.. frames];
    }

    private static byte[] Drain(SipStreamFramer framer, ReadOnlySequence<byte> stream, List<(SipFrameVerdict, string)> frames)
    {
        while (true)
        {
            SipFrame frame = framer.Next(in stream);
            if (frame.Verdict != SipFrameVerdict.NeedMore)
            {
                frames.Add((frame.Verdict, Encoding.Latin1.GetString(stream.Slice(frame.Skipped, frame.Consumed - frame.Skipped).ToArray())));
            }
            stream = stream.Slice(frame.Consumed);
            if (frame.Verdict is SipFrameVerdict.NeedMore or SipFrameVerdict.Close or SipFrameVerdict.RefuseAndClose)
            {
                return stream.ToArray();
            }
        }
    }

    private static (SipFrameVerdict Verdict, string Text)[] RunSegmented(byte[] message)
    {
        var frames = new List<(SipFrameVerdict, string)>();
        Piece first = new(message.AsMemory(0, 1), 0);
        Piece last = first;
        for (int i = 1; i < message.Length; i++)
        {
            last = last.Append(message.AsMemory(i, 1));
        }
        Drain(new SipStreamFramer(new Limits()), new ReadOnlySequence<byte>(first, 0, last, 1), frames);
        return [.. frames];
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        public Piece Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
