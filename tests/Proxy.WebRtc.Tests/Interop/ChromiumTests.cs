using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.WebRtc.Dtls;
using Proxy.WebRtc.Tests.Dtls;
using Xunit;
using Xunit.Abstractions;

namespace Proxy.WebRtc.Tests.Interop;

/// <summary>Our peer against libwebrtc in headless Chromium, over loopback UDP by the real clock: ICE, DTLS, SRTP, SCTP in one.</summary>
public sealed class ChromiumTests(ITestOutputHelper output) : IDisposable
{
    private const uint OurSsrc = 999;
    private const int EchoCount = 12;

    private readonly DtlsIdentity _identity = DtlsIdentity.Create();
    private readonly SeededRandom _random = new((ulong)Stopwatch.GetTimestamp());
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly HttpListener _http = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("chromium").FullName;
    private readonly List<byte[]> _sent = [];
    private readonly List<byte[]> _echoed = [];
    private readonly List<string> _opened = [];
    private readonly byte[] _buffer = new byte[2_000];
    private PeerConnection? _peer;
    private IceCredentials? _credentials;
    private int _rtpReceived;
    private int _rtcpReceived;
    private int _browserReceived;
    private int _lossyEchoed;
    private string? _browserState;

    public void Dispose()
    {
        _peer?.Dispose();
        _socket.Dispose();
        _http.Close();
        _identity.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [ChromiumTheory]
    [InlineData("answer", false, "active")]
    [InlineData("answer", false, "passive")]
    [InlineData("answer", true, "active")]
    [InlineData("offer", true, "actpass")]
    public async Task Chromium_connects_and_exchanges_media_and_data(string ourPart, bool isFull, string setup)
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = FreeTcpPort();
        _http.Prefixes.Add($"http://127.0.0.1:{port}/");
        _http.Start();
        _credentials = IceCredentials.Create(_random);
        _peer = new PeerConnection(
            new PeerOptions
            {
                Local = _credentials,
                IsControlling = isFull,
                Setup = setup switch { "active" => SetupRole.Active, "passive" => SetupRole.Passive, _ => SetupRole.ActPass },
                HasData = true,
                OpenChannels = ourPart == "offer" ? ["_reliable", "_lossy"] : [],
            },
            _identity,
            _random,
            DtlsPump.Now);
        using Process browser = Start($"http://127.0.0.1:{port}/?{ourPart}");
        try
        {
            await Run(setup, () => _echoed.Count == EchoCount && _lossyEchoed > 0 && _rtpReceived > 50 && _browserReceived > 20 && _rtcpReceived > 0);
        }
        finally
        {
            browser.Kill(entireProcessTree: true);
            await browser.WaitForExitAsync();
            Report();
        }
        Assert.Equal(PeerState.Connected, _peer.State);
        Assert.Equal(_sent, _echoed);
        Assert.True(_rtpReceived > 50 && _browserReceived > 20 && _rtcpReceived > 0 && _lossyEchoed > 0);
        Assert.Equal(0, _peer.Counters.SrtpRefused + _peer.Counters.SctpMalformed + _peer.Counters.StunMalformed);
    }

    private void Report()
    {
        PeerCounters c = _peer!.Counters;
        output.WriteLine($"state {_peer.State} profile {_peer.SrtpProfile} browser {_browserState} opened {string.Join(' ', _opened)} echoed {_echoed.Count}/{_sent.Count} lossy {_lossyEchoed} rtp {_rtpReceived} rtcp {_rtcpReceived} browser rtp {_browserReceived}");
        output.WriteLine($"unknown {c.Unknown} stun bad {c.StunMalformed} unauthenticated {c.StunUnauthenticated} unmatched {c.StunUnmatched} overflow {c.IceOverflow} unvalidated {c.Unvalidated} dtls early {c.DtlsTooEarly} srtp early {c.SrtpTooEarly} srtp refused {c.SrtpRefused} sctp bad {c.SctpMalformed}");
    }

