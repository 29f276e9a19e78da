using System;
using System.Diagnostics.CodeAnalysis;
using Proxy.Core.Diagnostics;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Framing;
using Proxy.Sip.Guarding;
using Proxy.Sip.Parsing;
using Proxy.Sip.Targets;
using Proxy.Sip.Transactions;
using Proxy.Sip.Writing;

namespace Proxy.Sip;

/// <summary>
/// Signal thread. SIP without sockets: bytes and time in, bytes and events out. It answers by itself whatever needs no call
/// (OPTIONS, errors, strays, retransmissions) and hands calls to the owner as <see cref="SipDialog"/>s.
/// </summary>
/// <remarks>RFC 3261 §8.2, §17, RFC 6026, RFC 3581. After each Handle call drain TryPollEvent, then TryPollSend.</remarks>
public sealed class SipEndpoint : IDisposable
{
    private readonly SipCore _core;
    private readonly StatelessResponses _stateless;
    private readonly NewRequests _newRequests;
    private readonly DialogRequests _dialogRequests;
    private int _polledMessage = -1;

    /// <param name="options">Listeners, limits, header values.</param>
    /// <param name="random">For tags, branches and the hash key.</param>
    public SipEndpoint(SipEndpointOptions options, IRandom random)
    {
        _core = new SipCore(options, random);
        _stateless = new StatelessResponses(_core);
        _newRequests = new NewRequests(_core, _stateless);
        _dialogRequests = new DialogRequests(_core, _stateless);
    }

    /// <summary>Answer OPTIONS with 503 and Retry-After, so that carriers route around us. INVITEs still go to the owner, who refuses them by its own table.</summary>
    public bool IsDraining { get; set; }

    /// <summary>Refuse new calls and OPTIONS with 503 and Retry-After, without keeping state; running calls go on.</summary>
    public bool IsOverloaded { get; set; }

    /// <summary>Watches strangers; null without.</summary>
    public SourceGuard? Guard => _core.Options.Guard;

    /// <summary>What was counted since the start.</summary>
    public ref readonly SipCounters Counters
    {
        get
        {
            _core.Counters.Buffers = _core.Pool.Rented;
            return ref _core.Counters;
        }
    }

    /// <summary>The earliest time <see cref="HandleTimeout"/> has something to do.</summary>
    public MonoTime NextDeadline => _core.Timers.NextDeadline;

    /// <summary>Takes one whole message (a datagram, or what <see cref="SipStreamFramer"/> cut out). Garbage is counted, never thrown.</summary>
    /// <param name="message">Borrowed for the call.</param>
    /// <param name="flow">Where it came from.</param>
    /// <param name="now">The time of this turn.</param>
    public void HandleMessage(ReadOnlySpan<byte> message, in SipFlow flow, MonoTime now)
    {
        _core.Refusal = default;
        _core.Now = now;
        switch (FirstBytes.Classify(message))
        {
            case DatagramKind.KeepAlive:
                _core.Counters.KeepAlives++;
                return;
            case not DatagramKind.Sip:
                _core.Counters.NotSip++;
                return;
        }
        _core.Counters.MessagesIn++;
        bool isSound = SipMessageView.TryParse(message, out SipMessageView view, out SipParseError error, _core.Limits);
        if (error == SipParseError.NotSip)
        {
            _core.Counters.NotSip++;
        }
        else if (isSound && flow.IsReliable && view.IsRequest && !view.Has(SipHeaderId.ContentLength))
        {
            RefuseMalformed(in view, SipParseError.MissingContentLength, in flow, now);
        }
        else if (!isSound)
        {
            RefuseMalformed(in view, error, in flow, now);
        }
        else if (view.IsRequest)
        {
            HandleRequest(in view, in flow, now);
        }
        else
        {
            _core.Client.HandleResponse(in view, now);
        }
    }

    /// <summary>A stream connection is gone.</summary>
    /// <param name="flow">Its flow.</param>
    /// <param name="now">The time of this turn.</param>
    public void HandleFlowClosed(in SipFlow flow, MonoTime now)
    {
        if (flow.IsReliable && flow.Connection != 0)
        {
            _core.Server.HandleFlowClosed(in flow);
            _core.Dialogs.HandleFlowClosed(in flow, now);
            _core.Client.HandleFlowClosed(in flow);
        }
    }

    /// <summary>Whether a dialog lives on a stream connection.</summary>
    public bool HasDialogOn(in SipFlow flow) => _core.Dialogs.HasOn(in flow);

