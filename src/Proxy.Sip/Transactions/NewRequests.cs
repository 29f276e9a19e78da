using System;
using Proxy.Core.Time;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Transactions;

/// <summary>Signal thread. Requests outside any dialog: the inspections of §8.2, and the birth of a call.</summary>
internal sealed class NewRequests(SipCore core, StatelessResponses stateless)
{
    private const int TagLength = 16;
    private static readonly TimeSpan s_strangersTrying = TimeSpan.FromMilliseconds(200);

    /// <summary>Takes a request without a To tag that belongs to no transaction.</summary>
    public void Handle(in SipMessageView view, in SipFlow flow, bool isClosed, MonoTime now)
    {
        switch (view.Method)
        {
            case SipMethod.Invite or SipMethod.Options:
                break;
            case SipMethod.Bye or SipMethod.Update or SipMethod.Prack or SipMethod.Info or SipMethod.Notify or SipMethod.Refer:
                stateless.Send(in view, in flow, 481, default);
                return;
            case SipMethod.Unknown:
                stateless.Send(in view, in flow, 501, default);
                return;
            default:
                stateless.Send(in view, in flow, 405, default);
                return;
        }
        if (!PassesInspection(in view, in flow))
        {
            return;
        }
        if (isClosed)
        {
            core.Counters.Overload++;
            stateless.SendOverloaded(in view, in flow, SipRefusalCause.Overload);
        }
        else if (view.Method == SipMethod.Options)
        {
            stateless.Send(in view, in flow, 200, default, default, OptionsAnswer);
        }
        else
        {
            BeginCall(in view, in flow, now);
        }
    }

    /// <summary>Sends the 100 of an INVITE that got no other response so far.</summary>
    public void SendTrying(ServerTransaction transaction, MonoTime now) =>
        transaction.Dialog!.Answer(transaction, 100, default, default, now);

    /// <summary>A stranger gets one response to its INVITE, and none before it is known which: 100 after 200 ms only (§17.2.1).</summary>
    private TimeSpan DelayOf(in SipFlow flow, MonoTime now) =>
        core.Options.Guard?.IsStranger(flow.Remote.Address, now) == true && core.Options.TryingDelay < s_strangersTrying ? s_strangersTrying : core.Options.TryingDelay;

    private static ReadOnlySpan<byte> OptionsAnswer => "Accept: application/sdp, multipart/mixed\r\nAccept-Encoding: identity\r\n"u8;

    /// <summary>§8.2.2: Request-URI, merged requests, Require; §8.2.3: content; Accept.</summary>
    private bool PassesInspection(in SipMessageView view, in SipFlow flow)
    {
        Span<byte> unsupported = stackalloc byte[512];
        int length;
        if (SipUriView.SchemeOf(view.RequestUri) == SipUriScheme.Other)
        {
            stateless.Send(in view, in flow, 416, default);
        }
        else if (view.Method == SipMethod.Invite && core.Server.IsMerged(in view))
        {
            core.Counters.Collisions++;
            stateless.Send(in view, in flow, 482, default);
        }
        else if ((length = RequestChecks.WriteUnsupported(in view, unsupported)) > 0)
        {
            stateless.Send(in view, in flow, 420, default, default, unsupported[..length]);
        }
        else if (view.Method == SipMethod.Invite && !RequestChecks.HasReadableBody(in view))
        {
            stateless.Send(in view, in flow, 415, default, default, OptionsAnswer);
        }
        else if (view.Method == SipMethod.Invite && !RequestChecks.AcceptsSdp(in view))
        {
            stateless.Send(in view, in flow, 406, default);
        }
        else if (view.Method == SipMethod.Invite && SessionTimer.IsTooSmall(in view, core.Options.MinSessionExpires))
        {
            length = RequestChecks.WriteMinSE(core.Options.MinSessionExpires, unsupported);
            stateless.Send(in view, in flow, 422, default, default, unsupported[..length]);
        }
        else if (view.Method == SipMethod.Invite && view.Has(SipHeaderId.Replaces) && FindReplaced(in view, in flow, out _) is var status and > 0)
        {
            stateless.Send(in view, in flow, status, default);
        }
        else
        {
            return true;
        }
        return false;
    }

    /// <summary>RFC 3891 §3. Its three ids are public: a source that may not speak in the dialog hears what it would hear of none, unless it can prove itself.</summary>
    /// <returns>0, or the status to refuse with. An early dialog is never one that we began: 481.</returns>
    private int FindReplaced(in SipMessageView view, in SipFlow flow, out SipDialog? replaced)
    {
        replaced = null;
        view.TryGetHeader(SipHeaderId.Replaces, out ReadOnlySpan<byte> value);
        if (!ReplacesView.TryParse(value, out ReplacesView replaces))
        {
            return 400;
        }
        if (!core.Dialogs.TryFind(replaces.CallId, replaces.ToTag, replaces.FromTag, out SipDialog? dialog) || dialog.State == SipDialogState.Early)
        {
            return 481;
        }
        if (dialog.Login is null && !dialog.Allows(flow.Remote.Address))
        {
            core.Counters.ForeignSource++;
            return 481;
        }
        replaced = dialog;
        return dialog.State == SipDialogState.Ended ? 603 : replaces.IsEarlyOnly ? 486 : 0;
    }

    private void BeginCall(in SipMessageView view, in SipFlow flow, MonoTime now)
    {
        ServerTransaction? transaction = core.Dialogs.IsFull ? null : core.Server.TryCreate(in view, in flow);
        if (transaction is null)
        {
            core.Counters.Overload++;
            stateless.SendOverloaded(in view, in flow, SipRefusalCause.TableFull);
            return;
        }
        core.Counters.Invites++;
        Span<byte> tag = stackalloc byte[TagLength];
        ReadOnlySpan<byte> recent = core.RecentTags.Find(view.CallId, view.From.Tag, now);
        if (recent.Length == TagLength)
        {
            recent.CopyTo(tag);
        }
        else
        {
            "SCL_"u8.CopyTo(tag);
            RandomText.Fill(tag[4..], core.Random);
        }
        var dialog = new SipDialog(core, in view, in flow, tag) { InviteTransaction = transaction.Id };
        transaction.Dialog = dialog;
        core.Dialogs.TryAdd(dialog);
        if (view.Has(SipHeaderId.Replaces) && FindReplaced(in view, in flow, out SipDialog? replaced) == 0)
        {
            dialog.Replaced = replaced;
        }
        if (DelayOf(in flow, now) is { Ticks: > 0 } delay)
        {
            core.Server.DelayTrying(transaction, now + delay);
        }
        else
        {
            SendTrying(transaction, now);
        }
        core.Raise(SipEventKind.Invite, dialog, transaction.Request, transaction.Id, SipMethod.Invite);
    }
}
