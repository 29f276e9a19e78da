using Proxy.Core.Collections;

namespace Proxy.Server.WebSockets;

/// <summary>Any thread. Whose WebSocket it is.</summary>
/// <param name="Call">The call's place in its table.</param>
/// <param name="Socket">Number of the dial within the call, as the participant counts them.</param>
public readonly record struct SignalSocketKey(SlotId Call, int Socket);

/// <summary>Pool threads call; the implementation puts it into the signal thread's ring. What happened to a WebSocket that was dialled.</summary>
/// <remarks>For one key: either Refused once, or Opened, then Messages in order, then Closed once; nothing else after.</remarks>
public interface ISignalSocketSink
{
    void Opened(SignalSocketKey key);

    /// <summary>One whole binary message; the array is the receiver's to keep.</summary>
    void Message(SignalSocketKey key, byte[] message);

    /// <summary>It is gone, whoever closed it.</summary>
    /// <param name="code">RFC 6455 §7.4 status of the server; 1006 when there was none.</param>
    void Closed(SignalSocketKey key, int code);

    /// <summary>The dial failed.</summary>
    /// <param name="httpStatus">The server's status; 0 when there was no HTTP answer.</param>
    /// <param name="body">Up to 4 KB of its body, or the reason of the failure as UTF-8.</param>
    void Refused(SignalSocketKey key, int httpStatus, byte[] body);
}