    /// <summary>A message could not be sent to that flow (connect failed, unreachable). UDP errors are left to the timers.</summary>
    /// <param name="flow">As handed out by <see cref="TryPollSend"/>.</param>
    /// <param name="now">The time of this turn.</param>
    public void HandleSendFailed(in SipFlow flow, MonoTime now)
    {
        if (flow.IsReliable)
        {
            _core.Client.HandleSendFailed(in flow, now);
        }
    }

    /// <summary>Runs what is due.</summary>
    /// <param name="now">The time of this turn.</param>
    public void HandleTimeout(MonoTime now)
    {
        _core.Now = now;
        while (_core.Timers.TryExpire(now, out int key))
        {
            int index = key / SipCore.Owners;
            switch ((TimerOwner)(key % SipCore.Owners))
            {
                case TimerOwner.Server:
                    if (_core.Server.HandleTimer(index, now) is { Dialog: not null } late)
                    {
                        _newRequests.SendTrying(late, now);
                    }
                    break;
                case TimerOwner.Client:
                    _core.Client.HandleTimer(index, now);
                    break;
                case TimerOwner.Target:
                    _core.Targets.HandleTimer(index, now);
                    break;
                default:
                    _core.Dialogs.At(index).HandleTimer(now);
                    break;
            }
        }
    }

    /// <summary>Whether the message that <see cref="HandleMessage"/> took last was an INVITE that is refused already and of which no event tells: so that it gets its record.</summary>
    /// <returns>True once for each such message.</returns>
    public bool TryPollRefusal(out SipRefusal refusal)
    {
        refusal = _core.Refusal;
        _core.Refusal = default;
        return refusal.Cause != SipRefusalCause.None;
    }

    /// <summary>Takes the next name that somebody is to look up; the answer goes to <see cref="HandleTargets"/>, or never comes.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryPollLookup([NotNullWhen(true)] out TargetName? name) => _core.Targets.TryPollQuestion(out name);

    /// <summary>What a name stands for.</summary>
    /// <param name="name">As handed out by <see cref="TryPollLookup"/>.</param>
    /// <param name="answer">From a <see cref="TargetSearch"/>.</param>
    /// <param name="now">The time of this turn.</param>
    public void HandleTargets(TargetName name, TargetList answer, MonoTime now) => _core.Targets.HandleAnswer(name, answer, now);

    /// <summary>Takes the next message to send.</summary>
    /// <param name="buffer">At least <see cref="Proxy.Core.Limits.SipMessageBytes"/> bytes.</param>
    /// <param name="length">Bytes written to it.</param>
    /// <param name="flow">Where to; Connection 0 of a stream transport means: open a connection to Remote.</param>
    /// <returns>False when there is none.</returns>
    [NoAlloc]
    public bool TryPollSend(Span<byte> buffer, out int length, out SipFlow flow)
    {
        bool isTaken = _core.Sends.TryTake(buffer, out length, out flow);
        _core.Counters.MessagesOut += isTaken ? 1 : 0;
        return isTaken;
    }

    /// <summary>Takes the next event; bytes of the one before are no longer readable.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryPollEvent(out SipEvent e)
    {
        _core.Pool.Release(_polledMessage);
        bool isTaken = _core.Events.TryTake(out e);
        _polledMessage = isTaken ? e.Message : -1;
        return isTaken;
    }

    /// <summary>Frees the message buffers.</summary>
    public void Dispose() => _core.Dispose();

    private void RefuseMalformed(in SipMessageView view, SipParseError error, in SipFlow flow, MonoTime now)
    {
        // An ACK is never answered, and without a readable Via nobody waits for an answer.
        if (!view.IsRequest || view.Method == SipMethod.Ack || view.TopVia.Host.IsEmpty)
        {
            _core.Counters.DroppedMalformed++;
            return;
        }
        _core.Counters.Malformed++;
        if (!Admits(in view, in flow, now))
        {
            return;
        }
        if (error == SipParseError.CSeqMethodMismatch && view.Method == SipMethod.Unknown)
        {
            _stateless.Send(in view, in flow, 501, default);
            return;
        }
        _stateless.Send(in view, in flow, SipParseErrors.Status(error), SipParseErrors.Reason(error));
        _core.Refusal = _core.Refusal.Cause == SipRefusalCause.None ? default : _core.Refusal with { Error = error };
    }