    private async Task Run(string setup, Func<bool> until)
    {
        long end = Environment.TickCount64 + 30_000;
        Task<HttpListenerContext> request = _http.GetContextAsync();
        while (!until() && Environment.TickCount64 < end && _peer!.State is PeerState.Connecting or PeerState.Connected)
        {
            if (request.IsCompleted)
            {
                await Serve(await request, setup);
                request = _http.GetContextAsync();
            }
            if (_socket.Poll(2_000, SelectMode.SelectRead))
            {
                EndPoint from = new IPEndPoint(IPAddress.Any, 0);
                int length = _socket.ReceiveFrom(_buffer, ref from);
                IPEndPoint ip = (IPEndPoint)from;
                Handle(_buffer.AsSpan(0, length), new NetEndPoint(NetAddress.From(ip.Address), (ushort)ip.Port));
            }
            if (_peer.NextDeadline <= DtlsPump.Now)
            {
                _peer.HandleTimeout(DtlsPump.Now);
            }
            Flush();
        }
    }

    private void Handle(Span<byte> datagram, in NetEndPoint from)
    {
        PacketKind kind = _peer!.HandleDatagram(datagram, from, DtlsPump.Now, out int length);
        _rtcpReceived += kind == PacketKind.Rtcp ? 1 : 0;
        if (kind == PacketKind.Rtp)
        {
            _rtpReceived++;
            BinaryPrimitives.WriteUInt32BigEndian(datagram[8..], OurSsrc);
            int secured = _peer.ProtectRtp(_buffer, length);
            Send(_buffer.AsSpan(0, secured), _peer.Remote);
        }
    }

    private void Flush()
    {
        byte[] buffer = new byte[1_500];
        while (_peer!.TryPollDatagram(buffer, out int length, out NetEndPoint to))
        {
            Send(buffer.AsSpan(0, length), to);
        }
        while (_peer.TryPollEvent(out PeerEvent peerEvent))
        {
            Handle(peerEvent);
        }
    }

    private void Handle(in PeerEvent peerEvent)
    {
        switch (peerEvent.Kind)
        {
            case PeerEventKind.ChannelOpen:
                _opened.Add(peerEvent.Label!);
                if (peerEvent.Label == "_lossy")
                {
                    Assert.True(_peer!.SendData("_lossy", [7], DtlsPump.Now));
                    break;
                }
                SendNext();
                break;
            case PeerEventKind.Data when peerEvent.Label == "_lossy":
                _lossyEchoed++;
                break;
            case PeerEventKind.Data:
                _echoed.Add(peerEvent.Payload!);
                SendNext();
                break;
            default:
                output.WriteLine(peerEvent.ToString());
                break;
        }
    }

    private void SendNext()
    {
        if (_sent.Count < EchoCount)
        {
            byte[] message = new byte[_sent.Count == 3 ? 60_000 : _sent.Count * 700];
            _random.Fill(message);
            _sent.Add(message);
            Assert.True(_peer!.SendData("_reliable", message, DtlsPump.Now));
        }
    }

    private void Send(ReadOnlySpan<byte> bytes, in NetEndPoint to)
    {
        try
        {
            _socket.SendTo(bytes, new IPEndPoint(to.Address.ToIPAddress(), to.Port));
        }
        catch (SocketException)
        {
            // Chromium names addresses of other interfaces that a loopback socket cannot reach; another pair will do.
        }
    }

    private async Task Serve(HttpListenerContext context, string setup)
    {
        using StreamReader reader = new(context.Request.InputStream);
        string body = await reader.ReadToEndAsync();
        string answer = context.Request.Url!.AbsolutePath switch
        {
            "/" => Page,
            "/offer" => Answer(body, setup),
            "/ouroffer" => Description("0", "1", setup),
            "/answer" => TakeRemote(body),
            "/state" => TakeState(body),
            _ => string.Empty,
        };
        context.Response.ContentType = "text/html";
        context.Response.OutputStream.Write(Encoding.UTF8.GetBytes(answer));
        context.Response.Close();
    }

