using System;
using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Sip.Parsing;
using Proxy.Sip.Transactions;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Dialogs;

/// <summary>Signal thread. Requests of the peer inside a dialog: who may send them, in which order, and what becomes of them.</summary>
/// <remarks>RFC 3261 §12.2.2, §14.2, §15.1.2; RFC 3262 §3, §5; RFC 3311 §5.2; RFC 3515; RFC 6086.</remarks>
internal sealed class DialogRequests(SipCore core, StatelessResponses stateless)
{
    /// <summary>Takes a request with a To tag that belongs to no transaction.</summary>
    public void Handle(in SipMessageView view, in SipFlow flow, MonoTime now)
    {
        if (!core.Dialogs.TryFind(in view, out SipDialog? dialog))
        {
            stateless.Send(in view, in flow, view.Method == SipMethod.Unknown ? 501 : 481, default);
            return;
        }
        // All three ids are public (they are attributes of the room): knowing them is not enough.
        if (!dialog.Allows(flow.Remote.Address) && !IsProven(dialog, in view, in flow, now))
        {
            return;
        }
        if (view.Method is SipMethod.Unknown or SipMethod.Register or SipMethod.Publish or SipMethod.Subscribe or SipMethod.Message)
        {
            stateless.Send(in view, in flow, view.Method == SipMethod.Unknown ? 501 : 405, default);
            return;
        }
        if (core.Server.TryCreate(in view, in flow) is not { } transaction)
        {
            core.Counters.Overload++;
            stateless.SendOverloaded(in view, in flow, SipRefusalCause.TableFull);
            return;
        }
        transaction.Dialog = dialog;
        HandleInOrder(dialog, transaction, in view, in flow, now);
    }

    /// <summary>Somebody from elsewhere may prove the trunk's credentials (§22); the answers leave no state, and one is as long as what was sent at most.</summary>
    /// <returns>False when it is answered.</returns>
    private bool IsProven(SipDialog dialog, in SipMessageView view, in SipFlow flow, MonoTime now)
    {
        byte[] challenge = [];
        switch (dialog.Judge?.Judge(in view, in flow, now, out challenge))
        {
            case ForeignVerdict.Take:
                core.Counters.ForeignProven++;
                core.Options.Guard?.Vouch(flow.Remote.Address, now);
                dialog.Admit(flow.Remote.Address);
                return true;
            case ForeignVerdict.Ask:
                core.Counters.ForeignChallenged++;
                int status = core.Listener(in flow).Challenge;
                Span<byte> buffer = stackalloc byte[1024];
                var lines = new SipHeaderLines(buffer);
                lines.Add(status == 401 ? "WWW-Authenticate"u8 : "Proxy-Authenticate"u8, challenge);
                stateless.Send(in view, in flow, status, default, dialog.Identity.LocalTag, lines.Written);
                return false;
            default:
                core.Counters.ForeignSource++;
                stateless.Send(in view, in flow, 481, default);
                return false;
        }
    }

    private void HandleInOrder(SipDialog dialog, ServerTransaction transaction, in SipMessageView view, in SipFlow flow, MonoTime now)
    {
        Span<byte> unsupported = stackalloc byte[512];
        if (view.CSeq.Number <= dialog.RemoteCSeq)
        {
            core.Counters.Collisions++;
            Answer(dialog, transaction, 500, default, now);
            return;
        }
        dialog.RemoteCSeq = view.CSeq.Number;
        dialog.Follow(in flow);
        int length = RequestChecks.WriteUnsupported(in view, unsupported);
        if (length > 0 && view.Method != SipMethod.Bye)
        {
            Answer(dialog, transaction, 420, unsupported[..length], now);
            return;
        }
        switch (view.Method)
        {
            case SipMethod.Bye:
                HandleBye(dialog, transaction, now);
                break;
            case SipMethod.Invite:
                HandleReInvite(dialog, transaction, in view, now);
                break;
            case SipMethod.Update:
                HandleUpdate(dialog, transaction, in view, now);
                break;
            case SipMethod.Notify:
                HandleNotify(dialog, transaction, in view, now);
                break;
            case SipMethod.Prack:
                HandlePrack(dialog, transaction, in view, now);
                break;
            case SipMethod.Info:
                Offer(SipEventKind.Info, dialog, transaction, now);
                break;
            case SipMethod.Refer:
                Offer(SipEventKind.Refer, dialog, transaction, now);
                break;
            case SipMethod.Options:
                Answer(dialog, transaction, 200, "Accept: application/sdp, multipart/mixed\r\n"u8, now);
                break;
            default:
                Answer(dialog, transaction, 481, default, now);
                break;
        }
    }

