using System;
using System.Collections.Generic;
using Proxy.Core.Diagnostics;
using Proxy.Core.Time;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;

namespace Proxy.Sip.Transactions;

/// <summary>Signal thread. All client transactions of an endpoint: matching, retransmission, timers A, B, D, E, F, K and M.</summary>
/// <remarks>RFC 3261 §17.1 (figures 5 and 6), §17.1.3; RFC 6026 §7.2.</remarks>
internal sealed class ClientTransactions
{
    /// <summary>z9hG4bK, six digits of the index, 20 random digits.</summary>
    public const int BranchLength = 7 + IndexDigits + RandomDigits;

    private const int IndexDigits = 6;
    private const int RandomDigits = 20;

    /// <summary>How long an INVITE of ours may stay provisional.</summary>
    private const long ProceedingMaxMs = 180_000;

    private readonly SipCore _core;
    private readonly ClientTransaction?[] _all;
    private readonly Stack<int> _free;

    public ClientTransactions(SipCore core, int capacity)
    {
        _core = core;
        _all = new ClientTransaction?[capacity];
        _free = new Stack<int>(capacity);
        for (int i = capacity - 1; i >= 0; i--)
        {
            _free.Push(i);
        }
    }

    /// <summary>Takes a transaction and gives it a branch; <see cref="Start"/> or <see cref="Cancel"/> follows.</summary>
    /// <returns>Null when all are taken.</returns>
    public ClientTransaction? TryTake()
    {
        if (_free.Count == 0)
        {
            _core.Counters.Overload++;
            return null;
        }
        int index = _free.Pop();
        ClientTransaction transaction = _all[index] ??= new ClientTransaction(index);
        WriteBranch(transaction.Branch, index);
        transaction.Clear();
        _core.Counters.ClientTransactions++;
        return transaction;
    }

    /// <summary>Gives back a transaction that never started.</summary>
    public void Cancel(ClientTransaction transaction) => Free(transaction);

    /// <summary>Sends the request and runs the timers.</summary>
    /// <param name="transaction">From <see cref="TryTake"/>, with CSeq set.</param>
    /// <param name="dialog">Who hears of the outcome.</param>
    /// <param name="method">The request's method.</param>
    /// <param name="request">Pooled; its reference is taken over.</param>
    /// <param name="flow">Where it goes.</param>
    /// <param name="hasOthers">Whether there is another place to try: then this one has a quarter of the time.</param>
    /// <param name="now">The time of this turn.</param>
    public void Start(ClientTransaction transaction, SipDialog dialog, SipMethod method, int request, in SipFlow flow, bool hasOthers, MonoTime now)
    {
        transaction.State = ClientState.Calling;
        transaction.Dialog = dialog;
        transaction.Method = method;
        transaction.Request = request;
        transaction.Flow = flow;
        transaction.IntervalMs = _core.T1;
        transaction.RetransmitAt = flow.IsReliable ? MonoTime.Never : now.AddMillis(_core.T1);
        transaction.LastEndAt = now.AddMillis(64 * _core.T1);
        // By then a server that lives has said something: the answer, or 100 to an INVITE at once and to others when timer E reaches T2 (RFC 4320 §4.1).
        transaction.EndAt = hasOthers ? now.AddMillis(16 * _core.T1) : transaction.LastEndAt;
        _core.Sends.TryAdd(request, in flow, ref _core.Counters);
        Arm(transaction);
    }

    /// <summary>Takes a response.</summary>
    public void HandleResponse(in SipMessageView response, MonoTime now)
    {
        ClientTransaction? transaction = Find(in response);
        if (transaction is null)
        {
            _core.Counters.StrayResponses++;
            return;
        }
        if (transaction.State is ClientState.Accepted or ClientState.Completed)
        {
            _core.Counters.Absorbed++;
            if (transaction.Ack >= 0)
            {
                _core.Sends.TryAdd(transaction.Ack, transaction.Flow, ref _core.Counters);
            }
        }
        else if (response.StatusCode < 200)
        {
            HandleProvisional(transaction, now);
        }
        else
        {
            HandleFinal(transaction, in response, now);
        }
    }

    public void HandleTimer(int index, MonoTime now)
    {
        ClientTransaction transaction = _all[index]!;
        if (transaction.EndAt <= now)
        {
            SipDialog? dialog = transaction.Dialog;
            bool isUnanswered = transaction.State is ClientState.Calling or ClientState.Proceeding;
            bool goesOn = transaction.State == ClientState.Calling && dialog?.TryElsewhere(transaction, 408, now) == true;
            SipMethod method = transaction.Method;
            Free(transaction);
            if (isUnanswered && !goesOn)
            {
                dialog?.HandleRequestFailed(method, 408, -1, now);
            }
            return;
        }
        if (transaction.RetransmitAt <= now)
        {
            _core.Counters.Retransmissions++;
            _core.Sends.TryAdd(transaction.Request, transaction.Flow, ref _core.Counters);
            transaction.IntervalMs = NextInterval(transaction);
            transaction.RetransmitAt = now.AddMillis(transaction.IntervalMs);
        }
        Arm(transaction);
    }

    /// <summary>The transport gave up: as if 503 had come (RFC 3261 §8.1.3.1). UDP errors are left to the timers.</summary>
    public void HandleSendFailed(in SipFlow flow, MonoTime now)
    {
        foreach (ClientTransaction? transaction in _all)
        {
            if (transaction is { State: ClientState.Calling or ClientState.Proceeding } && transaction.Flow == flow)
            {
                SipDialog? dialog = transaction.Dialog;
                SipMethod method = transaction.Method;
                bool goesOn = dialog?.TryElsewhere(transaction, 503, now) == true;
                Free(transaction);
                if (!goesOn)
                {
                    dialog?.HandleRequestFailed(method, 503, -1, now);
                }
            }
        }
    }

