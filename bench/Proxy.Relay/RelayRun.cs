using System;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using Proxy.Core.Time;
using Proxy.Load;
using Proxy.Rtp.Srtp;
using Proxy.WebRtc.Dtls;

namespace Proxy.Relay;

/// <summary>
/// Sets the calls up, sends 50 packets a second on both sides of each, and checks what comes out of the other. Threads: this
/// one (set-up, handshakes), a sender, a receiver a side. Every payload carries the time of its sending.
/// </summary>
internal sealed class RelayRun : IDisposable
{
    private const int PayloadBytes = 160;
    private readonly RelayOptions _options;
    private readonly RtpEngine _engine;
    private readonly DtlsIdentity _identity = DtlsIdentity.Create();
    private readonly Socket _socketA;
    private readonly Socket _socketB;
    private readonly List<RelayCall> _calls = [];
    private readonly ConcurrentDictionary<int, RelayCall> _byPortA = new();
    private readonly ConcurrentDictionary<int, RelayCall> _byPortB = new();
    private readonly ConcurrentQueue<(RelayCall Call, byte[] Datagram)> _handshakes = new();
    private volatile bool _isSending = true;
    private volatile bool _isMeasuring;
    private volatile bool _isOver;

    public RelayRun(RelayOptions options)
    {
        _options = options;
        _engine = new RtpEngine(options.Engine);
        _socketA = Bind(options.Local);
        _socketB = Bind(options.Local);
    }

    public IReadOnlyList<RelayCall> Calls => _calls;

    public string Watched { get; private set; } = "";

    /// <summary>Milliseconds from sending to receiving within the measured time: plain in, encrypted out, and the other way.</summary>
    public List<double> DelaysToB { get; } = [];

    public List<double> DelaysToA { get; } = [];

    /// <summary>RTP packets that rtpengine says it took in, and its errors.</summary>
    public long EnginePackets { get; private set; }

    public long EngineErrors { get; private set; }

    public string Profile { get; private set; } = "";

    public void Run()
    {
        var threads = new List<Thread> { new(SendMedia), new(() => Receive(_socketA, HandleA)), new(() => Receive(_socketB, HandleB)) };
        threads.ForEach(t =>
        {
            t.IsBackground = true;
            t.Priority = ThreadPriority.Highest;
            t.Start();
        });
        Connect();
        Thread.Sleep(TimeSpan.FromSeconds(_options.SettleSeconds));
        ProcessWatch? watch = _options.Watch > 0 ? new ProcessWatch(_options.Watch) : null;
        watch?.Start();
        _isMeasuring = true;
        Thread.Sleep(TimeSpan.FromSeconds(_options.HoldSeconds));
        _isMeasuring = false;
        watch?.Stop();
        Watched = watch?.Json() ?? "";
        _isSending = false;
        Thread.Sleep(500);
        ReadCounters();
        _isOver = true;
        threads.ForEach(t => t.Join(1000));
    }

    public void Dispose()
    {
        _socketA.Dispose();
        _socketB.Dispose();
        _engine.Dispose();
        foreach (RelayCall call in _calls)
        {
            call.Dtls?.Dispose();
            call.Srtp?.Dispose();
        }
        _identity.Dispose();
    }

