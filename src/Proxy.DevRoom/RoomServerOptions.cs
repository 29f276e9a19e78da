using System;
using System.Collections.Generic;
using Proxy.Core.Net;

namespace Proxy.DevRoom;

/// <summary>Any thread. How the built-in room server is set up; made in the composition root.</summary>
public sealed record RoomServerOptions
{
    /// <summary>API key that tokens name as issuer.</summary>
    public string ApiKey { get; init; } = "devkey";

    /// <summary>Secret that signs tokens (HS256).</summary>
    public string ApiSecret { get; init; } = "secret";

    /// <summary>Addresses of the UDP mux as clients can reach it: loopback and the machine's own (libwebrtc skips loopback interfaces).</summary>
    public required IReadOnlyList<NetEndPoint> HostCandidates { get; init; }

    /// <summary>Unix time in microseconds at <c>MonoTime</c> zero: the machine reads no clock, yet tokens and join times need the wall clock.</summary>
    public required long UnixMicrosAtZero { get; init; }

    /// <summary>Rooms at once; above it a join gets 503.</summary>
    public int RoomsMax { get; init; } = 2_000;

    /// <summary>Participants at once over all rooms; above it a join gets 503.</summary>
    public int ParticipantsMax { get; init; } = 4_000;

    /// <summary>Life of a room that nobody ever joined, seconds (livekit: room.empty_timeout).</summary>
    public uint EmptyTimeout { get; init; } = 300;

    /// <summary>Life of a room after the last participant left, seconds (livekit: room.departure_timeout).</summary>
    public uint DepartureTimeout { get; init; } = 20;

    /// <summary>Rooms whose name begins so get the demo agent with their first participant; empty: none.</summary>
    public string DemoAgentRoomPrefix { get; init; } = "";

    /// <summary>What that agent does.</summary>
    public DemoAgentMode DemoAgentMode { get; init; } = DemoAgentMode.GreetAndEcho;
}

/// <summary>What the demo agent does once a caller is in the room.</summary>
public enum DemoAgentMode
{
    /// <summary>Two seconds of 440 Hz, then the caller's own packets come back.</summary>
    GreetAndEcho,

    /// <summary>The caller's own packets come back from the first one on.</summary>
    Echo,

    /// <summary>440 Hz for as long as the room lives; what load tests and ears listen for.</summary>
    Tone,
}
