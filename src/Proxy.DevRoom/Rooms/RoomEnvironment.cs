using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Proxy.Core.Collections;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.DevRoom.DemoAgent;
using Proxy.DevRoom.Forwarding;
using Proxy.DevRoom.Signal;
using Proxy.LiveKit.Tokens;

namespace Proxy.DevRoom.Rooms;

/// <summary>Room loop. What all rooms of a server share.</summary>
internal sealed class RoomEnvironment(RoomServerOptions options, IPeerTransportFactory peers, IRandom random)
{
    private const string SidAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    private const int DatagramsBetweenDrains = 4_096;

    public RoomServerOptions Options { get; } = options;

    public IPeerTransportFactory Peers { get; } = peers;

    public IRandom Random { get; } = random;

    /// <summary>The one API key.</summary>
    public TokenKeys Keys { get; } = new([new KeyValuePair<string, string>(options.ApiKey, options.ApiSecret)]);

    public SignalOutbox Outbox { get; } = new();

    public DatagramQueue Datagrams { get; } = new(DatagramsBetweenDrains);

    public UdpMux Mux { get; } = new();

    public Forwarder Forwarder => _forwarder ??= new Forwarder(Datagrams);

    private Forwarder? _forwarder;

    /// <summary>Transports' deadlines, by participant key.</summary>
    public TimerQueue Timers { get; } = new(256);

    /// <summary>Demo agents, and when each has a frame to send, by its place.</summary>
    public SlotMap<DemoAgentParticipant> Agents { get; } = new(options.RoomsMax);

    public TimerQueue AgentTimers { get; } = new(64);

    /// <summary>Tracks that became audible and that no demo agent was told of yet.</summary>
    public Queue<Track> Published { get; } = new();

    public long UnixMicros(MonoTime now) => Options.UnixMicrosAtZero + now.Micros;

    public long UnixSeconds(MonoTime now) => UnixMicros(now) / 1_000_000;

    /// <summary>A fresh id: prefix and 12 characters, as clients expect (<c>PA_</c>, <c>RM_</c>, <c>TR_</c>).</summary>
    public string NewSid(string prefix, int length = 12)
    {
        Span<byte> bytes = stackalloc byte[16];
        Span<char> text = stackalloc char[16];
        Random.Fill(bytes[..length]);
        for (int i = 0; i < length; i++)
        {
            text[i] = SidAlphabet[bytes[i] % SidAlphabet.Length];
        }
        return string.Concat(prefix, text[..length]);
    }

    /// <summary>A number that is not 0.</summary>
    public uint NewSsrc()
    {
        Span<byte> bytes = stackalloc byte[4];
        Random.Fill(bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes) | 1;
    }
}
