using System;
using Proxy.Core.Net;
using Proxy.Core.Time;

namespace Proxy.WebRtc.Ice;

/// <summary>One owner. The candidate pairs of an agent, by remote address; bounded, the quietest makes room.</summary>
internal sealed class IcePathTable
{
    /// <summary>Remote addresses at once; Chromium on a machine with many interfaces sends about a dozen.</summary>
    public const int Capacity = 32;

    private IcePath[] _paths = new IcePath[4];

    public int Count { get; private set; }

    /// <summary>Paths whose check waits to be written.</summary>
    public int Due { get; private set; }

    public ref IcePath this[int index] => ref _paths[index];

    /// <returns>The path's place, or -1.</returns>
    public int Find(in NetEndPoint remote)
    {
        for (int i = 0; i < Count; i++)
        {
            if (_paths[i].Remote == remote)
            {
                return i;
            }
        }
        return -1;
    }

    /// <summary>Adds a path; a full table gives up the one that was heard from longest ago.</summary>
    /// <param name="selected">The place that is never given up, or -1.</param>
    /// <param name="isFull">Whether another path had to go.</param>
    public int Add(in NetEndPoint remote, int selected, MonoTime now, out bool isFull)
    {
        isFull = Count == Capacity;
        int at = isFull ? Quietest(selected) : Count;
        if (isFull)
        {
            ClearDue(at);
        }
        else
        {
            if (Count == _paths.Length)
            {
                Array.Resize(ref _paths, Math.Min(_paths.Length * 2, Capacity));
            }
            Count++;
        }
        _paths[at] = new IcePath { Remote = remote, NextCheck = MonoTime.Never, LastHeard = now };
        return at;
    }

    public void MarkDue(int at)
    {
        Due += _paths[at].IsDue ? 0 : 1;
        _paths[at].IsDue = true;
    }

    public void ClearDue(int at)
    {
        Due -= _paths[at].IsDue ? 1 : 0;
        _paths[at].IsDue = false;
    }

    private int Quietest(int selected)
    {
        int quietest = selected == 0 ? 1 : 0;
        for (int i = 0; i < Count; i++)
        {
            if (i != selected && _paths[i].LastHeard < _paths[quietest].LastHeard)
            {
                quietest = i;
            }
        }
        return quietest;
    }
}
