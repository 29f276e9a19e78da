using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Sip.Parsing;

namespace Proxy.Sip.Transactions;

/// <summary>Signal thread. All server transactions of an endpoint: matching, retransmission, timers G, H, I, J and L.</summary>
/// <remarks>RFC 3261 §17.2 (figures 7 and 8), §17.2.3; RFC 6026 §7.1.</remarks>
internal sealed class ServerTransactions
{
    private readonly SipCore _core;
    private readonly ServerTransaction?[] _all;
    private readonly Stack<int> _free;
    private readonly Dictionary<ulong, int> _byKey;
    private readonly Dictionary<ulong, int> _byMergeKey;

    public ServerTransactions(SipCore core, int capacity)
    {
        _core = core;
        _all = new ServerTransaction?[capacity];
        _free = new Stack<int>(capacity);
        for (int i = capacity - 1; i >= 0; i--)
        {
            _free.Push(i);
        }
        _byKey = new Dictionary<ulong, int>(capacity);
        _byMergeKey = new Dictionary<ulong, int>(capacity);
    }

    public bool IsFull => _free.Count == 0;

    public bool IsHalfFull => _free.Count <= _all.Length / 2;

    /// <summary>The transaction a request belongs to.</summary>
    /// <param name="view">The request.</param>
    /// <param name="method">The method of the transaction that is looked for: INVITE for ACK and CANCEL.</param>
    /// <param name="transaction">What was found.</param>
    public bool TryFind(in SipMessageView view, SipMethod method, [NotNullWhen(true)] out ServerTransaction? transaction)
    {
        transaction = _byKey.TryGetValue(KeyOf(in view, method), out int index) ? _all[index] : null;
        return transaction is not null;
    }

    /// <summary>A live transaction of the same From tag, Call-ID and CSeq that came another way (§8.2.2.2).</summary>
    public bool IsMerged(in SipMessageView view) => _byMergeKey.ContainsKey(MergeKeyOf(in view));

    public bool TryGet(SlotId id, [NotNullWhen(true)] out ServerTransaction? transaction)
    {
        transaction = (uint)id.Index < (uint)_all.Length ? _all[id.Index] : null;
        if (transaction is null || transaction.Generation != id.Generation || transaction.State == ServerState.Free)
        {
            transaction = null;
        }
        return transaction is not null;
    }

    /// <summary>Begins a transaction with a copy of its request.</summary>
    /// <returns>Null when the table or the buffers are full.</returns>
    public ServerTransaction? TryCreate(in SipMessageView view, in SipFlow flow)
    {
        if (_free.Count == 0)
        {
            return null;
        }
        int request = _core.Pool.TryCopy(view.Message);
        if (request < 0)
        {
            return null;
        }
        int index = _free.Pop();
        ServerTransaction transaction = _all[index] ??= new ServerTransaction(index);
        transaction.Generation++;
        transaction.State = ServerState.Proceeding;
        transaction.IsSilent = false;
        transaction.Method = view.Method;
        transaction.Source = flow;
        transaction.Route = ResponseRoute.Of(view.TopVia, in flow);
        transaction.Request = request;
        transaction.CSeq = view.CSeq.Number;
        transaction.Key = KeyOf(in view, view.Method);
        _byKey[transaction.Key] = index;
        if (view.To.Tag.IsEmpty)
        {
            transaction.MergeKey = MergeKeyOf(in view);
            _byMergeKey[transaction.MergeKey] = index;
        }
        _core.Counters.ServerTransactions++;
        return transaction;
    }

    /// <summary>Sends a response and moves the state on.</summary>
    /// <param name="transaction">In state Proceeding.</param>
    /// <param name="response">A pooled message; its reference is taken over.</param>
    /// <param name="status">100–699.</param>
    /// <param name="now">The time of this turn.</param>
    /// <param name="isRepeated">Whether timer G runs for a refusal; without it only the peer's repetitions are answered.</param>
    /// <returns>False when a final response was sent already, or the response is −1.</returns>
    public bool Respond(ServerTransaction transaction, int response, int status, MonoTime now, bool isRepeated = true)
    {
        if (response < 0 || transaction.State != ServerState.Proceeding)
        {
            _core.Pool.Release(response);
            return false;
        }
        _core.Pool.Release(transaction.Response);
        transaction.Response = response;
        transaction.TryingAt = MonoTime.Never;
        _core.Sends.TryAdd(response, transaction.Route, ref _core.Counters);
        if (status >= 200)
        {
            Finish(transaction, status, isRepeated, now);
        }
        Arm(transaction);
        return true;
    }

    /// <summary>The peer repeated its request.</summary>
    public void HandleRetransmission(ServerTransaction transaction)
    {
        _core.Counters.Absorbed++;
        // RFC 6026 would absorb a repeated INVITE after a 2xx; until the ACK the 2xx is repeated at once instead: the caller
        // that asks again has evidently not seen it. After the ACK there is nothing to repeat.
        if (transaction.Response >= 0 && transaction.State != ServerState.Confirmed)
        {
            _core.Sends.TryAdd(transaction.Response, transaction.Route, ref _core.Counters);
        }
    }

    /// <summary>ACK of a non-2xx response.</summary>
    public void HandleAck(ServerTransaction transaction, MonoTime now)
    {
        if (transaction.State != ServerState.Completed)
        {
            _core.Counters.Absorbed++;
            return;
        }
        transaction.State = ServerState.Confirmed;
        transaction.RetransmitAt = MonoTime.Never;
        transaction.EndAt = transaction.Source.IsReliable ? now : now.AddMillis(_core.T4);
        Arm(transaction);
    }

    /// <summary>The ACK of the 2xx came: a repeated INVITE is silently absorbed from here on.</summary>
    public void ForgetResponse(ServerTransaction transaction)
    {
        _core.Pool.Release(transaction.Response);
        transaction.Response = -1;
    }

