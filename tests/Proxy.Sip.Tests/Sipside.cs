using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Sip;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;
using Proxy.Sip.Targets;

namespace Proxy.Sip.Tests;

/// <summary>One owner. An endpoint with virtual time and a peer that speaks plain text to it.</summary>
internal sealed class Sipside : IDisposable
{
    public static readonly NetEndPoint Peer = EndPoint("192.0.2.10:5062");
    private readonly byte[] _buffer = new byte[65_535];

    public Sipside(Func<SipEndpointOptions, SipEndpointOptions>? change = null, ulong seed = 1)
    {
        var options = new SipEndpointOptions
        {
            Listeners =
            [
                new SipListener(0, SipTransport.Udp, EndPoint("198.51.100.1:5060"), EndPoint("198.51.100.1:5060")),
                new SipListener(1, SipTransport.Tcp, EndPoint("198.51.100.1:5060"), EndPoint("198.51.100.1:5060")),
                new SipListener(2, SipTransport.Tls, EndPoint("198.51.100.1:5061"), EndPoint("198.51.100.1:5061")),
            ],
            Limits = new Limits { SipTransactions = 200, CallsMax = 100 },
        };
        Endpoint = new SipEndpoint(change is null ? options : change(options), new SeededRandom(seed));
    }

    public SipEndpoint Endpoint { get; }

    public MonoTime Now { get; private set; } = MonoTime.FromMillis(1_000_000);

    /// <summary>All that was sent: virtual time in milliseconds, destination, text.</summary>
    public List<(long At, SipFlow Flow, string Text)> Sent { get; } = [];

    public List<(long At, SipEventKind Kind, SipDialog Dialog, SipEvent Event, string Text)> Events { get; } = [];

    public static SipFlow Udp => new(SipTransport.Udp, 0, 0, Peer);

    public static SipFlow Tcp => new(SipTransport.Tcp, 1, 7, Peer);

    public string Last => Sent[^1].Text;

    public static NetEndPoint EndPoint(string text) => NetEndPoint.TryParse(text, out NetEndPoint e) ? e : throw new ArgumentException(text);

    public void Receive(string text, SipFlow? flow = null) => Receive(Encoding.Latin1.GetBytes(text.ReplaceLineEndings("\r\n")), flow);

    public void Receive(byte[] message, SipFlow? flow = null)
    {
        Endpoint.HandleMessage(message, flow ?? Udp, Now);
        Drain();
    }

    /// <summary>Lets time pass, deadline by deadline.</summary>
    public void Advance(long millis)
    {
        MonoTime end = Now.AddMillis(millis);
        while (Endpoint.NextDeadline <= end)
        {
            Now = Endpoint.NextDeadline > Now ? Endpoint.NextDeadline : Now;
            Endpoint.HandleTimeout(Now);
            Drain();
        }
        Now = end;
    }

    public void Drain()
    {
        while (Endpoint.TryPollEvent(out SipEvent e))
        {
            Events.Add((Now.Micros / 1000, e.Kind, e.Dialog, e, Encoding.Latin1.GetString(e.RequestBytes)));
        }
        while (Endpoint.TryPollSend(_buffer, out int length, out SipFlow flow))
        {
            Sent.Add((Now.Micros / 1000, flow, Encoding.Latin1.GetString(_buffer, 0, length)));
        }
    }

    /// <summary>Does something with the endpoint's objects and collects what follows.</summary>
    public void Do(Action<MonoTime> action)
    {
        action(Now);
        Drain();
    }

    public IEnumerable<string> StatusLines => Sent.Select(s => s.Text[..s.Text.IndexOf('\r')]);

    public int[] Statuses => [.. StatusLines.Where(l => l.StartsWith("SIP/2.0 ", StringComparison.Ordinal)).Select(l => int.Parse(l.AsSpan(8, 3)))];

    public SipEventKind[] Kinds => [.. Events.Select(e => e.Kind)];

    public static string Header(string message, string name)
    {
        foreach (string line in message.Split("\r\n"))
        {
            if (line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
            {
                return line[(name.Length + 1)..].Trim();
            }
        }
        return "";
    }

    public static string Invite(string branch = "z9hG4bKa1", string callId = "call-1@peer", string fromTag = "ft1", string toTag = "", int cseq = 1,
        string extra = "", string body = "v=0\r\n", string transport = "UDP", string contact = "<sip:alice@192.0.2.10:5062>", string method = "INVITE")
    {
        string type = body.Length > 0 && !extra.Contains("Content-Type", StringComparison.OrdinalIgnoreCase) ? "Content-Type: application/sdp\r\n" : "";
        string to = toTag.Length > 0 ? ";tag=" + toTag : "";
        return $"{method} sip:+15550100@198.51.100.1 SIP/2.0\r\nVia: SIP/2.0/{transport} 192.0.2.10:5062;rport;branch={branch}\r\nMax-Forwards: 70\r\n" +
            $"From: \"Alice\" <sip:+15550199@example.com>;tag={fromTag}\r\nTo: <sip:+15550100@198.51.100.1>{to}\r\nCall-ID: {callId}\r\nCSeq: {cseq} {method}\r\n" +
            $"Contact: {contact}\r\n{extra}{type}Content-Length: {body.Length}\r\n\r\n{body}";
    }

    public static string InDialog(string method, SipDialog dialog, int cseq, string branch, string extra = "", string body = "") =>
        Invite(branch, toTag: dialog.LocalTag, cseq: cseq, extra: extra, body: body, method: method);

    /// <summary>Names that the endpoint wants to be looked up.</summary>
    public List<TargetName> LookUps()
    {
        var names = new List<TargetName>();
        while (Endpoint.TryPollLookup(out TargetName? name))
        {
            names.Add(name);
        }
        return names;
    }

    /// <summary>An answer to a request of ours, with its Via, From, To, Call-ID and CSeq.</summary>
    public static string Answer(string request, string status, string extra = "", string body = "")
    {
        string copies = string.Concat(new[] { "Via", "From", "To", "Call-ID", "CSeq" }.Select(n => $"{n}: {Header(request, n)}\r\n"));
        return $"SIP/2.0 {status}\r\n{copies}{extra}Content-Length: {body.Length}\r\n\r\n{body}";
    }

    /// <summary>INVITE, 200, ACK; returns the confirmed dialog. Lists are cleared.</summary>
    public SipDialog Establish(SipFlow? flow = null, string extra = "", string callId = "call-1@peer")
    {
        Receive(Invite(callId == "call-1@peer" ? "z9hG4bKa1" : "z9hG4bKa" + callId, callId, extra: extra), flow);
        SipDialog dialog = Events[^1].Dialog;
        Do(now => Assert(dialog.Accept("v=0\r\n"u8, default, now)));
        Receive(Invite("z9hG4bKack" + callId, callId, toTag: dialog.LocalTag, method: "ACK", body: ""), flow);
        Sent.Clear();
        Events.Clear();
        return dialog;
    }

    public void Dispose() => Endpoint.Dispose();

    private static void Assert(bool isTrue) => Xunit.Assert.True(isTrue);
}
