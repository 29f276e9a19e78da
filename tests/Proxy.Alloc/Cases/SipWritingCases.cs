using System;
using System.Text;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Rigs;
using Proxy.Sip;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Guarding;
using Proxy.Sip.Parsing;
using Proxy.Sip.Transactions;
using Proxy.Sip.Writing;
using static Proxy.Alloc.CaseList;

namespace Proxy.Alloc.Cases;

/// <summary>SIP writers, buffers and the endpoint's answers to what it knows already.</summary>
internal static class SipWritingCases
{
    private static readonly NetEndPoint s_here = CallRig.EndPoint("198.51.100.1:5060");
    private static readonly SipFlow s_flow = new(SipTransport.Udp, 0, 0, CallRig.EndPoint("192.0.2.10:5062"));

    public static void Add(CaseList list)
    {
        AddWriters(list);
        AddBuffers(list);
        AddEndpoint(list);
        AddGuard(list);
    }

    private static void AddWriters(CaseList list)
    {
        byte[] buffer = new byte[4_096];
        byte[] invite = Request("INVITE", 1, "z9hG4bKa", "");
        byte[] refused = Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(invite).Replace(
            "INVITE sip:+15550100@198.51.100.1 SIP/2.0", "SIP/2.0 486 Busy Here", StringComparison.Ordinal));
        list.Add(nameof(SipWriter), nameof(SipWriter.Add), () =>
        {
            SipWriter writer = new(buffer);
            writer.Add("a"u8);
            writer.AddValue("b\r\nc"u8);
            writer.AddField("Server"u8, "siproom"u8);
            writer.AddNumber(4_294_967_295);
            writer.AddHost(s_here.Address);
            writer.AddHostPort(s_here);
            writer.AddBody("application/sdp"u8, "v=0\r\n"u8);
            Must(!writer.IsFull);
        }).Also(nameof(SipWriter), nameof(SipWriter.AddValue)).Also(nameof(SipWriter), nameof(SipWriter.AddField)).Also(nameof(SipWriter), nameof(SipWriter.AddNumber))
            .Also(nameof(SipWriter), nameof(SipWriter.AddHost)).Also(nameof(SipWriter), nameof(SipWriter.AddHostPort)).Also(nameof(SipWriter), nameof(SipWriter.AddBody));
        list.Add(nameof(ResponseWriter), nameof(ResponseWriter.Write), () =>
        {
            Must(SipMessageView.TryParse(invite, out SipMessageView view, out _));
            ResponseParts parts = new() { Status = 200, ToTag = "t"u8, Contact = "<sip:a@b>"u8, HasAllow = true, HasRecordRoute = true, HasSupported = true, Server = "siproom"u8, Body = "v=0\r\n"u8, ContentType = "application/sdp"u8 };
            Must(ResponseWriter.Write(buffer, view, s_flow.Remote, parts) > 0);
        });
        list.Add(nameof(RequestWriter), nameof(RequestWriter.Write), () =>
        {
            RequestParts parts = new()
            {
                Method = "BYE"u8,
                RemoteTarget = "sip:a@192.0.2.10"u8,
                RouteSet = "<sip:p1;lr>, <sip:p2>"u8,
                SentBy = s_here,
                Branch = "z9hG4bKb"u8,
                From = "<sip:b@c>;tag=1"u8,
                To = "<sip:a@b>;tag=2"u8,
                CallId = "x"u8,
                CSeq = 1,
            };
            Must(RequestWriter.Write(buffer, parts) > 0);
            Must(RequestWriter.NextHop("<sip:p1;lr>"u8, "sip:a@b"u8).Length > 0);
        }).Also(nameof(RequestWriter), nameof(RequestWriter.NextHop));
        list.Add(nameof(RequestWriter), nameof(RequestWriter.WriteAckOfFailure), () =>
        {
            Must(SipMessageView.TryParse(invite, out SipMessageView sent, out _) && SipMessageView.TryParse(refused, out SipMessageView got, out _)
                && RequestWriter.WriteAckOfFailure(buffer, sent, got) > 0);
        });
        list.Add(nameof(ResponseRoute), nameof(ResponseRoute.Of), () =>
        {
            Must(ViaView.TryParse("SIP/2.0/UDP 192.0.2.10:5070;branch=z9hG4bKa"u8, out ViaView via));
            Must(ResponseRoute.Of(via, s_flow).Remote.Port == 5070 && ResponseRoute.WithoutConnection(via, s_flow).Connection == 0);
        }).Also(nameof(ResponseRoute), nameof(ResponseRoute.WithoutConnection));
        list.Add(nameof(AddressKind), nameof(AddressKind.IsUnicast), () => Must(AddressKind.IsUnicast(s_here.Address) && !AddressKind.IsPrivate(s_here.Address)))
            .Also(nameof(AddressKind), nameof(AddressKind.IsPrivate));
    }

    private static void AddBuffers(CaseList list)
    {
        byte[] message = new byte[900];
        byte[] buffer = new byte[65_535];
        MessagePool pool = new(new Limits());
        list.Add(nameof(MessagePool), nameof(MessagePool.TryRent), () =>
        {
            int rented = pool.TryRent(3_000);
            pool.Bytes(rented)[0] = 1;
            int copied = pool.TryCopy(message);
            pool.AddReference(copied);
            pool.Release(copied);
            pool.Release(copied);
            pool.Release(rented);
            Must(pool.Rented == 0);
        }).Also(nameof(MessagePool), nameof(MessagePool.TryCopy)).Also(nameof(MessagePool), nameof(MessagePool.Bytes))
            .Also(nameof(MessagePool), nameof(MessagePool.AddReference)).Also(nameof(MessagePool), nameof(MessagePool.Release));
        SendQueue sends = new(pool, Options());
        SipCounters counters = default;
        list.Add(nameof(SendQueue), nameof(SendQueue.TryAdd), () =>
        {
            int copied = pool.TryCopy(message);
            Must(sends.TryAdd(copied, s_flow, ref counters));
            Must(sends.TryTake(buffer, out int length, out _) && length == message.Length);
            pool.Release(copied);
        }).Also(nameof(SendQueue), nameof(SendQueue.TryTake));
        BoundedQueue<long> queue = new(16);
        list.Add(nameof(BoundedQueue<long>), nameof(BoundedQueue<long>.TryAdd), () =>
        {
            while (queue.TryAdd(7))
            {
            }
            while (queue.TryTake(out _))
            {
            }
        }).Also(nameof(BoundedQueue<long>), nameof(BoundedQueue<long>.TryTake));
        KeyedHash hash = new(new SeededRandom(1));
        list.Add(nameof(KeyedHash), nameof(KeyedHash.Begin), () =>
        {
            KeyedHash.Sum sum = hash.Begin();
            sum.Add(message);
            Must(sum.Finish() != 0);
        });
    }

    /// <summary>What a peer repeats is answered from memory: the endpoint looks its transaction and dialog up.</summary>
    private static void AddEndpoint(CaseList list)
    {
        byte[] buffer = new byte[65_535];
        SipEndpoint endpoint = new(Options(), new SeededRandom(1));
        MonoTime now = MonoTime.FromMillis(1_000);
        byte[] invite = Request("INVITE", 1, "z9hG4bKa", "");
        endpoint.HandleMessage(invite, s_flow, now);
        SipDialog dialog = Event(endpoint).Dialog;
        dialog.Accept("v=0\r\n"u8, default, now);
        byte[] ack = Request("ACK", 1, "z9hG4bKack", dialog.LocalTag);
        endpoint.HandleMessage(ack, s_flow, now);
        while (endpoint.TryPollEvent(out _))
        {
        }
        Drain(endpoint, buffer);
        list.Add(nameof(SipEndpoint), nameof(SipEndpoint.TryPollSend), () =>
        {
            endpoint.HandleMessage(invite, s_flow, now);
            Drain(endpoint, buffer);
        }).Also("ServerTransactions", "TryFind").Also("ServerTransactions", "KeyOf");
        list.Add("DialogTable", "TryFind", () => endpoint.HandleMessage(ack, s_flow, now));

        SipCore core = new(Options(), new SeededRandom(1));
        list.Add(nameof(ServerTransactions), nameof(ServerTransactions.IsMerged), () =>
        {
            Must(SipMessageView.TryParse(invite, out SipMessageView view, out _));
            Must(!core.Server.IsMerged(view));
        });
    }

    /// <summary>What a stranger sends beyond its rate, beyond that of all strangers, or while it is banned: also from an address that was never seen.</summary>
    private static void AddGuard(CaseList list)
    {
        byte[] buffer = new byte[65_535];
        MonoTime now = MonoTime.FromMillis(1_000);
        byte[] invite = Request("INVITE", 1, "z9hG4bKa", "");
        byte[] options = Request("OPTIONS", 1, "z9hG4bKb", "");
        GuardOptions limits = GuardOptions.From(new Limits(), _ => false) with { Burst = 1, RatePerSecond = 0.001, Patience = 0, CrowdBurst = 1, CrowdRatePerSecond = 0.001, Capacity = 64 };
        SourceGuard guard = new(limits);
        SipEndpoint endpoint = new(Options() with { Guard = guard }, new SeededRandom(1));
        SourceGuard crowded = new(limits);
        SipEndpoint full = new(Options() with { Guard = crowded }, new SeededRandom(1));
        SipFlow banned = s_flow with { Remote = new NetEndPoint(NetAddress.FromV4(0x0A000001), 5060) };
        guard.Admit(s_flow.Remote.Address, now);
        guard.Ban(banned.Remote.Address, TimeSpan.FromHours(1), now);
        crowded.Admit(NetAddress.FromV4(0x0A000002), now);
        uint next = 0x0B000000;
        list.Add(nameof(SourceGuard), nameof(SourceGuard.Admit), () =>
        {
            Refused(endpoint, invite, s_flow, SipRefusalCause.Flooding, now);
            Refused(endpoint, invite, banned, SipRefusalCause.Banned, now);
            Refused(full, invite, s_flow with { Remote = new NetEndPoint(NetAddress.FromV4(next++), 5060) }, SipRefusalCause.Crowded, now);
            Refused(endpoint, options, s_flow, SipRefusalCause.None, now);
            Drain(endpoint, buffer);
            Drain(full, buffer);
        });
    }

    private static void Refused(SipEndpoint endpoint, byte[] message, in SipFlow flow, SipRefusalCause cause, MonoTime now)
    {
        endpoint.HandleMessage(message, flow, now);
        Must(endpoint.TryPollRefusal(out SipRefusal refusal) == (cause != SipRefusalCause.None) && refusal.Cause == cause);
    }

    private static SipEvent Event(SipEndpoint endpoint)
    {
        Must(endpoint.TryPollEvent(out SipEvent e));
        return e;
    }

    private static void Drain(SipEndpoint endpoint, byte[] buffer)
    {
        while (endpoint.TryPollSend(buffer, out _, out _))
        {
        }
    }

    private static SipEndpointOptions Options() => new()
    {
        Listeners = [new SipListener(0, SipTransport.Udp, s_here, s_here)],
        Limits = new Limits { SipTransactions = 200, CallsMax = 100 },
    };

    private static byte[] Request(string method, int cseq, string branch, string toTag)
    {
        string tag = toTag.Length > 0 ? ";tag=" + toTag : "";
        return Encoding.ASCII.GetBytes(
            $"{method} sip:+15550100@198.51.100.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5062;rport;branch={branch}\r\nMax-Forwards: 70\r\n" +
            $"From: \"Alice\" <sip:+15550199@example.com>;tag=f1\r\nTo: <sip:+15550100@198.51.100.1>{tag}\r\nCall-ID: call-1@peer\r\nCSeq: {cseq} {method}\r\n" +
            "Contact: <sip:alice@192.0.2.10:5062>\r\nContent-Length: 0\r\n\r\n");
    }
}
