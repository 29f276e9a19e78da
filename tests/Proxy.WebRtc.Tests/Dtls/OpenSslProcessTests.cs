using System;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using System.Threading.Tasks;
using Proxy.WebRtc.Dtls;
using Xunit;

namespace Proxy.WebRtc.Tests.Dtls;

/// <summary>Against the openssl command line over loopback UDP, by the real clock.</summary>
public sealed class OpenSslProcessTests : IDisposable
{
    private readonly DtlsIdentity _identity = DtlsIdentity.Create();
    private readonly string _folder = Directory.CreateTempSubdirectory("dtls").FullName;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    public OpenSslProcessTests() => _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    private int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public void Dispose()
    {
        _socket.Dispose();
        _identity.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("SRTP_AEAD_AES_128_GCM", 7, 56)]
    [InlineData("SRTP_AEAD_AES_256_GCM", 8, 88)]
    [InlineData("SRTP_AES128_CM_SHA1_80", 1, 60)]
    public async Task S_client_connects_to_us(string profile, int id, int keyBytes)
    {
        string certificate = WriteCertificate(out byte[] fingerprint);
        using Process peer = Run(
            $"s_client -dtls1_2 -connect 127.0.0.1:{Port} -use_srtp {profile} -cert {certificate} -key {certificate} -keymatexport EXTRACTOR-dtls_srtp -keymatexportlen {keyBytes} -quiet");
        using IDtls dtls = _identity.Create(isClient: false);
        await Check(dtls, peer, id, keyBytes, fingerprint);
    }

    [Theory]
    [InlineData("SRTP_AEAD_AES_128_GCM", 7, 56)]
    [InlineData("SRTP_AEAD_AES_256_GCM", 8, 88)]
    [InlineData("SRTP_AES128_CM_SHA1_80", 1, 60)]
    public async Task We_connect_to_s_server(string profile, int id, int keyBytes)
    {
        string certificate = WriteCertificate(out byte[] fingerprint);
        int port = FreePort();
        using Process peer = Run(
            $"s_server -dtls1_2 -accept 127.0.0.1:{port} -Verify 1 -use_srtp {profile} -cert {certificate} -key {certificate} -keymatexport EXTRACTOR-dtls_srtp -keymatexportlen {keyBytes} -quiet");
        _socket.Connect(IPAddress.Loopback, port);
        using IDtls dtls = _identity.Create(isClient: true);
        await Check(dtls, peer, id, keyBytes, fingerprint);
    }

    private async Task Check(IDtls dtls, Process peer, int id, int keyBytes, byte[] fingerprint)
    {
        try
        {
            EndPoint? remote = _socket.Connected ? _socket.RemoteEndPoint : null;
            byte[] buffer = new byte[2000];
            long end = Environment.TickCount64 + 8_000;
            bool isSent = false;
            byte[]? heard = null;
            dtls.Start(DtlsPump.Now);
            while (heard is null && Environment.TickCount64 < end && dtls.State is DtlsState.Handshaking or DtlsState.Connected)
            {
                while (remote is not null && dtls.TryPollDatagram(buffer, out int length))
                {
                    TrySend(buffer.AsSpan(0, length), remote);
                }
                if (_socket.Poll(10_000, SelectMode.SelectRead))
                {
                    EndPoint from = new IPEndPoint(IPAddress.Any, 0);
                    int received = TryReceive(buffer, ref from);
                    remote = received > 0 ? from : remote;
                    dtls.HandleDatagram(buffer.AsSpan(0, received), DtlsPump.Now);
                }
                dtls.HandleTimeout(DtlsPump.Now);
                if (dtls.State == DtlsState.Connected)
                {
                    if (!isSent)
                    {
                        isSent = true;
                        peer.StandardInput.Write("hello\n");
                        peer.StandardInput.Flush();
                    }
                    heard = dtls.TryReadData(buffer, out int read) ? buffer[..read] : null;
                }
            }
            Assert.Equal(DtlsState.Connected, dtls.State);
            Assert.Equal("hello\n"u8.ToArray(), heard);
            Assert.Equal(id, dtls.SrtpProfileId);
            Assert.True(dtls.TryExportSrtpKeys(new byte[keyBytes]));
            byte[] seen = new byte[32];
            Assert.True(dtls.TryGetPeerFingerprint(seen));
            Assert.Equal(fingerprint, seen);
            Assert.True(dtls.Send("world\n"u8, DtlsPump.Now));
            while (dtls.TryPollDatagram(buffer, out int length))
            {
                TrySend(buffer.AsSpan(0, length), remote!);
            }
            using CancellationTokenSource limit = new(5_000);
            string? line = await peer.StandardOutput.ReadLineAsync(limit.Token);
            while (line is not null && line != "world")
            {
                line = await peer.StandardOutput.ReadLineAsync(limit.Token);
            }
            Assert.Equal("world", line);
        }
        finally
        {
            peer.Kill();
            await peer.WaitForExitAsync();
        }
    }

    private void TrySend(ReadOnlySpan<byte> bytes, EndPoint remote)
    {
        try
        {
            _socket.SendTo(bytes, remote);
        }
        catch (SocketException)
        {
            // The process may not listen yet; DTLS sends again.
        }
    }

    private int TryReceive(byte[] buffer, ref EndPoint from)
    {
        try
        {
            return _socket.ReceiveFrom(buffer, ref from);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private string WriteCertificate(out byte[] fingerprint)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=peer", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        fingerprint = SHA256.HashData(certificate.RawData);
        string path = Path.Combine(_folder, "peer.pem");
        File.WriteAllText(path, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
        return path;
    }

    private static Process Run(string arguments) => Process.Start(new ProcessStartInfo("openssl", arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
