using System;
using System.Diagnostics;
using System.IO;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading.Tasks;
using Proxy.Core;
using Proxy.Core.Collections;
using Proxy.Core.Net;
using Proxy.Server.Config;
using Proxy.Server.Linux;
using Proxy.Server.Metrics;
using Proxy.Server.Signal;
using Proxy.Sip;
using Xunit;

namespace Proxy.Server.Tests.Signal;

public sealed class TcpTlsTests : IDisposable
{
    private const string Options = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n";
    private readonly TestCertificates _certificates = new();
    private readonly Waker _waker = new();
    private readonly Mailbox<StreamMail> _mail;
    private TcpStreams? _streams;

    public TcpTlsTests() => _mail = new Mailbox<StreamMail>(64, RingFull.DropNewest, _waker);

    public void Dispose()
    {
        _streams?.Dispose();
        _waker.Dispose();
        _certificates.Dispose();
    }

    private (TcpTls Tls, NetEndPoint Bound) Listen(TlsConfig config, TcpOptions? options = null)
    {
        TcpTls? tls = TcpTls.TryLoad(config, out string error);
        Assert.True(tls is not null, error);
        _streams = new TcpStreams(options ?? new TcpOptions(), new Limits(), _mail);
        Assert.True(_streams.TryListen(2, new NetEndPoint(NetAddress.FromV4(0x7F000001), 0), tls, out NetEndPoint bound, out error), error);
        return (tls, bound);
    }

    private TlsConfig One(string host = "sip.test") => new() { Certificates = [_certificates.Make(host, host)] };

    private static async Task<SslStream> ConnectAsync(NetEndPoint to, string host = "sip.test", Action<SslClientAuthenticationOptions>? change = null)
    {
        var client = new TcpClient();
        await client.ConnectAsync(to.Address.ToIPAddress(), to.Port);
        var secure = new SslStream(client.GetStream(), leaveInnerStreamOpen: false);
        var options = new SslClientAuthenticationOptions { TargetHost = host, RemoteCertificateValidationCallback = (_, _, _, _) => true, AllowTlsResume = false };
        change?.Invoke(options);
        await secure.AuthenticateAsClientAsync(options);
        return secure;
    }

    private async Task<StreamMail> SayAsync(SslStream secure)
    {
        await secure.WriteAsync(Encoding.ASCII.GetBytes(Options));
        Stopwatch patience = Stopwatch.StartNew();
        while (patience.Elapsed < TimeSpan.FromSeconds(20))
        {
            if (_mail.TryRead(out StreamMail mail) && mail.Message is not null)
            {
                return mail;
            }
            await Task.Delay(1);
        }
        throw new TimeoutException("nothing came from the connection");
    }

    private static async Task AssertRefusedAsync(Func<Task<SslStream>> connect) => await Assert.ThrowsAnyAsync<Exception>(async () =>
    {
        using SslStream secure = await connect();
        // TLS 1.3: the client is done before the server has judged it; the first read tells.
        if (await secure.ReadAsync(new byte[1]) == 0)
        {
            throw new IOException("closed");
        }
    });

