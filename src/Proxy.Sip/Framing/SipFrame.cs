namespace Proxy.Sip.Framing;

/// <summary>Any thread. What <see cref="SipStreamFramer.Next"/> found at the front of the stream.</summary>
public enum SipFrameVerdict : byte
{
    /// <summary>Nothing whole yet: read more.</summary>
    NeedMore,

    /// <summary>A whole message of <c>Consumed − Skipped</c> bytes behind <c>Skipped</c> stray bytes.</summary>
    Message,

    /// <summary>A double CRLF: write CRLF back (RFC 5626 §4.4.1), drop <c>Consumed</c> bytes.</summary>
    Ping,

    /// <summary>A broken message: hand the bytes to the endpoint like a message (it answers 400 or 513), send what it says, then close.</summary>
    RefuseAndClose,

    /// <summary>No SIP at all (TLS on a plain port, HTTP): close without a word.</summary>
    Close,
}

/// <summary>Any thread. One step of the framer.</summary>
/// <param name="Verdict">What was found.</param>
/// <param name="Skipped">Bytes before the message.</param>
/// <param name="Consumed">Bytes to drop from the stream, <paramref name="Skipped"/> included.</param>
public readonly record struct SipFrame(SipFrameVerdict Verdict, long Skipped, long Consumed);