    private string TakeState(string body)
    {
        _browserState = body;
        Match match = Regex.Match(body, "rtp=([0-9]+)");
        _browserReceived = match.Success ? int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) : 0;
        return string.Empty;
    }

    private string Answer(string sdp, string setup)
    {
        TakeRemote(sdp);
        string[] mids = Regex.Matches(sdp, "^a=mid:(.*?)\r?$", RegexOptions.Multiline).Select(m => m.Groups[1].Value).ToArray();
        return Description(mids[0], mids[1], setup);
    }

    private string TakeRemote(string sdp)
    {
        string Value(string name) => Regex.Match(sdp, $"^a={name}:(.*?)\r?$", RegexOptions.Multiline).Groups[1].Value;
        List<NetEndPoint> candidates = [];
        foreach (Match match in Regex.Matches(sdp, "^a=candidate:\\S+ 1 udp \\d+ (\\S+) (\\d+) ", RegexOptions.Multiline))
        {
            if (NetAddress.TryParse(match.Groups[1].Value, out NetAddress address))
            {
                candidates.Add(new NetEndPoint(address, ushort.Parse(match.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture)));
            }
        }
        byte[] fingerprint = Convert.FromHexString(Value("fingerprint").Split(' ')[1].Replace(":", string.Empty, StringComparison.Ordinal));
        SetupRole role = Value("setup") switch { "active" => SetupRole.Active, "passive" => SetupRole.Passive, _ => SetupRole.ActPass };
        _peer!.SetRemote(new RemoteDescription(new IceCredentials(Value("ice-ufrag"), Value("ice-pwd")), false, fingerprint, role, candidates), DtlsPump.Now);
        return string.Empty;
    }

    private string Description(string audioMid, string dataMid, string setup)
    {
        string fingerprint = BitConverter.ToString(_identity.FingerprintSha256.ToArray()).Replace('-', ':');
        int port = ((IPEndPoint)_socket.LocalEndPoint!).Port;
        string transport = $"a=ice-ufrag:{_credentials!.Ufrag}\r\na=ice-pwd:{_credentials.Pwd}\r\na=fingerprint:sha-256 {fingerprint}\r\na=setup:{setup}\r\n"
            + $"a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host\r\na=end-of-candidates\r\n";
        string lite = _peer!.Options.IsControlling ? string.Empty : "a=ice-lite\r\n";
        return $"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{lite}a=group:BUNDLE {audioMid} {dataMid}\r\n"
            + $"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 127.0.0.1\r\na=mid:{audioMid}\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
            + $"a=msid:s t\r\na=ssrc:{OurSsrc} cname:x\r\na=ssrc:{OurSsrc} msid:s t\r\n{transport}"
            + $"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 127.0.0.1\r\na=mid:{dataMid}\r\na=sctp-port:5000\r\na=max-message-size:65535\r\n{transport}";
    }

    private Process Start(string url)
    {
        string flags = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --mute-audio --autoplay-policy=no-user-gesture-required "
            + "--disable-features=WebRtcHideLocalIpsWithMdns --allow-loopback-in-peer-connection";
        return Process.Start(new ProcessStartInfo(ChromiumTheoryAttribute.Binary, $"{flags} --user-data-dir={_folder} {url}")
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
    }

    private static int FreeTcpPort()
    {
        TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        return port;
    }

    private const string Page = """
        <script>
        const post = (path, text) => fetch(path, { method: 'POST', body: text }).then(r => r.text());
        const errors = [];
        async function gathered(pc) {
          if (pc.iceGatheringState !== 'complete')
            await new Promise(done => { pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done(); setTimeout(done, 2000); });
        }
        async function run() {
          const pc = new RTCPeerConnection();
          const context = new AudioContext(), tone = context.createOscillator(), out = context.createMediaStreamDestination();
          tone.connect(out); tone.start();
          const echo = channel => { channel.binaryType = 'arraybuffer'; channel.onmessage = e => channel.send(e.data); };
          pc.ondatachannel = e => echo(e.channel);
          setInterval(async () => {
            let received = 0;
            (await pc.getStats()).forEach(s => { if (s.type === 'inbound-rtp') received += s.packetsReceived; });
            post('/state', `rtp=${received} ${pc.connectionState} ${pc.iceConnectionState} ${pc.sctp && pc.sctp.state} ${errors}`);
          }, 300);
          if (location.search === '?answer') {
            echo(pc.createDataChannel('_reliable'));
            echo(pc.createDataChannel('_lossy', { ordered: false, maxRetransmits: 0 }));
            pc.addTrack(out.stream.getTracks()[0], out.stream);
            const offer = await pc.createOffer();
            // Audio first, whatever order the browser prefers.
            await pc.setLocalDescription(offer);
            await gathered(pc);
            await pc.setRemoteDescription({ type: 'answer', sdp: await post('/offer', pc.localDescription.sdp) });
          } else {
            await pc.setRemoteDescription({ type: 'offer', sdp: await post('/ouroffer', '') });
            pc.addTrack(out.stream.getTracks()[0], out.stream);
            await pc.setLocalDescription(await pc.createAnswer());
            await gathered(pc);
            await post('/answer', pc.localDescription.sdp);
          }
        }
        run().catch(e => { errors.push(e); post('/state', 'error ' + e); });
        </script>
        """;
}
