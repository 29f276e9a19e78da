namespace Proxy.WebRtc.Sctp;

/// <summary>Any thread. What an association may hold and how long it waits; the reasons stand beside the figures.</summary>
public static class SctpLimits
{
    /// <summary>Largest packet, bytes: with the worst DTLS 1.2 record around it (65 bytes) below the 1,200 of a datagram.</summary>
    public const int PacketBytes = 1_120;

    /// <summary>Received bytes that wait for their rest or their turn; the window we advertise.</summary>
    public const int InboundBytes = 256 * 1024;

    /// <summary>Received chunks that wait; below it even one-byte chunks stay cheap to search.</summary>
    public const int InboundChunks = 1_024;

    /// <summary>Holes in the received numbers that we keep track of; chunks that would open more are dropped and come again.</summary>
    public const int Gaps = 64;

    /// <summary>Bytes of messages queued or not yet acknowledged: two of the largest messages that LiveKit allows (65,535).</summary>
    public const int OutboundBytes = 128 * 1024;

    /// <summary>Chunks queued or not yet acknowledged.</summary>
    public const int OutboundChunks = 1_024;

    /// <summary>Streams in each direction that INIT speaks of; libwebrtc numbers channels up to 1,023.</summary>
    public const int Streams = 1_024;

    /// <summary>Streams that may be in use at once; LiveKit uses three.</summary>
    public const int StreamsInUse = 64;

    /// <summary>Largest state cookie of the peer that we echo.</summary>
    public const int CookieBytes = 1_000;

    /// <summary>Control chunks that wait to be sent; more are dropped, the peer asks again.</summary>
    public const int ControlChunks = 8;

    /// <summary>First wait for INIT ACK and COOKIE ACK; the peer's SCTP may start a moment after its DTLS.</summary>
    public const long HandshakeMillis = 200;

    public const int HandshakeAttempts = 12;

    /// <summary>RFC 9260 §16 says 1 s, 1 s, 60 s; calls are shorter than the Internet of 2000 (libwebrtc: 500, 400, 60,000).</summary>
    public const long RtoInitialMillis = 500;

    /// <summary>Above the 200 ms by which peers may delay a SACK, else a lonely message is sent twice.</summary>
    public const long RtoMinMillis = 400;

    public const long RtoMaxMillis = 10_000;

    /// <summary>Timeouts in a row after which the peer is given up (RFC 9260 §16: Association.Max.Retrans).</summary>
    public const int TimeoutsMax = 10;

    /// <summary>Longest wait before a SACK (RFC 9260 §6.2 allows 500 ms).</summary>
    public const long SackMillis = 100;
}
