using Proxy.Core.Collections;
using Proxy.Core.Diagnostics;

namespace Proxy.Server.Linux;

/// <summary>Many writers, one loop that reads. A bounded ring that also ends the reader's sleep.</summary>
/// <param name="capacity">Items.</param>
/// <param name="full">What being full means.</param>
/// <param name="waker">The reading loop's <see cref="Reactor.Waker"/>.</param>
public sealed class Mailbox<T>(int capacity, RingFull full, Waker waker)
{
    private readonly Ring<T> _ring = new(capacity, full);

    public int Capacity => _ring.Capacity;

    /// <summary>Items that found it full.</summary>
    public long Refused => _ring.Refused;

    /// <summary>Items waiting; exact only for the reader.</summary>
    public int Count => _ring.Count;

    /// <summary>Any thread.</summary>
    /// <returns>False when full; the caller acts as the ring's full-policy says.</returns>
    [NoAlloc]
    public bool TryPost(in T item)
    {
        if (!_ring.TryWrite(item))
        {
            return false;
        }
        waker.Wake();
        return true;
    }

    /// <summary>Reader only.</summary>
    [NoAlloc]
    public bool TryRead(out T item) => _ring.TryRead(out item);
}
