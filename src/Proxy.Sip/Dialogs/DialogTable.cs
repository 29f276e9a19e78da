using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Sip.Parsing;
using Proxy.Sip.Transactions;

namespace Proxy.Sip.Dialogs;

/// <summary>Signal thread. All dialogs of an endpoint, found by Call-ID and both tags.</summary>
internal sealed class DialogTable
{
    private readonly SipCore _core;
    private readonly SlotMap<SipDialog> _slots;
    private readonly Dictionary<ulong, int> _byKey;

    public DialogTable(SipCore core, int capacity)
    {
        _core = core;
        _slots = new SlotMap<SipDialog>(capacity);
        _byKey = new Dictionary<ulong, int>(capacity);
    }

    public bool IsFull => _slots.Count == _slots.Capacity;

    public SipDialog At(int index) => _slots.At(index)!;

    /// <summary>The dialog that a request of the peer belongs to.</summary>
    public bool TryFind(in SipMessageView request, [NotNullWhen(true)] out SipDialog? dialog) => TryFind(request.CallId, request.To.Tag, request.From.Tag, out dialog);

    /// <summary>The dialog of these three ids.</summary>
    public bool TryFind(ReadOnlySpan<byte> callId, ReadOnlySpan<byte> local, ReadOnlySpan<byte> remote, [NotNullWhen(true)] out SipDialog? dialog)
    {
        dialog = _byKey.TryGetValue(KeyOf(callId, local, remote), out int index) ? _slots.At(index) : null;
        if (dialog is null || !dialog.Identity.CallId.SequenceEqual(callId) || !dialog.Identity.LocalTag.SequenceEqual(local)
            || !dialog.Identity.RemoteTag.SequenceEqual(remote))
        {
            dialog = null;
        }
        return dialog is not null;
    }

    public bool TryAdd(SipDialog dialog)
    {
        if (!_slots.TryAdd(dialog, out SlotId id))
        {
            return false;
        }
        dialog.Id = id;
        DialogIdentity identity = dialog.Identity;
        _byKey[KeyOf(identity.CallId, identity.LocalTag, identity.RemoteTag)] = id.Index;
        _core.Counters.Dialogs++;
        return true;
    }

    /// <summary>Takes it out; nothing happens when it is out already.</summary>
    public void Remove(SipDialog dialog)
    {
        if (!_slots.Remove(dialog.Id))
        {
            return;
        }
        DialogIdentity identity = dialog.Identity;
        ulong key = KeyOf(identity.CallId, identity.LocalTag, identity.RemoteTag);
        if (_byKey.TryGetValue(key, out int index) && index == dialog.Id.Index)
        {
            _byKey.Remove(key);
        }
        _core.SetTimer(TimerOwner.Dialog, dialog.Id.Index, MonoTime.Never);
        _core.Counters.Dialogs--;
    }

    public bool HasOn(in SipFlow flow)
    {
        for (int i = 0; i < _slots.Capacity; i++)
        {
            if (_slots.At(i) is { } dialog && dialog.IsOn(in flow))
            {
                return true;
            }
        }
        return false;
    }

    public void HandleFlowClosed(in SipFlow flow, MonoTime now)
    {
        for (int i = 0; i < _slots.Capacity; i++)
        {
            _slots.At(i)?.HandleFlowClosed(in flow, now);
        }
    }

    private ulong KeyOf(ReadOnlySpan<byte> callId, ReadOnlySpan<byte> localTag, ReadOnlySpan<byte> remoteTag)
    {
        KeyedHash.Sum sum = _core.Hash.Begin();
        sum.Add(callId);
        sum.Add(localTag);
        sum.Add(remoteTag);
        return sum.Finish();
    }
}
