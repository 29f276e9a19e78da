using System;
using System.Buffers;
using Proxy.Core;

namespace Proxy.Sip.Framing;

/// <summary>Any thread. What <see cref="SipStreamFramer.Next"/> found at the front of the stream.</summary>
public enum SipFrameVerdict : byte
{
    /// <summary>Nothing whole yet: read more. <c>Consumed</c> bytes (stray CRLFs) may already be dropped.</summary>
    NeedMore,

    /// <summary>A whole message of <c>Consumed − Skipped</c> bytes behind <c>Skipped</c> stray bytes.</summary>
    Message,

    /// <summary>A double CRLF: write CRLF back (RFC 5626 §4.4.1), drop <c>Consumed</c> bytes.</summary>
    Ping,

    /// <summary>A broken message: hand the first <c>Consumed − Skipped</c> bytes behind <c>Skipped</c> to the endpoint (it answers 400 or 513), then close.</summary>
    RefuseAndClose,

    /// <summary>No SIP at all (TLS on a plain port, HTTP): close without a word.</summary>
    Close,
}

/// <summary>Any thread. One step of the framer.</summary>
/// <param name="Verdict">What was found.</param>
/// <param name="Skipped">Bytes before the message.</param>
/// <param name="Consumed">Bytes to drop from the stream, <paramref name="Skipped"/> included.</param>
public readonly record struct SipFrame(SipFrameVerdict Verdict, long Skipped, long Consumed);

/// <summary>One owner (the connection). Cuts a TCP or TLS stream into messages.</summary>
/// <remarks>RFC 3261 §18.3, §7.5; RFC 5626 §4.4.1.</remarks>
public sealed class SipStreamFramer
{
    public SipStreamFramer(Limits limits) => _ = limits;

    /// <summary>Whether a message has begun and is not whole: the connection's header and body timeouts run.</summary>
    public bool IsInMessage => throw new NotImplementedException();

    /// <summary>Looks at the front of the stream. Call again after dropping <c>Consumed</c> bytes until NeedMore.</summary>
    public SipFrame Next(in ReadOnlySequence<byte> stream) => throw new NotImplementedException();
}
