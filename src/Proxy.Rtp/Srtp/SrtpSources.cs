using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Rtp.Srtp;

/// <summary>One owner. What SRTP remembers of one SSRC in one direction.</summary>
internal struct SrtpSource
{
    public uint Ssrc;
    public ulong LastUse;
    public ReplayWindow Rtp;
    public ReplayWindow Rtcp;

    /// <summary>Index of the next RTCP packet that we send.</summary>
    public uint NextRtcpIndex;
}

/// <summary>One owner. The bounded table of sources of one direction; a place is only taken for an authenticated packet.</summary>
/// <remarks>
/// Deviation: RFC 3711 §3.3.2 keeps a source's window for the key's whole life. A receiver whose table is full gives up the
/// source that has been silent longest, if 1,024 packets of others came since: a long meeting must not fill the table for good.
/// A sender never gives one up: the numbering of a returning source would repeat key stream.
/// </remarks>
internal sealed class SrtpSources(int capacity, bool mayEvict)
{
    private const ulong SilentPackets = 1024;

    private SrtpSource[] _sources = new SrtpSource[Math.Min(capacity, 2)];
    private ulong _uses;
    private int _last;

    public int Count { get; private set; }

    /// <returns>The source's place, or −1.</returns>
    [NoAlloc]
    public int Find(uint ssrc)
    {
        if (_last < Count && _sources[_last].Ssrc == ssrc)
        {
            return _last;
        }
        for (int i = 0; i < Count; i++)
        {
            if (_sources[i].Ssrc == ssrc)
            {
                return _last = i;
            }
        }
        return -1;
    }

    [NoAlloc]
    public ref SrtpSource At(int place) => ref _sources[place];

    /// <summary>Notes that the source was heard or sent.</summary>
    [NoAlloc]
    public void Touch(int place) => _sources[place].LastUse = ++_uses;

    /// <summary>Takes a place for a new source; the table grows to its capacity, a few times a call.</summary>
    /// <returns>The place, or −1 when the table is full.</returns>
    public int Add(uint ssrc)
    {
        int place;
        if (Count < capacity)
        {
            if (Count == _sources.Length)
            {
                Array.Resize(ref _sources, Math.Min(Count * 2, capacity));
            }
            place = Count++;
        }
        else
        {
            place = mayEvict ? Silent() : -1;
        }
        if (place >= 0)
        {
            _sources[place] = new SrtpSource { Ssrc = ssrc };
            _last = place;
        }
        return place;
    }

    private int Silent()
    {
        int oldest = 0;
        for (int i = 1; i < Count; i++)
        {
            if (_sources[i].LastUse < _sources[oldest].LastUse)
            {
                oldest = i;
            }
        }
        return _uses - _sources[oldest].LastUse >= SilentPackets ? oldest : -1;
    }
}
