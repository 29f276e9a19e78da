using System;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading.Tasks;
using Proxy.Core;
using Proxy.Core.Collections;
using Proxy.Core.Net;
using Proxy.Server.Config;
using Proxy.Server.Linux;
using Proxy.Server.Signal;
using Proxy.Sip;
using Xunit;

namespace Proxy.Server.Tests.Signal;

public sealed class TcpStreamsTests : IDisposable
{
    private const string Options = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nContent-Length: 4\r\n\r\nbody";
    private static readonly NetEndPoint s_loopback = new(NetAddress.FromV4(0x7F000001), 0);
    private readonly Waker _waker = new();
    private readonly Mailbox<StreamMail> _mail;

    public TcpStreamsTests() => _mail = new Mailbox<StreamMail>(64, RingFull.DropNewest, _waker);

    public void Dispose() => _waker.Dispose();

    private (TcpStreams Streams, NetEndPoint Bound) Listen(TcpOptions? options = null, TcpTls? tls = null)
    {
        TcpStreams streams = new(options ?? new TcpOptions(), new Limits(), _mail);
        Assert.True(streams.TryListen(3, s_loopback, tls, out NetEndPoint bound, out string error), error);
        return (streams, bound);
    }

    private static async Task<TcpClient> ConnectAsync(NetEndPoint to)
    {
        TcpClient client = new();
        await client.ConnectAsync(to.Address.ToIPAddress(), to.Port);
        return client;
    }

    private async Task<StreamMail> NextAsync()
    {
        Stopwatch patience = Stopwatch.StartNew();
        while (patience.Elapsed < TimeSpan.FromSeconds(20))
        {
            if (_mail.TryRead(out StreamMail mail))
            {
                return mail;
            }
            await Task.Delay(1);
        }
        throw new TimeoutException("nothing came from the connection");
    }

    private static async Task GoneAsync(TcpStreams streams)
    {
        Stopwatch patience = Stopwatch.StartNew();
        while (streams.Count > 0 && patience.Elapsed < TimeSpan.FromSeconds(20))
        {
            await Task.Delay(1);
        }
        Assert.Equal(0, streams.Count);
    }

    private static string Text(in StreamMail mail) => mail.Message is { } message ? Encoding.ASCII.GetString(message.Span) : "(closed)";

    [Fact]
    public async Task Messages_cut_anywhere_arrive_whole_and_answers_go_back_on_the_same_connection()
    {
        (TcpStreams streams, NetEndPoint bound) = Listen();
        using TcpClient client = await ConnectAsync(bound);
        NetworkStream stream = client.GetStream();
        byte[] two = Encoding.ASCII.GetBytes(Options + "\r\n" + Options);
        foreach (byte[] part in (byte[][])[two[..1], two[1..40], two[40..90], two[90..]])
        {
            await stream.WriteAsync(part);
            await stream.FlushAsync();
        }
        StreamMail first = await NextAsync();
        Assert.Equal(Options, Text(first));
        Assert.Equal(Options, Text(await NextAsync()));
        Assert.Equal((SipTransport.Tcp, 3), (first.Flow.Transport, first.Flow.Listener));
        Assert.Equal(((IPEndPoint)client.Client.LocalEndPoint!).Port, first.Flow.Remote.Port);
        Assert.True(streams.TrySend(first.Flow, "SIP/2.0 200 OK\r\n\r\n"u8));
        byte[] answer = new byte[18];
        await stream.ReadExactlyAsync(answer);
        Assert.StartsWith("SIP/2.0 200", Encoding.ASCII.GetString(answer), StringComparison.Ordinal);
        client.Close();
        StreamMail closed = await NextAsync();
        Assert.Equal(("(closed)", first.Flow), (Text(closed), closed.Flow));
        Assert.False(streams.TrySend(first.Flow, "x"u8));
        Assert.Equal(0, streams.Count);
        streams.Dispose();
    }

    [Fact]
    public async Task Double_CRLF_is_answered_with_one()
    {
        (TcpStreams streams, NetEndPoint bound) = Listen();
        using TcpClient client = await ConnectAsync(bound);
        await client.GetStream().WriteAsync("\r\n\r\n"u8.ToArray());
        byte[] pong = new byte[2];
        await client.GetStream().ReadExactlyAsync(pong);
        Assert.Equal("\r\n"u8, pong);
        streams.Dispose();
    }

    [Fact]
    public async Task Other_protocols_are_hung_up_without_a_word()
    {
        (TcpStreams streams, NetEndPoint bound) = Listen();
        using TcpClient client = await ConnectAsync(bound);
        await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        Assert.Equal(0, await ReadToEndAsync(client));
        await GoneAsync(streams);
        Assert.False(_mail.TryRead(out _));
        streams.Dispose();
    }

    [Fact]
    public async Task Broken_message_is_handed_over_for_its_400_and_then_the_connection_closes()
    {
        (TcpStreams streams, NetEndPoint bound) = Listen(new TcpOptions { LastAnswer = TimeSpan.FromSeconds(1) });
        using TcpClient client = await ConnectAsync(bound);
        await client.GetStream().WriteAsync("OPTIONS sip:a@b SIP/2.0\r\nContent-Length: minus\r\n\r\n"u8.ToArray());
        StreamMail broken = await NextAsync();
        Assert.StartsWith("OPTIONS", Text(broken), StringComparison.Ordinal);
        Assert.True(streams.TrySend(broken.Flow, "SIP/2.0 400 Bad\r\n\r\n"u8));
        Assert.Equal(19, await ReadToEndAsync(client));
        Assert.Equal("(closed)", Text(await NextAsync()));
        streams.Dispose();
    }

