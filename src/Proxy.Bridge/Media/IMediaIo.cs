using System;
using Proxy.Core.Net;

namespace Proxy.Bridge.Media;

/// <summary>The two UDP sockets of a call.</summary>
public enum MediaSide
{
    Sip,
    Room,
}

/// <summary>Shard. What a call's media asks of the loop that owns it; implemented by the runtime, and by a double in tests.</summary>
public interface IMediaIo
{
    /// <summary>Sends one datagram; the bytes are copied by the kernel before it returns.</summary>
    /// <returns>False when the kernel refused it (full buffer, unreachable): counted by the caller, never retried.</returns>
    bool Send(CallMedia media, MediaSide side, ReadOnlySpan<byte> datagram, in NetEndPoint to);

    /// <summary>Tells the signal thread something about the call; never lost (the ring is sized by the limits).</summary>
    void Emit(CallMedia media, in CallEvent mediaEvent);
}
