using System;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.DevRoom.Forwarding;

namespace Proxy.DevRoom;

/// <summary>
/// Room loop. The built-in LiveKit room server for development and tests as one machine: signalling, ICE-lite transports
/// behind one UDP socket, forwarding, data, room life and the RoomService API. No socket, no clock.
/// </summary>
public sealed class RoomServer : IDisposable
{
    public RoomServer(RoomServerOptions options, IPeerTransportFactory peers, IRandom random) => Options = options;

    public RoomServerOptions Options { get; }

    /// <summary>The earliest time at which <see cref="HandleTimeout"/> has work.</summary>
    public MonoTime NextDeadline => throw new NotImplementedException();

    /// <summary>Answers a GET below <c>/rtc</c>.</summary>
    /// <param name="connection">A number of the runtime for this connection, never used again.</param>
    /// <param name="path">Path without query.</param>
    /// <param name="query">Query without the question mark, still percent-encoded.</param>
    /// <param name="bearerToken">From the Authorization header, or null (then <c>access_token</c> counts).</param>
    /// <param name="isWebSocket">Whether the request asks for a WebSocket.</param>
    /// <returns>101 (upgrade; outputs follow), or the refusal with the stock server's status and body.</returns>
    public RoomHttpReply OpenConnection(long connection, string path, string query, string? bearerToken, bool isWebSocket, MonoTime now) => throw new NotImplementedException();

    /// <summary>One WebSocket message of a client.</summary>
    public void FrameReceived(long connection, ReadOnlySpan<byte> frame, bool isText, MonoTime now) => throw new NotImplementedException();

    /// <summary>The WebSocket is gone; media lives on until ICE fails or the client leaves.</summary>
    public void ConnectionClosed(long connection, MonoTime now) => throw new NotImplementedException();

    /// <summary>One datagram of the UDP mux; it is changed in place.</summary>
    public void Datagram(Span<byte> datagram, in NetEndPoint from, MonoTime now) => throw new NotImplementedException();

    public void HandleTimeout(MonoTime now) => throw new NotImplementedException();

    /// <summary>A RoomService call over Twirp.</summary>
    /// <param name="method">The last path segment, for example <c>ListRooms</c>.</param>
    /// <param name="isJson">Content type application/json instead of application/protobuf.</param>
    public RoomHttpReply CallRoomService(string method, ReadOnlySpan<byte> body, bool isJson, string? bearerToken, MonoTime now) => throw new NotImplementedException();

    /// <summary>Puts a demo agent in a room (made when missing).</summary>
    public void AddDemoAgent(string room, DemoAgentMode mode, MonoTime now) => throw new NotImplementedException();

    /// <summary>Next step on a signalling connection; drain until false after every call above.</summary>
    public bool TryPollSignal(out SignalOutput output) => throw new NotImplementedException();

    /// <summary>Next datagram to send from the mux; drain until false. The span is good until the next call.</summary>
    public bool TryPollDatagram(out ReadOnlySpan<byte> datagram, out NetEndPoint to) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
