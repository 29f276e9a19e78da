using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;

namespace Proxy.Load;

/// <summary>Places the calls, sends and judges their audio. Three threads: signalling, sending, receiving.</summary>
internal sealed class Generator : IDisposable
{
    private readonly LoadOptions _options;
    private readonly Socket _sip;
    private readonly Socket _rtp;
    private readonly List<LoadCall> _calls = [];
    private readonly ConcurrentDictionary<int, LoadCall> _byMediaPort = new();
    private readonly Dictionary<string, LoadCall> _byCallId = [];
    private readonly byte[] _audio;
    private volatile bool _isStopping;

    public Generator(LoadOptions options)
    {
        _options = options;
        _sip = Bind(options.Local);
        _rtp = Bind(options.Local, options.MediaPort);
        _rtp.ReceiveBufferSize = 4 << 20;
        for (int n = 0; n < options.Calls; n++)
        {
            var call = new LoadCall(options, n, Port(_sip), Port(_rtp));
            _calls.Add(call);
            _byCallId[call.CallId] = call;
        }
        // -15 dBFS, as the recordings of the stock lab use it.
        _audio = options.Speech
            ? Array.ConvertAll(SpeechLike.Make(), s => G711.Encode(s, options.PayloadType))
            : MakeTone(options.SendHz, options.PayloadType);
    }

    public IReadOnlyList<LoadCall> Calls => _calls;

    /// <summary>What the watched process cost; empty without one.</summary>
    public string Watched { get; private set; } = "";

    /// <summary>Onsets of the tone: microseconds of the monotonic clock, sent and heard; only with bursts.</summary>
    public ConcurrentQueue<(int Call, string What, long Micros)> Onsets { get; } = new();

    /// <summary>When the echoing agent heard the tone set in; with metrics.</summary>
    public IReadOnlyList<long> InRoom { get; private set; } = [];

    public void Run()
    {
        var receive = new Thread(ReceiveMedia) { IsBackground = true, Priority = ThreadPriority.Highest };
        var send = new Thread(SendMedia) { IsBackground = true, Priority = ThreadPriority.Highest };
        if (_options.Ladder)
        {
            long start = Stopwatch.GetTimestamp();
            _calls[0].Ladder = (direction, text) =>
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {Stopwatch.GetElapsedTime(start).TotalMilliseconds,9:F1} ms  {direction}  {text}"));
        }
        receive.Start();
        send.Start();
        using EchoOnsets? room = _options.Metrics is null || _options.Human ? null : new EchoOnsets(_options.Metrics);
        var follow = new Thread(() => room?.Follow(() => _isStopping)) { IsBackground = true };
        follow.Start();
        if (_options.MediaPort > 0)
        {
            Attend();
        }
        else
        {
            Signal();
        }
        _isStopping = true;
        receive.Join(500);
        send.Join(500);
        follow.Join(500);
        InRoom = room?.Seen.ToArray() ?? [];
    }

    public void Dispose()
    {
        _sip.Dispose();
        _rtp.Dispose();
    }

    public static long Micros(long timestamp) => (long)(timestamp * 1e6 / Stopwatch.Frequency);

    private static byte[] MakeTone(double hz, int payloadType)
    {
        var tone = new byte[8000];
        for (int i = 0; i < tone.Length; i++)
        {
            tone[i] = G711.Encode((short)Math.Round(32768 * 0.1778 * Math.Sin(2 * Math.PI * hz * i / 8000)), payloadType);
        }
        return tone;
    }

