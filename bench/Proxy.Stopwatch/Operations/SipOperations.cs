using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Rigs;
using Proxy.Sdp;
using Proxy.Sip;
using Proxy.Sip.Parsing;
using Proxy.Testing;

namespace Proxy.Stopwatch.Operations;

internal static class SipOperations
{
    private const int Invites = 25;

    public static IEnumerable<Operation> All =>
    [
        new("SIP: parse an INVITE (mean of 25 recorded)", Parse, Invites),
        new("SIP: parse it and read its headers, contact and SDP", ParseAll, Invites),
        new("SIP: OPTIONS in, 200 out (endpoint, stateful)", Respond),
        new("SIP: retransmitted INVITE in, 100 out", Repeat),
        new("SDP: parse an offer (Linphone, several crypto lines)", ParseSdp),
    ];

    private static Action Parse()
    {
        byte[][] invites = Array.ConvertAll(Directory.GetFiles(TestData.Path("invites"), "*.sip"), File.ReadAllBytes);
        return () =>
        {
            foreach (byte[] invite in invites)
            {
                SipMessageView.TryParse(invite, out _, out _);
            }
        };
    }

    private static Action ParseAll()
    {
        byte[][] invites = Array.ConvertAll(Directory.GetFiles(TestData.Path("invites"), "*.sip"), File.ReadAllBytes);
        return () =>
        {
            foreach (byte[] invite in invites)
            {
                SipMessageView.TryParse(invite, out SipMessageView view, out _);
                foreach (SipHeaderView header in view.Headers)
                {
                    _ = header.Value.Length;
                }
                view.TryGetContact(out _);
                _ = view.From.Uri.Length + view.To.Uri.Length + view.TopVia.Branch.Length;
                view.TryGetSdp(out _);
            }
        };
    }

    private static Action Respond()
    {
        Peer peer = new();
        byte[] request = Peer.Request("OPTIONS", "z9hG4bK0000000000");
        int branch = Encoding.ASCII.GetString(request).IndexOf("z9hG4bK", StringComparison.Ordinal) + 7;
        int count = 0;
        return () =>
        {
            // Each its own transaction; time moves so that old ones end.
            count++;
            count.TryFormat(request.AsSpan(branch, 10), out _, "D10");
            peer.Handle(request, MonoTime.FromMillis(1_000 + (count * 1_000L)));
        };
    }

    private static Action Repeat()
    {
        Peer peer = new();
        byte[] request = Peer.Request("INVITE", "z9hG4bKa");
        return () => peer.Handle(request, MonoTime.FromMillis(1_000));
    }

    private static Action ParseSdp()
    {
        byte[] sdp = TestData.Bytes("sdp", "linphone-multi-crypto.sdp");
        return () => SdpView.TryParse(sdp, out _);
    }

    /// <summary>One owner. An endpoint that answers by itself, drained after each message.</summary>
    private sealed class Peer
    {
        private readonly byte[] _buffer = new byte[65_535];
        private readonly SipFlow _flow = new(SipTransport.Udp, 0, 0, CallRig.EndPoint("192.0.2.10:5062"));
        private readonly SipEndpoint _endpoint;

        public Peer()
        {
            NetEndPoint here = CallRig.EndPoint("198.51.100.1:5060");
            _endpoint = new SipEndpoint(
                new SipEndpointOptions { Listeners = [new SipListener(0, SipTransport.Udp, here, here)], Limits = new Limits() }, new SeededRandom(1));
        }

        public static byte[] Request(string method, string branch) => Encoding.ASCII.GetBytes(
            $"{method} sip:+15550100@198.51.100.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5062;rport;branch={branch}\r\nMax-Forwards: 70\r\n" +
            $"From: \"Alice\" <sip:+15550199@example.com>;tag=f1\r\nTo: <sip:+15550100@198.51.100.1>\r\nCall-ID: call-1@peer\r\nCSeq: 1 {method}\r\n" +
            "Contact: <sip:alice@192.0.2.10:5062>\r\nContent-Length: 0\r\n\r\n");

        public void Handle(byte[] message, MonoTime now)
        {
            if (_endpoint.NextDeadline <= now)
            {
                _endpoint.HandleTimeout(now);
            }
            _endpoint.HandleMessage(message, in _flow, now);
            while (_endpoint.TryPollEvent(out _))
            {
            }
            while (_endpoint.TryPollSend(_buffer, out _, out _))
            {
            }
        }
    }
}
