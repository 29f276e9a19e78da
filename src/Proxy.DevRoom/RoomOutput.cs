using System;

namespace Proxy.DevRoom;

/// <summary>What the runtime has to do on a signalling connection.</summary>
public enum SignalOutputKind
{
    /// <summary>Send <see cref="SignalOutput.Frame"/> as one WebSocket message.</summary>
    SendFrame,

    /// <summary>Close the WebSocket with <see cref="SignalOutput.CloseCode"/>.</summary>
    Close,

    /// <summary>Close the TCP connection without a close frame.</summary>
    Abort,
}

/// <summary>Any thread. One step for a signalling connection.</summary>
/// <param name="Connection">The number that <see cref="RoomServer.OpenConnection"/> was given.</param>
/// <param name="IsText">Whether the frame is a text frame (protojson) instead of a binary one.</param>
/// <param name="CloseCode">RFC 6455 §7.4 status; 0 for a frame.</param>
public readonly record struct SignalOutput(long Connection, SignalOutputKind Kind, byte[] Frame, bool IsText, ushort CloseCode);

/// <summary>Any thread. An HTTP answer of the room server.</summary>
/// <param name="Status">101 means: upgrade to a WebSocket; outputs for the connection follow.</param>
public readonly record struct RoomHttpReply(int Status, string ContentType, byte[] Body)
{
    public static RoomHttpReply Upgrade => new(101, "", []);

    public bool IsUpgrade => Status == 101;

    public static RoomHttpReply Text(int status, string body) =>
        new(status, "text/plain; charset=utf-8", System.Text.Encoding.UTF8.GetBytes(body));
}