    /// <summary>The connection went while an answer was due: the request goes out again, over a new connection.</summary>
    public void HandleFlowClosed(in SipFlow flow)
    {
        foreach (ClientTransaction? transaction in _all)
        {
            if (transaction is { State: ClientState.Calling or ClientState.Proceeding, Dialog: not null } && transaction.Flow.Connection == flow.Connection
                && transaction.Flow.Transport == flow.Transport)
            {
                transaction.Flow = transaction.Dialog.Flow;
                _core.Sends.TryAdd(transaction.Request, transaction.Flow, ref _core.Counters);
            }
        }
    }

    private long NextInterval(ClientTransaction transaction) =>
        transaction.IsInvite ? transaction.IntervalMs * 2
        : transaction.State == ClientState.Proceeding ? _core.T2
        : long.Min(transaction.IntervalMs * 2, _core.T2);

    private void HandleProvisional(ClientTransaction transaction, MonoTime now)
    {
        if (transaction.IsInvite)
        {
            transaction.RetransmitAt = MonoTime.Never;
            transaction.EndAt = transaction.State == ClientState.Calling ? now.AddMillis(ProceedingMaxMs) : transaction.EndAt;
        }
        else
        {
            transaction.EndAt = transaction.LastEndAt;
        }
        transaction.State = ClientState.Proceeding;
        transaction.Dialog?.NoteAnswer(transaction.Flow);
        Arm(transaction);
    }

    private void HandleFinal(ClientTransaction transaction, in SipMessageView response, MonoTime now)
    {
        SipDialog? dialog = transaction.Dialog;
        bool isSuccess = response.StatusCode < 300;
        bool isUnavailable = response.StatusCode == 503;
        if (!isUnavailable)
        {
            dialog?.NoteAnswer(transaction.Flow);
        }
        int copy = _core.Pool.TryCopy(response.Message);
        transaction.RetransmitAt = MonoTime.Never;
        transaction.State = transaction.IsInvite && isSuccess ? ClientState.Accepted : ClientState.Completed;
        transaction.EndAt = EndOf(transaction, now);
        if (transaction.IsInvite && !isSuccess)
        {
            transaction.Ack = _core.BuildAckOfFailure(transaction.Request, in response);
        }
        else if (transaction.IsInvite && dialog is not null)
        {
            transaction.Ack = dialog.BuildAckOfSuccess(in response, transaction.CSeq, out SipFlow flow);
            transaction.Flow = flow;
        }
        if (transaction.Ack >= 0)
        {
            _core.Sends.TryAdd(transaction.Ack, transaction.Flow, ref _core.Counters);
        }
        Arm(transaction);
        if (isSuccess)
        {
            dialog?.HandleRequestSucceeded(transaction.Method, in response, copy, now);
        }
        else if (dialog is not null && !dialog.TryAnswerChallenge(transaction, in response, now) && !(isUnavailable && dialog.TryElsewhere(transaction, 503, now)))
        {
            dialog.HandleRequestFailed(transaction.Method, response.StatusCode, copy, now);
        }
        _core.Pool.Release(copy);
    }

    /// <summary>Timers M, D and K.</summary>
    private MonoTime EndOf(ClientTransaction transaction, MonoTime now)
    {
        if (transaction.State == ClientState.Accepted)
        {
            return now.AddMillis(64 * _core.T1);
        }
        return transaction.Flow.IsReliable ? now : now.AddMillis(transaction.IsInvite ? 64 * _core.T1 : _core.T4);
    }

    private ClientTransaction? Find(in SipMessageView response)
    {
        ReadOnlySpan<byte> branch = response.TopVia.Branch;
        if (branch.Length != BranchLength || !System.Buffers.Text.Utf8Parser.TryParse(branch.Slice(7, IndexDigits), out uint index, out int digits, 'X')
            || digits != IndexDigits || index >= (uint)_all.Length)
        {
            return null;
        }
        ClientTransaction? transaction = _all[index];
        return transaction is not null && transaction.State != ClientState.Free && branch.SequenceEqual(transaction.Branch)
            && response.CSeq.Method == transaction.Method && response.CSeq.Number == transaction.CSeq ? transaction : null;
    }

    private void Arm(ClientTransaction transaction) =>
        _core.SetTimer(TimerOwner.Client, transaction.Index, MonoTime.Min(transaction.RetransmitAt, transaction.EndAt));

    private void Free(ClientTransaction transaction)
    {
        _core.Pool.Release(transaction.Request);
        _core.Pool.Release(transaction.Ack);
        transaction.Request = -1;
        transaction.Ack = -1;
        transaction.Dialog = null;
        transaction.State = ClientState.Free;
        transaction.RetransmitAt = MonoTime.Never;
        transaction.EndAt = MonoTime.Never;
        _core.SetTimer(TimerOwner.Client, transaction.Index, MonoTime.Never);
        _core.Counters.ClientTransactions--;
        _free.Push(transaction.Index);
    }

    private void WriteBranch(Span<byte> branch, int index)
    {
        "z9hG4bK"u8.CopyTo(branch);
        System.Buffers.Text.Utf8Formatter.TryFormat((uint)index, branch[7..], out _, new System.Buffers.StandardFormat('x', IndexDigits));
        RandomText.Fill(branch[(7 + IndexDigits)..], _core.Random);
    }
}