    [Fact]
    public async Task Whole_message_before_garbage_still_gets_its_answer()
    {
        (TcpStreams streams, NetEndPoint bound) = Listen(new TcpOptions { LastAnswer = TimeSpan.FromSeconds(1) });
        using TcpClient client = await ConnectAsync(bound);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Options + "a=rtpmap:31 LPC\r\n"));
        StreamMail whole = await NextAsync();
        Assert.Equal(Options, Text(whole));
        Assert.True(streams.TrySend(whole.Flow, "SIP/2.0 200 OK\r\n\r\n"u8));
        Assert.Equal(18, await ReadToEndAsync(client));
        Assert.Equal("(closed)", Text(await NextAsync()));
        streams.Dispose();
    }

    [Fact]
    public async Task Message_that_never_ends_is_closed_by_the_sweeper()
    {
        (TcpStreams streams, NetEndPoint bound) = Listen(new TcpOptions { WholeMessage = TimeSpan.FromMilliseconds(100) });
        using TcpClient client = await ConnectAsync(bound);
        await client.GetStream().WriteAsync("OPTIONS sip:a@b SIP/2.0\r\nVia: "u8.ToArray());
        Assert.Equal(0, await ReadToEndAsync(client));
        await GoneAsync(streams);
        Assert.False(_mail.TryRead(out _));
        streams.Dispose();
    }

    [Fact]
    public async Task Silent_connection_is_asked_about_and_closed_only_when_no_call_lives_on_it()
    {
        (TcpStreams streams, NetEndPoint bound) = Listen(new TcpOptions { IdleStranger = TimeSpan.FromMilliseconds(100) });
        using TcpClient client = await ConnectAsync(bound);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Options));
        StreamMail message = await NextAsync();
        Assert.False(message.IsIdle);
        for (int i = 0; i < 2; i++)
        {
            StreamMail asked = await NextAsync();
            Assert.Equal((true, message.Flow, 1), (asked.IsIdle, asked.Flow, streams.Count));
        }
        streams.Close(message.Flow);
        Assert.Equal(0, await ReadToEndAsync(client));
        await GoneAsync(streams);
        streams.Dispose();
    }

    [Fact]
    public async Task Stranger_that_connects_and_says_nothing_is_closed_and_a_listed_source_may_wait()
    {
        NetAddress carrier = NetAddress.FromV4(0x7F000002);
        TcpStreams streams = new(new TcpOptions { FirstMessage = TimeSpan.FromMilliseconds(100) }, new Limits(), _mail) { IsListed = address => address == carrier };
        Assert.True(streams.TryListen(0, s_loopback, null, out NetEndPoint bound, out string error), error);
        using TcpClient listed = new(new IPEndPoint(carrier.ToIPAddress(), 0));
        await listed.ConnectAsync(bound.Address.ToIPAddress(), bound.Port);
        using TcpClient stranger = await ConnectAsync(bound);
        Assert.Equal(0, await ReadToEndAsync(stranger));
        Assert.True(streams.Count >= 1 && listed.Connected);
        await listed.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Options));
        Assert.StartsWith("OPTIONS", Text(await NextAsync()), StringComparison.Ordinal);
        streams.Dispose();
    }

    [Fact]
    public async Task Connection_above_the_cap_of_an_address_is_closed_at_once()
    {
        (TcpStreams streams, NetEndPoint bound) = Listen(new TcpOptions { ConnectionsPerAddress = 1 });
        using TcpClient first = await ConnectAsync(bound);
        await first.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Options));
        await NextAsync();
        using TcpClient second = await ConnectAsync(bound);
        Assert.Equal(0, await ReadToEndAsync(second));
        Assert.Equal(1, streams.Count);
        streams.Dispose();
    }

    [Fact]
    public async Task Message_without_connection_opens_one_and_the_next_uses_it()
    {
        using TcpListener peer = new(IPAddress.Loopback, 0);
        peer.Start();
        (TcpStreams streams, _) = Listen();
        SipFlow flow = new(SipTransport.Tcp, 3, 0, new NetEndPoint(NetAddress.FromV4(0x7F000001), (ushort)((IPEndPoint)peer.LocalEndpoint).Port));
        Assert.True(streams.TrySend(flow, "BYE 1;"u8));
        using TcpClient accepted = await peer.AcceptTcpClientAsync();
        Assert.True(streams.TrySend(flow, "BYE 2;"u8));
        byte[] got = new byte[12];
        await accepted.GetStream().ReadExactlyAsync(got);
        Assert.Equal("BYE 1;BYE 2;", Encoding.ASCII.GetString(got));
        Assert.Equal(1, streams.Count);
        streams.Dispose();
        Assert.Equal("(closed)", Text(await NextAsync()));
    }

    [Fact]
    public async Task Nobody_to_connect_to_is_reported_as_closed()
    {
        TcpListener gone = new(IPAddress.Loopback, 0);
        gone.Start();
        ushort port = (ushort)((IPEndPoint)gone.LocalEndpoint).Port;
        gone.Stop();
        (TcpStreams streams, _) = Listen();
        Assert.True(streams.TrySend(new SipFlow(SipTransport.Tcp, 3, 0, new NetEndPoint(NetAddress.FromV4(0x7F000001), port)), "BYE"u8));
        StreamMail closed = await NextAsync();
        Assert.Equal(("(closed)", port), (Text(closed), closed.Flow.Remote.Port));
        streams.Dispose();
    }

    private static async Task<int> ReadToEndAsync(TcpClient client)
    {
        byte[] buffer = new byte[256];
        int total = 0;
        try
        {
            while (await client.GetStream().ReadAsync(buffer) is int read and > 0)
            {
                total += read;
            }
        }
        catch (IOException)
        {
            // A reset is an end as well.
        }
        return total;
    }
}