    private static Socket Bind(IPAddress local)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20, ReceiveTimeout = 200 };
        socket.Bind(new IPEndPoint(local, 0));
        return socket;
    }

    private static int Port(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    private static MonoTime Now() => new((long)(Stopwatch.GetTimestamp() * 1e6 / Stopwatch.Frequency));

    private void Connect()
    {
        long start = Stopwatch.GetTimestamp();
        double patience = 20 + (_options.Calls / _options.Rate);
        int keyed = 0;
        while (keyed < _options.Calls)
        {
            if (Stopwatch.GetElapsedTime(start).TotalSeconds > patience)
            {
                throw new IOException($"{_options.Calls - keyed} of {_options.Calls} DTLS handshakes were not done in time");
            }
            if (_calls.Count < _options.Calls && Stopwatch.GetElapsedTime(start).TotalSeconds >= _calls.Count / _options.Rate)
            {
                Add();
            }
            while (_handshakes.TryDequeue(out (RelayCall Call, byte[] Datagram) waiting))
            {
                waiting.Call.Dtls!.HandleDatagram(waiting.Datagram, Now());
                Pump(waiting.Call);
            }
            keyed = 0;
            foreach (RelayCall call in _calls)
            {
                keyed += Turn(call) ? 1 : 0;
            }
            Thread.Sleep(1);
        }
    }

    private void Add()
    {
        var call = new RelayCall(_calls.Count);
        call.SetUp(_engine, _options, Port(_socketA), Port(_socketB), _identity);
        _byPortA[call.PortA] = call;
        _byPortB[call.PortB] = call;
        lock (_calls)
        {
            _calls.Add(call);
        }
        call.Dtls!.Start(Now());
        Pump(call);
    }

    /// <returns>Whether the call's keys are known.</returns>
    private bool Turn(RelayCall call)
    {
        if (call.Srtp is not null)
        {
            return true;
        }
        if (call.Dtls!.State == DtlsState.Connected)
        {
            SrtpSession session = call.Key();
            Profile = session.Profile.ToString();
            call.Srtp = session;
            return true;
        }
        if (call.Dtls.State != DtlsState.Handshaking)
        {
            throw new IOException("a DTLS handshake with rtpengine failed");
        }
        if (call.Dtls.NextDeadline <= Now())
        {
            call.Dtls.HandleTimeout(Now());
            Pump(call);
        }
        return false;
    }

    private void Pump(RelayCall call)
    {
        Span<byte> datagram = stackalloc byte[1500];
        while (call.Dtls!.TryReadData(datagram, out _))
        {
        }
        while (call.Dtls.TryPollDatagram(datagram, out int length))
        {
            _socketB.SendTo(datagram[..length], SocketFlags.None, call.To.B);
        }
    }

    private void SendMedia()
    {
        var packet = new byte[256];
        long tick = Stopwatch.GetTimestamp();
        long step = Stopwatch.Frequency / 50;
        while (_isSending)
        {
            // Calls are spread over the 20 ms, as callers would be.
            for (int phase = 0; phase < 20 && _isSending; phase++)
            {
                long wait = tick + (phase * step / 20) - Stopwatch.GetTimestamp();
                if (wait > 0)
                {
                    Thread.Sleep(TimeSpan.FromSeconds((double)wait / Stopwatch.Frequency));
                }
                for (int c = phase; c < Count(); c += 20)
                {
                    SendFrame(_calls[c], packet);
                }
            }
            tick += step;
        }
    }

    private int Count()
    {
        lock (_calls)
        {
            return _calls.Count;
        }
    }

    private void SendFrame(RelayCall call, byte[] packet)
    {
        if (call.Srtp is not { } srtp)
        {
            return;
        }
        int plain = Write(packet, call.A.Sent++, (uint)(0xA0000 + call.Number));
        _socketA.SendTo(packet.AsSpan(0, plain), SocketFlags.None, call.To.A);
        plain = Write(packet, call.B.Sent++, (uint)(0xB0000 + call.Number));
        _socketB.SendTo(packet.AsSpan(0, srtp.ProtectRtp(packet, plain)), SocketFlags.None, call.To.B);
    }

    private static int Write(Span<byte> packet, int sequence, uint ssrc)
    {
        packet[0] = 0x80;
        packet[1] = (byte)(sequence == 0 ? 0x80 : 0);
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)sequence);
        BinaryPrimitives.WriteUInt32BigEndian(packet[4..], (uint)(sequence * PayloadBytes));
        BinaryPrimitives.WriteUInt32BigEndian(packet[8..], ssrc);
        packet.Slice(12, PayloadBytes).Fill(0x55);
        BinaryPrimitives.WriteInt64LittleEndian(packet[12..], Stopwatch.GetTimestamp());
        return 12 + PayloadBytes;
    }

    private void Receive(Socket socket, Action<int, byte[], int> handle)
    {
        var buffer = new byte[2048];
        var from = new SocketAddress(AddressFamily.InterNetwork);
        while (!_isOver)
        {
            try
            {
                int length = socket.ReceiveFrom(buffer, SocketFlags.None, from);
                handle((from.Buffer.Span[2] << 8) | from.Buffer.Span[3], buffer, length);
            }
            catch (SocketException)
            {
                // The time is up, or an ICMP answer came: look whether it is over.
            }
        }
    }

    private void HandleA(int port, byte[] packet, int length)
    {
        if (length == 12 + PayloadBytes && _byPortA.TryGetValue(port, out RelayCall? call))
        {
            Hear(call.A, packet, DelaysToA);
        }
    }

    private void HandleB(int port, byte[] packet, int length)
    {
        if (length == 0 || !_byPortB.TryGetValue(port, out RelayCall? call))
        {
            return;
        }
        // RFC 7983: 20–63 is DTLS, 128–191 is SRTP.
        if (packet[0] is >= 20 and <= 63)
        {
            _handshakes.Enqueue((call, packet.AsSpan(0, length).ToArray()));
        }
        else if (call.Srtp is { } srtp && packet[1] is < 192 or > 223
            && srtp.UnprotectRtp(packet.AsSpan(0, length), out int plain) == SrtpVerdict.Ok && plain == 12 + PayloadBytes)
        {
            Hear(call.B, packet, DelaysToB);
        }
    }

    private void Hear(RelaySide side, ReadOnlySpan<byte> packet, List<double> delays)
    {
        side.Hear(BinaryPrimitives.ReadUInt16BigEndian(packet[2..]));
        if (_isMeasuring)
        {
            delays.Add(Stopwatch.GetElapsedTime(BinaryPrimitives.ReadInt64LittleEndian(packet[12..])).TotalMilliseconds);
        }
    }

    private void ReadCounters()
    {
        foreach (RelayCall call in _calls)
        {
            Dictionary<string, object> answer = _engine.Ask(new() { ["command"] = "delete", ["call-id"] = call.Id, ["from-tag"] = "a" });
            if (answer.GetValueOrDefault("totals") is Dictionary<string, object> totals && totals.GetValueOrDefault("RTP") is Dictionary<string, object> rtp)
            {
                EnginePackets += rtp.GetValueOrDefault("packets") as long? ?? 0;
                EngineErrors += rtp.GetValueOrDefault("errors") as long? ?? 0;
            }
        }
    }
}
