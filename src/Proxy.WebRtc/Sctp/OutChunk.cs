using Proxy.Core.Time;

namespace Proxy.WebRtc.Sctp;

/// <summary>One owner. A piece of a message on its way out. Its TSN is given when it is first sent.</summary>
internal sealed class OutChunk(int message, ushort stream, ushort ssn, uint ppid, byte flags, int maxRetransmits, byte[] payload)
{
    /// <summary>Pieces of one message have the same number.</summary>
    public int Message { get; } = message;

    public ushort Stream { get; } = stream;

    public ushort Ssn { get; } = ssn;

    public uint Ppid { get; } = ppid;

    public byte Flags { get; } = flags;

    /// <summary>-1: sent until it arrives.</summary>
    public int MaxRetransmits { get; } = maxRetransmits;

    public byte[] Payload { get; } = payload;

    public uint Tsn { get; set; }

    /// <summary>Transmissions so far.</summary>
    public int Sent { get; set; }

    public MonoTime SentAt { get; set; }

    /// <summary>Reports that spoke of later chunks and not of this one.</summary>
    public int Missed { get; set; }

    /// <summary>A gap block covers it.</summary>
    public bool IsAcked { get; set; }

    /// <summary>Taken for lost, waits to be sent again.</summary>
    public bool IsLost { get; set; }

    /// <summary>Given up (RFC 3758).</summary>
    public bool IsAbandoned { get; set; }

    public bool IsUnordered => (Flags & SctpWire.UnorderedFlag) != 0;

    /// <summary>Whether it counts as being in the network.</summary>
    public bool IsInFlight => Sent > 0 && !IsAcked && !IsLost && !IsAbandoned;
}
