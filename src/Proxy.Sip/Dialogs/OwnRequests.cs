using System;
using Proxy.Core.Time;
using Proxy.Sip.Parsing;
using Proxy.Sip.Transactions;

namespace Proxy.Sip.Dialogs;

/// <summary>Signal thread. The requests that we send inside one dialog.</summary>
/// <remarks>RFC 3261 §12.2.1, §13.2.2.4, §14.1; RFC 3311 §5.1.</remarks>
internal sealed class OwnRequests(SipCore core, SipDialog dialog, DialogMessages messages)
{
    private byte[] _sdp = [];
    private uint _cseq;

    /// <summary>Whether a re-INVITE of ours has no final response yet.</summary>
    public bool IsInviting { get; private set; }

    /// <summary>Whether an UPDATE of ours has no final response yet.</summary>
    public bool IsUpdating { get; private set; }

    /// <summary>Whether we sent a REFER whose progress may be notified.</summary>
    public bool HasReferred { get; private set; }

    /// <summary>Our last session description.</summary>
    public ReadOnlySpan<byte> Sdp => _sdp;

    public void KeepSdp(ReadOnlySpan<byte> sdp)
    {
        if (!sdp.IsEmpty && !sdp.SequenceEqual(_sdp))
        {
            _sdp = sdp.ToArray();
        }
    }

    /// <returns>False when transactions or buffers are out.</returns>
    public bool Send(SipMethod method, ReadOnlySpan<byte> extra, ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body, MonoTime now)
    {
        ClientTransaction? transaction = core.Client.TryTake();
        if (transaction is null)
        {
            return false;
        }
        SipFlow flow = DialogFlow.Of(dialog.Flow, dialog.RouteSet, dialog.RemoteTarget);
        transaction.CSeq = ++_cseq;
        int request = messages.BuildRequest(method, transaction.Branch, transaction.CSeq, in flow, extra, contentType, body);
        if (request < 0)
        {
            core.Client.Cancel(transaction);
            return false;
        }
        if (method is SipMethod.Invite or SipMethod.Update)
        {
            KeepSdp(body);
        }
        IsInviting |= method == SipMethod.Invite;
        IsUpdating |= method == SipMethod.Update;
        HasReferred |= method == SipMethod.Refer;
        core.Client.Start(transaction, dialog, method, request, in flow, now);
        return true;
    }

    /// <summary>A request of ours has its final response.</summary>
    public void Settle(SipMethod method)
    {
        IsInviting = method != SipMethod.Invite && IsInviting;
        IsUpdating = method != SipMethod.Update && IsUpdating;
    }

    /// <summary>ACK of a 2xx to our re-INVITE: a request of its own with the INVITE's CSeq number (§13.2.2.4).</summary>
    public int BuildAckOfSuccess(uint cseq, out SipFlow flow)
    {
        Span<byte> branch = stackalloc byte[ClientTransactions.BranchLength];
        "z9hG4bK"u8.CopyTo(branch);
        RandomText.Fill(branch[7..], core.Random);
        flow = DialogFlow.Of(dialog.Flow, dialog.RouteSet, dialog.RemoteTarget);
        return messages.BuildRequest(SipMethod.Ack, branch, cseq, in flow, default, default, default);
    }
}