    private string Metric(string name)
    {
        var registry = new MetricsRegistry();
        registry.Add(_streams!);
        var text = new System.Buffers.ArrayBufferWriter<byte>();
        registry.Scrape(text);
        foreach (string line in Encoding.UTF8.GetString(text.WrittenSpan).Split('\n'))
        {
            if (line.StartsWith(name + " ", StringComparison.Ordinal))
            {
                return line[(name.Length + 1)..];
            }
        }
        return "";
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Messages_go_both_ways(SslProtocols version)
    {
        (_, NetEndPoint bound) = Listen(One());
        using SslStream secure = await ConnectAsync(bound, change: o => o.EnabledSslProtocols = version);
        StreamMail mail = await SayAsync(secure);
        Assert.Equal((SipTransport.Tls, 2, Options), (mail.Flow.Transport, mail.Flow.Listener, Encoding.ASCII.GetString(mail.Message!.Value.Span)));
        Assert.True(_streams!.TrySend(mail.Flow, "SIP/2.0 200"u8));
        byte[] answer = new byte[11];
        await secure.ReadExactlyAsync(answer);
        Assert.Equal("SIP/2.0 200", Encoding.ASCII.GetString(answer));
    }

    [Fact]
    public async Task Name_that_the_client_asks_for_picks_the_certificate_and_the_first_serves_the_rest()
    {
        (_, NetEndPoint bound) = Listen(new TlsConfig { Certificates = [_certificates.Make("a.test", "a"), _certificates.Make("b.test", "b")] });
        foreach ((string asked, string given) in (ValueTuple<string, string>[])[("a.test", "a.test"), ("b.test", "b.test"), ("c.test", "a.test"), ("", "a.test"), ("127.0.0.1", "a.test")])
        {
            using SslStream secure = await ConnectAsync(bound, asked);
            Assert.Equal("CN=" + given, secure.RemoteCertificate!.Subject);
        }
    }

    [Fact]
    public async Task Reload_gives_new_handshakes_the_new_certificate_and_leaves_connections_alone()
    {
        TlsConfig config = One();
        (TcpTls tls, NetEndPoint bound) = Listen(config);
        using SslStream before = await ConnectAsync(bound);
        StreamMail mail = await SayAsync(before);
        string old = before.RemoteCertificate!.GetSerialNumberString();
        (string certFile, string keyFile) = _certificates.Make("sip.test", "sip.test");
        tls.Swap(TcpTls.TryRead(config, out _)!);
        using SslStream after = await ConnectAsync(bound);
        Assert.NotEqual(old, after.RemoteCertificate!.GetSerialNumberString());
        await SayAsync(before);
        Assert.True(_streams!.TrySend(mail.Flow, "SIP/2.0 200"u8));
        await before.ReadExactlyAsync(new byte[11]);
        await File.WriteAllTextAsync(certFile, "not a certificate");
        Assert.Null(TcpTls.TryRead(config, out string error));
        Assert.StartsWith($"tls.certs: {certFile} with {keyFile}: ", error, StringComparison.Ordinal);
        using SslStream still = await ConnectAsync(bound);
        Assert.Equal(after.RemoteCertificate!.GetSerialNumberString(), still.RemoteCertificate!.GetSerialNumberString());
    }

    [Fact]
    public async Task Client_certificate_is_demanded_where_the_configuration_says_so()
    {
        (_, NetEndPoint bound) = Listen(One() with { ClientCaFile = _certificates.AuthorityFile, ClientMustAuthenticate = true });
        await AssertRefusedAsync(() => ConnectAsync(bound));
        using var others = new TestCertificates();
        using X509Certificate2 foreign = others.Client("carrier.test");
        await AssertRefusedAsync(() => ConnectAsync(bound, change: o => o.ClientCertificates = [foreign]));
        using X509Certificate2 known = _certificates.Client("carrier.test");
        using SslStream secure = await ConnectAsync(bound, change: o => o.ClientCertificates = [known]);
        await SayAsync(secure);
    }

    [Fact]
    public async Task Client_certificate_that_is_only_asked_for_may_be_absent_but_not_foreign()
    {
        (_, NetEndPoint bound) = Listen(One() with { ClientCaFile = _certificates.AuthorityFile, ClientMustAuthenticate = false });
        using SslStream secure = await ConnectAsync(bound);
        await SayAsync(secure);
        using var others = new TestCertificates();
        using X509Certificate2 foreign = others.Client("carrier.test");
        await AssertRefusedAsync(() => ConnectAsync(bound, change: o => o.ClientCertificates = [foreign]));
    }

    [Fact]
    public async Task Version_ciphers_and_alpn_are_as_configured()
    {
        (_, NetEndPoint only13) = Listen(One() with { MinVersion = "tls1.3" });
        await AssertRefusedAsync(() => ConnectAsync(only13, change: o => o.EnabledSslProtocols = SslProtocols.Tls12));
        _streams!.Dispose();
        (_, NetEndPoint suite) = Listen(One() with { Ciphers = ["ECDHE-ECDSA-AES256-GCM-SHA384"] });
        using (SslStream secure = await ConnectAsync(suite, change: o => o.EnabledSslProtocols = SslProtocols.Tls12))
        {
            Assert.Equal(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, secure.NegotiatedCipherSuite);
        }
        using (SslStream secure = await ConnectAsync(suite, change: o => o.EnabledSslProtocols = SslProtocols.Tls13))
        {
            Assert.Equal(SslProtocols.Tls13, secure.SslProtocol);
        }
        _streams!.Dispose();
        (_, NetEndPoint alpn) = Listen(One() with { Alpn = ["sip"] });
        using (SslStream secure = await ConnectAsync(alpn, change: o => o.ApplicationProtocols = [new SslApplicationProtocol("sip")]))
        {
            Assert.Equal("sip", secure.NegotiatedApplicationProtocol.ToString());
        }
        using (SslStream secure = await ConnectAsync(alpn))
        {
            await SayAsync(secure);
        }
        await AssertRefusedAsync(() => ConnectAsync(alpn, change: o => o.ApplicationProtocols = [new SslApplicationProtocol("h2")]));
    }

    [Fact]
    public async Task Handshake_that_does_not_end_is_ended_and_the_signal_thread_hears_nothing_of_it()
    {
        (_, NetEndPoint bound) = Listen(One(), new TcpOptions { Handshake = TimeSpan.FromMilliseconds(150) });
        using var silent = new TcpClient();
        await silent.ConnectAsync(bound.Address.ToIPAddress(), bound.Port);
        using var half = new TcpClient();
        await half.ConnectAsync(bound.Address.ToIPAddress(), bound.Port);
        await half.GetStream().WriteAsync(new byte[] { 0x16, 0x03, 0x01 });
        using var plain = new TcpClient();
        await plain.ConnectAsync(bound.Address.ToIPAddress(), bound.Port);
        await plain.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Options));
        foreach (TcpClient client in (TcpClient[])[silent, half, plain])
        {
            await EndAsync(client);
        }
        Stopwatch patience = Stopwatch.StartNew();
        while (_streams!.Count > 0 && patience.Elapsed < TimeSpan.FromSeconds(20))
        {
            await Task.Delay(1);
        }
        Assert.Equal(("0", "3", "0"), (Metric("siproom_sip_connections"), Metric("siproom_sip_tls_handshakes_failed_total"), Metric("siproom_sip_tls_handshakes")));
        Assert.False(_mail.TryRead(out _));
    }

    [Fact]
    public async Task Half_open_handshakes_are_limited_for_an_address_and_in_all()
    {
        (_, NetEndPoint bound) = Listen(One(), new TcpOptions { HandshakesPerAddress = 2 });
        using var first = new TcpClient();
        await first.ConnectAsync(bound.Address.ToIPAddress(), bound.Port);
        using var second = new TcpClient();
        await second.ConnectAsync(bound.Address.ToIPAddress(), bound.Port);
        Stopwatch patience = Stopwatch.StartNew();
        while (Metric("siproom_sip_tls_handshakes") != "2" && patience.Elapsed < TimeSpan.FromSeconds(20))
        {
            await Task.Delay(1);
        }
        using (var third = new TcpClient())
        {
            await third.ConnectAsync(bound.Address.ToIPAddress(), bound.Port);
            await EndAsync(third);
        }
        Assert.Equal("1", Metric("siproom_sip_connections_turned_away_total"));
        second.Close();
        while (Metric("siproom_sip_tls_handshakes") != "1" && patience.Elapsed < TimeSpan.FromSeconds(20))
        {
            await Task.Delay(1);
        }
        using SslStream secure = await ConnectAsync(bound);
        await SayAsync(secure);
    }

    [Fact]
    public void What_cannot_be_used_is_named()
    {
        (string cert, string key) = _certificates.Make("a.test", "a");
        Assert.Null(TcpTls.TryLoad(new TlsConfig { Certificates = [(key, cert)] }, out string error));
        Assert.StartsWith("tls.certs: ", error, StringComparison.Ordinal);
        (_, string other) = _certificates.Make("b.test", "b");
        Assert.Null(TcpTls.TryLoad(new TlsConfig { Certificates = [(cert, other)] }, out error));
        Assert.StartsWith("tls.certs: ", error, StringComparison.Ordinal);
        Assert.Null(TcpTls.TryLoad(new TlsConfig { Certificates = [(cert, key)], Ciphers = ["RC4-MD5"] }, out error));
        Assert.StartsWith("tls.cipher_suites: 'RC4-MD5' is unknown", error, StringComparison.Ordinal);
        Assert.Null(TcpTls.TryLoad(new TlsConfig { Certificates = [(cert, key)], ClientCaFile = "/nowhere.pem" }, out error));
        Assert.StartsWith("tls.client_ca: '/nowhere.pem' cannot be read", error, StringComparison.Ordinal);
    }

    private static async Task EndAsync(TcpClient client)
    {
        try
        {
            byte[] buffer = new byte[64];
            while (await client.GetStream().ReadAsync(buffer) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A reset is an end as well.
        }
    }
}