    private static void Answer(SipDialog dialog, ServerTransaction transaction, int status, ReadOnlySpan<byte> extra, MonoTime now) =>
        dialog.Answer(transaction, status, default, extra, now);

    /// <summary>Hands a request to the owner; on a dialog that is over nobody would answer it.</summary>
    private void Offer(SipEventKind kind, SipDialog dialog, ServerTransaction transaction, MonoTime now)
    {
        if (dialog.State == SipDialogState.Ended)
        {
            Answer(dialog, transaction, 481, default, now);
            return;
        }
        core.Server.LimitLife(transaction, now);
        core.Raise(kind, dialog, transaction.Request, transaction.Id, transaction.Method);
    }

    private void HandleBye(SipDialog dialog, ServerTransaction transaction, MonoTime now)
    {
        Answer(dialog, transaction, 200, default, now);
        if (dialog.State == SipDialogState.Early)
        {
            dialog.HandleCancelled(now, transaction.Request);
        }
        else
        {
            dialog.HandleBye(transaction.Request, now);
        }
    }

    private void HandleReInvite(SipDialog dialog, ServerTransaction transaction, in SipMessageView view, MonoTime now)
    {
        if (dialog.State == SipDialogState.Ended)
        {
            Answer(dialog, transaction, 481, default, now);
        }
        else if (dialog.State == SipDialogState.Early || !dialog.PendingReInvite.IsNone || !dialog.PendingUpdate.IsNone)
        {
            RefuseForNow(dialog, transaction, now);
        }
        else if (dialog.IsOffering || dialog.IsAnswerDue)
        {
            core.Counters.Collisions++;
            Answer(dialog, transaction, 491, default, now);
        }
        else if (RefusesContent(dialog, transaction, in view, now))
        {
            return;
        }
        else
        {
            // RFC 5407 §3.1.5: a re-INVITE may overtake the ACK; it shows that the 2xx arrived.
            dialog.HandleImplicitAck();
            dialog.PendingReInvite = transaction.Id;
            Answer(dialog, transaction, 100, default, now);
            core.Server.LimitLife(transaction, now);
            core.Raise(SipEventKind.ReInvite, dialog, transaction.Request, transaction.Id, SipMethod.Invite);
        }
    }

    /// <summary>415 for a body that is no SDP; 422 for a session interval that is too short (RFC 4028 §9).</summary>
    private bool RefusesContent(SipDialog dialog, ServerTransaction transaction, in SipMessageView view, MonoTime now)
    {
        if (!RequestChecks.HasReadableBody(in view))
        {
            Answer(dialog, transaction, 415, "Accept: application/sdp, multipart/mixed\r\n"u8, now);
            return true;
        }
        if (SessionTimer.IsTooSmall(in view, core.Options.MinSessionExpires))
        {
            Span<byte> line = stackalloc byte[32];
            Answer(dialog, transaction, 422, line[..RequestChecks.WriteMinSE(core.Options.MinSessionExpires, line)], now);
            return true;
        }
        return false;
    }

    /// <summary>A PRACK of ours to take is answered with 200 whatever it says; one that nobody can read does not count as one.</summary>
    private void HandlePrack(SipDialog dialog, ServerTransaction transaction, in SipMessageView view, MonoTime now)
    {
        if (RefusesContent(dialog, transaction, in view, now))
        {
            return;
        }
        PrackKind kind = dialog.HandlePrack(in view);
        if (kind == PrackKind.Offer)
        {
            dialog.PendingPrack = transaction.Id;
            core.Server.LimitLife(transaction, now);
            core.Raise(SipEventKind.Prack, dialog, transaction.Request, transaction.Id, SipMethod.Prack);
            return;
        }
        Answer(dialog, transaction, kind == PrackKind.Stray ? 481 : 200, default, now);
        if (kind == PrackKind.Plain)
        {
            core.Raise(SipEventKind.Prack, dialog, transaction.Request, SlotId.None, SipMethod.Prack);
            dialog.SendDueAccept(now);
        }
    }

