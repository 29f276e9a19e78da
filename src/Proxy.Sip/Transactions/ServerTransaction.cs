using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;

namespace Proxy.Sip.Transactions;

/// <summary>Any thread. States of figures 7 and 8 of RFC 3261 and of RFC 6026.</summary>
internal enum ServerState : byte
{
    Free,

    /// <summary>No final response yet ("Trying" and "Proceeding").</summary>
    Proceeding,

    /// <summary>INVITE: 2xx sent (RFC 6026).</summary>
    Accepted,

    /// <summary>Final response sent (INVITE: not 2xx).</summary>
    Completed,

    /// <summary>INVITE: ACK came.</summary>
    Confirmed,
}

/// <summary>Signal thread. One server transaction; the objects are reused.</summary>
internal sealed class ServerTransaction(int index)
{
    public int Index { get; } = index;

    /// <summary>Odd while in use.</summary>
    public uint Generation { get; set; }

    public SlotId Id => new(Index, Generation);

    public ServerState State { get; set; }

    public SipMethod Method { get; set; }

    public bool IsInvite => Method == SipMethod.Invite;

    /// <summary>Where the request came from.</summary>
    public SipFlow Source { get; set; }

    /// <summary>Where responses go (RFC 3261 §18.2.2).</summary>
    public SipFlow Route { get; set; }

    /// <summary>The request, pooled.</summary>
    public int Request { get; set; } = -1;

    /// <summary>The last response, pooled; −1 before the first, and after the ACK of a 2xx.</summary>
    public int Response { get; set; } = -1;

    public ulong Key { get; set; }

    /// <summary>0 when it takes no part in the search for merged requests.</summary>
    public ulong MergeKey { get; set; }

    public uint CSeq { get; set; }

    public SipDialog? Dialog { get; set; }

    /// <summary>Timer G.</summary>
    public MonoTime RetransmitAt { get; set; } = MonoTime.Never;

    public long IntervalMs { get; set; }

    /// <summary>Timer H, I, J or L.</summary>
    public MonoTime EndAt { get; set; } = MonoTime.Never;

    /// <summary>Nothing is ever answered: neither the request nor a CANCEL of it.</summary>
    public bool IsSilent { get; set; }

    /// <summary>When a delayed 100 is due.</summary>
    public MonoTime TryingAt { get; set; } = MonoTime.Never;
}
