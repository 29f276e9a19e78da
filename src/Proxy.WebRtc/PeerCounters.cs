namespace Proxy.WebRtc;

/// <summary>One owner. What a peer dropped and why; read at the end of a call or for metrics, summed by the runtime.</summary>
public sealed class PeerCounters
{
    /// <summary>First byte of no protocol we speak (RFC 7983), or too short.</summary>
    public long Unknown { get; set; }

    /// <summary>STUN that does not parse, or with a wrong fingerprint.</summary>
    public long StunMalformed { get; set; }

    /// <summary>STUN requests for another user fragment or with wrong integrity; never answered.</summary>
    public long StunUnauthenticated { get; set; }

    /// <summary>STUN responses that answer nothing we asked.</summary>
    public long StunUnmatched { get; set; }

    /// <summary>A table or queue of the agent was full.</summary>
    public long IceOverflow { get; set; }

    /// <summary>DTLS, RTP or RTCP from an address that no authenticated check came from.</summary>
    public long Unvalidated { get; set; }

    /// <summary>DTLS before the remote description is known.</summary>
    public long DtlsTooEarly { get; set; }

    /// <summary>RTP or RTCP before the keys.</summary>
    public long SrtpTooEarly { get; set; }

    /// <summary>SRTP or SRTCP with a wrong tag, replayed or malformed.</summary>
    public long SrtpRefused { get; set; }

    /// <summary>SCTP packets with a wrong checksum, tag or shape.</summary>
    public long SctpMalformed { get; set; }

    /// <summary>Data messages dropped because a limit was reached.</summary>
    public long DataOverflow { get; set; }

    /// <summary>Events that nobody fetched in time.</summary>
    public long EventsLost { get; set; }
}