    private static Socket Bind(IPAddress local, int port = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(local, port));
        return socket;
    }

    private static int Port(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    private void Signal()
    {
        long start = Stopwatch.GetTimestamp();
        int started = 0;
        long holdUntil = long.MaxValue;
        long end = long.MaxValue;
        var buffer = new byte[65536];
        void Send(byte[] message) => _sip.SendTo(message, _options.Target);
        while (true)
        {
            long now = Stopwatch.GetTimestamp();
            while (started < _calls.Count && Stopwatch.GetElapsedTime(start, now).TotalSeconds >= started / _options.Rate)
            {
                _calls[started++].Invite(now, Send);
            }
            int open = Walk(now, Send);
            bool allFinal = started == _calls.Count && open == 0;
            if (allFinal && holdUntil == long.MaxValue)
            {
                holdUntil = now + (long)(_options.HoldSeconds * Stopwatch.Frequency);
            }
            if (now >= holdUntil && end == long.MaxValue)
            {
                end = now + (5 * Stopwatch.Frequency);
                _calls.ForEach(c => c.Bye(now, Send));
            }
            bool allDone = started == _calls.Count && _calls.TrueForAll(c => c.Stage == CallStage.Done);
            if (allDone || now > end)
            {
                return;
            }
            ReceiveSignal(buffer, Send);
        }
    }

    /// <summary>Waits until every call has shown itself, then for the settling, then for the measured time.</summary>
    private void Attend()
    {
        long start = Stopwatch.GetTimestamp();
        double patience = _options.AnswerSeconds + (_calls.Count / _options.Rate);
        while (_byMediaPort.Count < _calls.Count && Stopwatch.GetElapsedTime(start).TotalSeconds < patience)
        {
            Thread.Sleep(20);
        }
        Thread.Sleep(TimeSpan.FromSeconds(_options.SettleSeconds));
        ProcessWatch? watch = _options.Watch > 0 ? new ProcessWatch(_options.Watch) : null;
        watch?.Start();
        Thread.Sleep(TimeSpan.FromSeconds(_options.HoldSeconds));
        watch?.Stop();
        Watched = watch?.Json() ?? "";
    }

    private LoadCall? Adopt(SocketAddress from, int port, long now)
    {
        int next = _byMediaPort.Count;
        if (_options.MediaPort == 0 || next >= _calls.Count)
        {
            return null;
        }
        _calls[next].Adopt((IPEndPoint)new IPEndPoint(IPAddress.Any, 0).Create(from), now);
        _byMediaPort[port] = _calls[next];
        return _calls[next];
    }

    private int Walk(long now, Action<byte[]> send)
    {
        int open = 0;
        foreach (LoadCall call in _calls)
        {
            call.Tick(now, send);
            if (call.Stage == CallStage.Inviting)
            {
                open++;
                if (Stopwatch.GetElapsedTime(call.InvitedAt, now).TotalSeconds > _options.AnswerSeconds)
                {
                    call.GiveUp("no final response");
                }
            }
        }
        return open;
    }

    private void ReceiveSignal(byte[] buffer, Action<byte[]> send)
    {
        if (!_sip.Poll(1000, SelectMode.SelectRead))
        {
            return;
        }
        int length = _sip.Receive(buffer, SocketFlags.None, out SocketError error);
        if (error != SocketError.Success || length == 0)
        {
            return;
        }
        long now = Stopwatch.GetTimestamp();
        string text = Encoding.Latin1.GetString(buffer, 0, length);
        int split = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (split < 0)
        {
            return;
        }
        string[] lines = text[..split].Split("\r\n");
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (int i = 1; i < lines.Length; i++)
        {
            int colon = lines[i].IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
            {
                headers.TryAdd(lines[i][..colon].Trim(), lines[i][(colon + 1)..].Trim());
            }
        }
        if (!_byCallId.TryGetValue(headers.GetValueOrDefault("call-id", ""), out LoadCall? call))
        {
            return;
        }
        if (lines[0].StartsWith("SIP/2.0 ", StringComparison.Ordinal))
        {
            int status = int.Parse(lines[0].AsSpan(8, 3), CultureInfo.InvariantCulture);
            call.HandleResponse(status, lines[0].Length > 12 ? lines[0][12..] : "", headers, text[(split + 4)..], now, send);
            if (call.Media is { } media)
            {
                _byMediaPort.TryAdd(media.Port, call);
            }
        }
        else
        {
            HandleRequest(lines, headers, call, send);
        }
    }

    private static void HandleRequest(string[] lines, Dictionary<string, string> headers, LoadCall call, Action<byte[]> send)
    {
        var response = new StringBuilder("SIP/2.0 200 OK\r\n");
        foreach (string line in lines)
        {
            string name = line.Split(':')[0].ToLowerInvariant();
            if (name is "via" or "from" or "to" or "call-id" or "cseq" or "record-route")
            {
                response.Append(line).Append("\r\n");
            }
        }
        send(Encoding.ASCII.GetBytes(response.Append("Content-Length: 0\r\n\r\n").ToString()));
        if (lines[0].StartsWith("BYE ", StringComparison.Ordinal))
        {
            call.HandleBye(headers.GetValueOrDefault("reason", ""));
        }
    }

    private void SendMedia()
    {
        var packet = new byte[172];
        long tick = Stopwatch.GetTimestamp();
        long step = Stopwatch.Frequency / 50;
        int number = 0;
        var targets = new Dictionary<LoadCall, SocketAddress>();
        while (!_isStopping)
        {
            // Calls are spread over the 20 ms, as callers would be.
            for (int phase = 0; phase < 20 && !_isStopping; phase++)
            {
                long due = tick + (phase * step / 20);
                long wait = due - Stopwatch.GetTimestamp();
                if (wait > 0)
                {
                    Thread.Sleep(TimeSpan.FromSeconds((double)wait / Stopwatch.Frequency));
                }
                for (int c = phase; c < _calls.Count; c += 20)
                {
                    SendFrame(_calls[c], number, packet, targets);
                }
            }
            tick += step;
            number++;
        }
    }

    private void SendFrame(LoadCall call, int number, byte[] packet, Dictionary<LoadCall, SocketAddress> targets)
    {
        if (call.Stage != CallStage.Up || call.Media is not { } media)
        {
            return;
        }
        if (!targets.TryGetValue(call, out SocketAddress? to))
        {
            targets[call] = to = media.Serialize();
        }
        int sequence = (int)call.PacketsOut++;
        uint timestamp = (uint)(sequence * 160);
        packet[0] = 0x80;
        packet[1] = (byte)(_options.PayloadType | (sequence == 0 ? 0x80 : 0));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)sequence);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), timestamp);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), (uint)(0x10000 + call.Number));
        int frames = Math.Max(1, _options.BurstMs / 20);
        bool isTone = _options.BurstMs == 0 || sequence / frames % 2 == 1;
        if (isTone)
        {
            _audio.AsSpan(sequence % (_audio.Length / 160) * 160, 160).CopyTo(packet.AsSpan(12));
            if (_options.BurstMs > 0 && sequence % frames == 0)
            {
                Onsets.Enqueue((call.Number, "sent", Micros(Stopwatch.GetTimestamp())));
            }
        }
        else
        {
            packet.AsSpan(12).Fill(_options.PayloadType == 8 ? (byte)0xD5 : (byte)0xFF);
        }
        _rtp.SendTo(packet, SocketFlags.None, to);
        SendDigits(call, sequence, timestamp, to);
    }

    private void SendDigits(LoadCall call, int sequence, uint timestamp, SocketAddress to)
    {
        // Digit k starts 2 s + k × 400 ms after the answer; 8 updates and 3 ends, 20 ms apart, on numbers of their own SSRC-wise
        // legal stream: the audio's sequence numbers go on, so each event packet takes one and the audio after it moves up.
        int since = sequence - 100;
        int digit = since / 20;
        if (_options.Dtmf.Length == 0 || since < 0 || digit >= _options.Dtmf.Length || since % 20 > 10)
        {
            return;
        }
        int step = since % 20;
        Span<byte> packet = stackalloc byte[16];
        packet[0] = 0x80;
        packet[1] = (byte)(101 | (step == 0 ? 0x80 : 0));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)call.PacketsOut++);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(packet[4..], timestamp - (uint)(step * 160));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(packet[8..], (uint)(0x10000 + call.Number));
        packet[12] = (byte)"0123456789*#ABCD".IndexOf(_options.Dtmf[digit], StringComparison.Ordinal);
        packet[13] = (byte)(10 | (step >= 8 ? 0x80 : 0));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(packet[14..], (ushort)Math.Min((step + 1) * 160, 1440));
        _rtp.SendTo(packet, SocketFlags.None, to);
    }

    private void ReceiveMedia()
    {
        var buffer = new byte[2048];
        var from = new SocketAddress(AddressFamily.InterNetwork);
        _rtp.ReceiveTimeout = 200;
        while (!_isStopping)
        {
            int length;
            try
            {
                length = _rtp.ReceiveFrom(buffer, SocketFlags.None, from);
            }
            catch (SocketException)
            {
                continue;
            }
            long now = Stopwatch.GetTimestamp();
            int port = (from.Buffer.Span[2] << 8) | from.Buffer.Span[3];
            if (length < 12 || (_byMediaPort.GetValueOrDefault(port) ?? Adopt(from, port, now)) is not { } call)
            {
                continue;
            }
            int payloadType = buffer[1] & 0x7F;
            if (payloadType == _options.PayloadType)
            {
                Judge(call, buffer.AsSpan(0, length), now);
            }
            else if (payloadType == 101 && length >= 16)
            {
                call.HearEvent(System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(buffer.AsSpan(4)), buffer[12]);
                call.NextSequence = (call.NextSequence + 1) & 0xFFFF;
            }
        }
    }

    private void Judge(LoadCall call, ReadOnlySpan<byte> packet, long now)
    {
        int sequence = (packet[2] << 8) | packet[3];
        if (call.PacketsIn++ == 0)
        {
            call.FirstPacketAt = now;
            call.NextSequence = sequence;
            call.Echo.Onset = frame => Onsets.Enqueue((call.Number, "heard", Micros(call.LastPacketAt)));
        }
        else
        {
            long gap = now - call.LastPacketAt;
            call.LongestGap = Math.Max(call.LongestGap, gap);
            call.JitterMs += (Math.Abs((gap * 1000.0 / Stopwatch.Frequency) - 20) - call.JitterMs) / 16;
        }
        call.LastPacketAt = now;
        int lost = (short)(sequence - call.NextSequence);
        for (int i = 0; i < lost && i < 500; i++)
        {
            call.Lost++;
            call.Tone.AddLost();
            call.Echo.AddLost();
        }
        call.NextSequence = (sequence + 1) & 0xFFFF;
        call.Tone.Add(packet[12..]);
        call.Echo.Add(packet[12..]);
    }
}
