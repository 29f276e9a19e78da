using Proxy.Core.Time;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;

namespace Proxy.Sip.Transactions;

/// <summary>Any thread. States of figures 5 and 6 of RFC 3261 and of RFC 6026.</summary>
internal enum ClientState : byte
{
    Free,

    /// <summary>No response yet ("Calling", "Trying").</summary>
    Calling,

    /// <summary>A provisional response came.</summary>
    Proceeding,

    /// <summary>INVITE: a 2xx came (RFC 6026).</summary>
    Accepted,

    /// <summary>A final response came (INVITE: not 2xx).</summary>
    Completed,
}

/// <summary>Signal thread. One client transaction of a dialog; the objects are reused.</summary>
internal sealed class ClientTransaction(int index)
{
    public int Index { get; } = index;

    public ClientState State { get; set; }

    public SipMethod Method { get; set; }

    public bool IsInvite => Method == SipMethod.Invite;

    public byte[] Branch { get; } = new byte[ClientTransactions.BranchLength];

    public SipFlow Flow { get; set; }

    public int Request { get; set; } = -1;

    /// <summary>The ACK of the final response, kept for its repetitions.</summary>
    public int Ack { get; set; } = -1;

    public uint CSeq { get; set; }

    public SipDialog? Dialog { get; set; }

    /// <summary>Challenges that were answered on the way to this transaction.</summary>
    public int Challenges { get; set; }

    /// <summary>Timer A or E.</summary>
    public MonoTime RetransmitAt { get; set; } = MonoTime.Never;

    public long IntervalMs { get; set; }

    /// <summary>Timer B, D, F, K or M.</summary>
    public MonoTime EndAt { get; set; } = MonoTime.Never;
}
