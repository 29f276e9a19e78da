using System;
using Proxy.Core.Memory;
using Proxy.Core.Time;

namespace Proxy.Sip;

/// <summary>
/// Signal thread. SIP without sockets: bytes and time in, bytes and events out. It answers by itself whatever needs no call
/// (OPTIONS, errors, strays, retransmissions) and hands calls to the owner as <see cref="Dialogs.SipDialog"/>s.
/// </summary>
/// <remarks>RFC 3261 §8.2, §17, RFC 6026, RFC 3581. After each Handle call drain TryPollEvent, then TryPollSend.</remarks>
public sealed class SipEndpoint : IDisposable
{
    /// <param name="options">Listeners, limits, header values.</param>
    /// <param name="random">For tags, branches and the hash key.</param>
    public SipEndpoint(SipEndpointOptions options, IRandom random)
    {
        _ = options;
        _ = random;
    }

    /// <summary>Refuse new calls and OPTIONS with 503 and Retry-After; running calls go on.</summary>
    public bool IsDraining { get; set; }

    /// <summary>Refuse new calls and OPTIONS with 503 and Retry-After; running calls go on.</summary>
    public bool IsOverloaded { get; set; }

    public ref readonly SipCounters Counters => throw new NotImplementedException();

    /// <summary>The earliest time <see cref="HandleTimeout"/> has something to do.</summary>
    public MonoTime NextDeadline => throw new NotImplementedException();

    /// <summary>Takes one whole message (a datagram, or what <see cref="Framing.SipStreamFramer"/> cut out). Garbage is counted, never thrown.</summary>
    public void HandleMessage(ReadOnlySpan<byte> message, in SipFlow flow, MonoTime now) => throw new NotImplementedException();

    /// <summary>A stream connection is gone.</summary>
    public void HandleFlowClosed(in SipFlow flow, MonoTime now) => throw new NotImplementedException();

    /// <summary>A message could not be sent to that flow (connect failed, unreachable).</summary>
    public void HandleSendFailed(in SipFlow flow, MonoTime now) => throw new NotImplementedException();

    /// <summary>Runs what is due.</summary>
    public void HandleTimeout(MonoTime now) => throw new NotImplementedException();

    /// <summary>Takes the next message to send.</summary>
    /// <param name="buffer">At least <see cref="Proxy.Core.Limits.SipMessageBytes"/> bytes.</param>
    /// <param name="flow">Where to; Connection 0 of a stream transport means: open a connection to Remote.</param>
    /// <returns>False when there is none.</returns>
    public bool TryPollSend(Span<byte> buffer, out int length, out SipFlow flow) => throw new NotImplementedException();

    /// <summary>Takes the next event; bytes of the one before are no longer readable.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryPollEvent(out SipEvent e) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