    /// <summary>500 with a random Retry-After of 0–10 s (§14.2): an earlier request is not finished.</summary>
    private void RefuseForNow(SipDialog dialog, ServerTransaction transaction, MonoTime now)
    {
        core.Counters.Collisions++;
        Span<byte> random = stackalloc byte[1];
        core.Random.Fill(random);
        Span<byte> line = stackalloc byte[24];
        var writer = new SipWriter(line);
        writer.Add("Retry-After: "u8);
        writer.AddNumber(random[0] % 11);
        writer.Add("\r\n"u8);
        Answer(dialog, transaction, 500, line[..writer.Length], now);
    }

    /// <summary>RFC 3311 §5.2: 500 while an offer of the peer has no answer, 491 while one of ours has none. In an early dialog the first exchange must be over.</summary>
    private void HandleUpdate(SipDialog dialog, ServerTransaction transaction, in SipMessageView view, MonoTime now)
    {
        if (dialog.State == SipDialogState.Ended)
        {
            Answer(dialog, transaction, 481, default, now);
        }
        else if (!dialog.PendingUpdate.IsNone)
        {
            RefuseForNow(dialog, transaction, now);
        }
        else if (view.Body.IsEmpty)
        {
            if (RefusesContent(dialog, transaction, in view, now))
            {
                return;
            }
            Answer(dialog, transaction, 200, default, now);
            core.Raise(SipEventKind.Update, dialog, transaction.Request, SlotId.None, SipMethod.Update);
        }
        else if (!dialog.PendingReInvite.IsNone || !dialog.PendingPrack.IsNone || dialog.IsFirstOfferOpen)
        {
            RefuseForNow(dialog, transaction, now);
        }
        else if (dialog.IsOffering || dialog.IsAnswerDue)
        {
            core.Counters.Collisions++;
            Answer(dialog, transaction, 491, default, now);
        }
        else if (RefusesContent(dialog, transaction, in view, now))
        {
            return;
        }
        else
        {
            dialog.PendingUpdate = transaction.Id;
            core.Server.LimitLife(transaction, now);
            core.Raise(SipEventKind.Update, dialog, transaction.Request, transaction.Id, SipMethod.Update);
        }
    }

    /// <summary>Only the progress of our own REFER is subscribed to; it is answered at once.</summary>
    private void HandleNotify(SipDialog dialog, ServerTransaction transaction, in SipMessageView view, MonoTime now)
    {
        view.TryGetHeader(SipHeaderId.Event, out ReadOnlySpan<byte> package);
        int end = package.IndexOf((byte)';');
        bool isRefer = SipText.Same(SipText.TrimEnd(end < 0 ? package : package[..end]), "refer"u8);
        bool isPast = end >= 0 && SipParameters.TryGet(package[end..], "id"u8, out ReadOnlySpan<byte> id)
            && SipText.TryReadNumber(id, uint.MaxValue, out long number) && dialog.IsPastRefer(number);
        if (!isRefer || !dialog.HasReferred || isPast)
        {
            Answer(dialog, transaction, isRefer ? 481 : 489, isRefer ? default : "Allow-Events: refer\r\n"u8, now);
            return;
        }
        Answer(dialog, transaction, 200, default, now);
        view.TryGetHeader(SipHeaderId.SubscriptionState, out ReadOnlySpan<byte> subscription);
        bool isLast = subscription.Length >= 10 && SipText.Same(subscription[..10], "terminated"u8);
        int status = MediaType.Is(view.ContentType, "message/sipfrag"u8) ? SipFragment.Status(view.Body) : 0;
        core.Raise(SipEventKind.NotifyReceived, dialog, transaction.Request, SlotId.None, SipMethod.Notify, status, isLast);
    }
}
