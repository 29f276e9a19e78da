using System;
using Proxy.Core.Time;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;
using Proxy.Sip.Targets;

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
    /// <summary>Places for one request; the last one is tried for as long as a transaction may last.</summary>
    public const int PlacesMax = 4;

    private readonly SipTarget[] _tried = new SipTarget[PlacesMax];
    private int _triedCount;

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

    /// <summary>Places that the same request went to before, oldest first.</summary>
    public ReadOnlySpan<SipTarget> Tried => _tried.AsSpan(0, _triedCount);

    /// <summary>Timer A or E.</summary>
    public MonoTime RetransmitAt { get; set; } = MonoTime.Never;

    public long IntervalMs { get; set; }

    /// <summary>Timer B, D, F, K or M; earlier while another place can be tried.</summary>
    public MonoTime EndAt { get; set; } = MonoTime.Never;

    /// <summary>Timer F as it would be without other places.</summary>
    public MonoTime LastEndAt { get; set; } = MonoTime.Never;

    /// <summary>Begins without a past.</summary>
    public void Clear()
    {
        _triedCount = 0;
        Challenges = 0;
    }

    /// <summary>Carries on where another transaction did not get through.</summary>
    /// <returns>False when that was the last place.</returns>
    public bool TryFollow(ClientTransaction other)
    {
        other.Tried.CopyTo(_tried);
        _triedCount = other._triedCount;
        Challenges = other.Challenges;
        if (_triedCount >= PlacesMax - 1)
        {
            return false;
        }
        _tried[_triedCount++] = new SipTarget(other.Flow.Transport, other.Flow.Remote);
        return true;
    }
}