    /// <summary>Whether a request that belongs to no dialog and no transaction may go on: strangers have a rate, and a ban list.</summary>
    private bool Admits(in SipMessageView view, in SipFlow flow, MonoTime now)
    {
        GuardVerdict verdict = _core.Options.Guard?.Admit(flow.Remote.Address, now) ?? GuardVerdict.Pass;
        bool isAttempt = view.Method == SipMethod.Invite && view.To.Tag.IsEmpty;
        switch (verdict)
        {
            case GuardVerdict.Pass:
                return true;
            case GuardVerdict.Banned:
                _core.Counters.Banned++;
                _core.Refusal = isAttempt ? new SipRefusal(0, SipParseError.None, SipRefusalCause.Banned) : default;
                return false;
            default:
                bool isCrowd = verdict == GuardVerdict.Crowded;
                _core.Counters.Flooding += isCrowd ? 0 : 1;
                _core.Counters.Crowded += isCrowd ? 1 : 0;
                if (isAttempt)
                {
                    _stateless.SendOverloaded(in view, in flow, isCrowd ? SipRefusalCause.Crowded : SipRefusalCause.Flooding);
                }
                return false;
        }
    }

    /// <summary>Strangers may fill one half of the table; the other is for those whom somebody lists.</summary>
    private bool IsFullFor(in SipFlow flow, MonoTime now) =>
        _core.Server.IsFull || (_core.Server.IsHalfFull && _core.Options.Guard?.IsStranger(flow.Remote.Address, now) == true);

    /// <summary>Outside any dialog, or in one that is not there or not the sender's.</summary>
    private bool IsNew(in SipMessageView view, in SipFlow flow) =>
        view.To.Tag.IsEmpty || !_core.Dialogs.TryFind(in view, out SipDialog? dialog) || !dialog.Allows(flow.Remote.Address);

    private void HandleRequest(in SipMessageView view, in SipFlow flow, MonoTime now)
    {
        SipMethod method = view.Method;
        switch (method)
        {
            case SipMethod.Ack:
                HandleAck(in view, in flow, now);
                return;
            case SipMethod.Cancel:
                HandleCancel(in view, in flow, now);
                return;
        }
        if (_core.Server.TryFind(in view, method, out ServerTransaction? transaction))
        {
            _core.Server.HandleRetransmission(transaction);
        }
        else if (IsNew(in view, in flow) && !Admits(in view, in flow, now))
        {
            return;
        }
        else if (IsFullFor(in flow, now))
        {
            _core.Counters.Overload++;
            _stateless.SendOverloaded(in view, in flow, SipRefusalCause.TableFull);
        }
        else if (!view.To.Tag.IsEmpty)
        {
            _dialogRequests.Handle(in view, in flow, now);
        }
        else
        {
            _newRequests.Handle(in view, in flow, IsOverloaded || (IsDraining && method == SipMethod.Options), now);
        }
    }

    private void HandleAck(in SipMessageView view, in SipFlow flow, MonoTime now)
    {
        if (_core.Server.TryFind(in view, SipMethod.Invite, out ServerTransaction? transaction) && transaction.State is ServerState.Completed or ServerState.Confirmed)
        {
            _core.Server.HandleAck(transaction, now);
        }
        else if (_core.Dialogs.TryFind(in view, out SipDialog? dialog) && dialog.Allows(flow.Remote.Address))
        {
            dialog.HandleAck(in view, now);
        }
        else
        {
            _core.Counters.StrayAcks++;
        }
    }

    /// <summary>§9.2: 200 to the CANCEL whenever its INVITE is known; it has an effect only before the final response.</summary>
    private void HandleCancel(in SipMessageView view, in SipFlow flow, MonoTime now)
    {
        if (!_core.Server.TryFind(in view, SipMethod.Invite, out ServerTransaction? invite) || invite.Source.Remote.Address != flow.Remote.Address)
        {
            if (Admits(in view, in flow, now))
            {
                _stateless.Send(in view, in flow, 481, default);
            }
            return;
        }
        if (invite.IsSilent)
        {
            return;
        }
        SipDialog? dialog = invite.Dialog;
        _stateless.Answer(in view, in flow, 200, dialog is null ? default : dialog.Identity.LocalTag);
        if (dialog is null || invite.State != ServerState.Proceeding)
        {
            return;
        }
        if (invite.Id == dialog.InviteTransaction)
        {
            int copy = _core.Pool.TryCopy(view.Message);
            dialog.HandleCancelled(now, copy);
            _core.Pool.Release(copy);
        }
        else
        {
            dialog.HandleReInviteCancelled(invite, now);
        }
    }
}