    /// <summary>No response will ever be sent; repetitions are absorbed for 64·T1.</summary>
    public void Silence(ServerTransaction transaction, MonoTime now)
    {
        ForgetResponse(transaction);
        transaction.State = ServerState.Confirmed;
        transaction.IsSilent = true;
        transaction.TryingAt = MonoTime.Never;
        transaction.EndAt = now.AddMillis(64 * _core.T1);
        Arm(transaction);
    }

    /// <summary>A request inside a dialog that its owner never answers is forgotten after 64·T1.</summary>
    public void LimitLife(ServerTransaction transaction, MonoTime now)
    {
        transaction.EndAt = now.AddMillis(64 * _core.T1);
        Arm(transaction);
    }

    public void DelayTrying(ServerTransaction transaction, MonoTime at)
    {
        transaction.TryingAt = at;
        Arm(transaction);
    }

    /// <returns>The transaction whose delayed 100 is due, else null.</returns>
    public ServerTransaction? HandleTimer(int index, MonoTime now)
    {
        ServerTransaction transaction = _all[index]!;
        if (transaction.EndAt <= now)
        {
            Free(transaction);
            return null;
        }
        if (transaction.RetransmitAt <= now)
        {
            _core.Counters.Retransmissions++;
            _core.Sends.TryAdd(transaction.Response, transaction.Route, ref _core.Counters);
            transaction.IntervalMs = long.Min(transaction.IntervalMs * 2, _core.T2);
            transaction.RetransmitAt = now.AddMillis(transaction.IntervalMs);
        }
        bool isTryingDue = transaction.TryingAt <= now;
        if (isTryingDue)
        {
            transaction.TryingAt = MonoTime.Never;
        }
        Arm(transaction);
        return isTryingDue ? transaction : null;
    }

    /// <summary>Responses of a closed connection go to the address that the Via names (§18.2.2), over a new connection.</summary>
    public void HandleFlowClosed(in SipFlow flow)
    {
        foreach (ServerTransaction? transaction in _all)
        {
            if (transaction is not null && transaction.State != ServerState.Free && transaction.Route.Connection == flow.Connection
                && transaction.Route.Transport == flow.Transport)
            {
                SipMessageView.TryParse(_core.Pool.Bytes(transaction.Request), out SipMessageView view, out _, _core.Limits);
                transaction.Route = ResponseRoute.WithoutConnection(view.TopVia, flow);
            }
        }
    }

    private void Finish(ServerTransaction transaction, int status, bool isRepeated, MonoTime now)
    {
        bool isReliable = transaction.Source.IsReliable;
        if (transaction.IsInvite && status < 300)
        {
            transaction.State = ServerState.Accepted;
            transaction.EndAt = now.AddMillis(64 * _core.T1);
            return;
        }
        transaction.State = ServerState.Completed;
        transaction.EndAt = transaction.IsInvite || !isReliable ? now.AddMillis(64 * _core.T1) : now;
        if (transaction.IsInvite && !isReliable && isRepeated)
        {
            transaction.IntervalMs = _core.T1;
            transaction.RetransmitAt = now.AddMillis(_core.T1);
        }
    }

    private void Arm(ServerTransaction transaction) =>
        _core.SetTimer(TimerOwner.Server, transaction.Index, MonoTime.Min(MonoTime.Min(transaction.RetransmitAt, transaction.EndAt), transaction.TryingAt));

    private void Free(ServerTransaction transaction)
    {
        Remove(_byKey, transaction.Key, transaction.Index);
        if (transaction.MergeKey != 0)
        {
            Remove(_byMergeKey, transaction.MergeKey, transaction.Index);
        }
        _core.Pool.Release(transaction.Request);
        _core.Pool.Release(transaction.Response);
        transaction.Request = -1;
        transaction.Response = -1;
        transaction.MergeKey = 0;
        transaction.Dialog?.HandleTransactionGone(transaction.Id);
        transaction.Dialog = null;
        transaction.State = ServerState.Free;
        transaction.RetransmitAt = MonoTime.Never;
        transaction.EndAt = MonoTime.Never;
        transaction.TryingAt = MonoTime.Never;
        transaction.Generation++;
        _core.SetTimer(TimerOwner.Server, transaction.Index, MonoTime.Never);
        _core.Counters.ServerTransactions--;
        _free.Push(transaction.Index);
    }

    private static void Remove(Dictionary<ulong, int> table, ulong key, int index)
    {
        if (table.TryGetValue(key, out int owner) && owner == index)
        {
            table.Remove(key);
        }
    }

    /// <summary>§17.2.3: branch, sent-by and method; without the magic cookie the fields of RFC 2543, To tag apart.</summary>
    private ulong KeyOf(in SipMessageView view, SipMethod method)
    {
        ViaView via = view.TopVia;
        KeyedHash.Sum sum = _core.Hash.Begin();
        if (via.HasMagicCookie)
        {
            sum.Add(via.Branch);
            sum.Add(via.Host);
            sum.Add((ulong)via.Port);
        }
        else
        {
            sum.Add(via.Whole);
            sum.Add(view.CallId);
            sum.Add(view.From.Tag);
            sum.Add(view.CSeq.Number);
            sum.Add(view.RequestUri);
        }
        sum.Add((ulong)method);
        if (method == SipMethod.Unknown)
        {
            sum.Add(view.MethodText);
        }
        return sum.Finish();
    }

    private ulong MergeKeyOf(in SipMessageView view)
    {
        KeyedHash.Sum sum = _core.Hash.Begin();
        sum.Add(view.CallId);
        sum.Add(view.From.Tag);
        sum.Add(view.CSeqValue);
        return sum.Finish();
    }
}
