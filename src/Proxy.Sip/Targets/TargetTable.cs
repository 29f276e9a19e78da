using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using Proxy.Core.Time;
using Proxy.Sip.Transactions;

namespace Proxy.Sip.Targets;

/// <summary>
/// Signal thread. The names that running calls' requests are to go to, and what they stand for. A name is asked about when a call first needs it and again
/// before its answer's life is over, as long as a call needs it; nobody ever waits for an answer.
/// </summary>
internal sealed class TargetTable(SipCore core)
{
    /// <summary>An answer that does not come is asked for again: the mail may have been lost.</summary>
    private static readonly TimeSpan s_answerPatience = TimeSpan.FromSeconds(30);

    private readonly Dictionary<TargetName, TargetEntry> _byName = [];
    private readonly TargetEntry?[] _entries = new TargetEntry?[core.Limits.TargetNames];
    private readonly Queue<TargetEntry> _questions = new();
    private int _hand;

    public int Count => _byName.Count;

    /// <summary>One more call needs the name.</summary>
    /// <returns>Null when the table is full.</returns>
    public TargetEntry? Hold(TargetName name, MonoTime now)
    {
        if (!_byName.TryGetValue(name, out TargetEntry? entry))
        {
            if (!TryMakeRoom(out int index))
            {
                core.Counters.TargetNamesFull++;
                return null;
            }
            entry = new TargetEntry(index, name);
            _entries[index] = entry;
            _byName[name] = entry;
            Ask(entry, now);
        }
        entry.Users++;
        return entry;
    }

    /// <summary>A call needs it no more; it is kept for the next one until its life is over.</summary>
    public void Release(TargetEntry entry) => entry.Users--;

    public bool TryPollQuestion([NotNullWhen(true)] out TargetName? name)
    {
        _questions.TryDequeue(out TargetEntry? entry);
        name = entry?.Name;
        return name is not null;
    }

    public void HandleAnswer(TargetName name, TargetList answer, MonoTime now)
    {
        if (!_byName.TryGetValue(name, out TargetEntry? entry))
        {
            return;
        }
        core.Counters.TargetLookups++;
        core.Counters.TargetLookupsFailed += answer.IsFailure ? 1 : 0;
        // What was known holds on while nobody can be asked.
        entry.Targets = answer.IsFailure ? entry.Targets : answer.Targets;
        TimeSpan life = answer.Life < core.Limits.TargetLifeMin || answer.IsFailure ? core.Limits.TargetLifeMin
            : answer.Life > core.Limits.TargetLifeMax ? core.Limits.TargetLifeMax
            : answer.Life;
        // Asked again a little before it is over, so that there always is an answer.
        core.SetTimer(TimerOwner.Target, entry.Index, now + (life * 0.9));
    }

    /// <summary>A life is over, or an answer did not come.</summary>
    public void HandleTimer(int index, MonoTime now)
    {
        if (_entries[index] is { } entry)
        {
            if (entry.Users > 0)
            {
                Ask(entry, now);
            }
            else
            {
                Remove(entry);
            }
        }
    }

    private void Ask(TargetEntry entry, MonoTime now)
    {
        _questions.Enqueue(entry);
        core.SetTimer(TimerOwner.Target, entry.Index, now + s_answerPatience);
    }

    /// <summary>A free place, or that of a name that no call needs.</summary>
    private bool TryMakeRoom(out int index)
    {
        for (int i = 0; i < _entries.Length; i++)
        {
            index = _hand;
            _hand = (_hand + 1) % _entries.Length;
            if (_entries[index] is not { } entry)
            {
                return true;
            }
            if (entry.Users == 0 && _byName.Count >= _entries.Length)
            {
                Remove(entry);
                return true;
            }
        }
        index = -1;
        return false;
    }

    private void Remove(TargetEntry entry)
    {
        _byName.Remove(entry.Name);
        _entries[entry.Index] = null;
        core.SetTimer(TimerOwner.Target, entry.Index, MonoTime.Never);
    }
}

/// <summary>Signal thread. One name of the table.</summary>
internal sealed class TargetEntry(int index, TargetName name)
{
    public int Index { get; } = index;

    public TargetName Name { get; } = name;

    /// <summary>Dialogs whose requests go there.</summary>
    public int Users { get; set; }

    /// <summary>Empty before the first answer, and where the name stands for nothing.</summary>
    public SipTarget[] Targets { get; set; } = [];
}
