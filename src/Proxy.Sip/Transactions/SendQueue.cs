using System;
using Proxy.Core.Net;

namespace Proxy.Sip.Transactions;

/// <summary>Signal thread. Messages on their way out; each entry holds a reference to its buffer.</summary>
internal sealed class SendQueue(MessagePool pool, SipEndpointOptions options)
{
    private const int EntriesMax = 65_536;
    private readonly BoundedQueue<Entry> _entries = new(EntriesMax);

    /// <summary>Queues a message; it takes a reference of its own.</summary>
    /// <returns>False when the destination is forbidden or the queue is full; both counted.</returns>
    public bool TryAdd(int message, in SipFlow flow, ref SipCounters counters)
    {
        if (IsForbidden(in flow))
        {
            counters.ForbiddenDestination++;
            return false;
        }
        if (!_entries.TryAdd(new Entry(message, flow)))
        {
            counters.SendDropped++;
            return false;
        }
        pool.AddReference(message);
        return true;
    }

    public bool TryTake(Span<byte> buffer, out int length, out SipFlow flow)
    {
        if (!_entries.TryTake(out Entry entry))
        {
            length = 0;
            flow = default;
            return false;
        }
        Span<byte> message = pool.Bytes(entry.Message);
        message.CopyTo(buffer);
        length = message.Length;
        flow = entry.Flow;
        pool.Release(entry.Message);
        return true;
    }

    /// <summary>Multicast, broadcast, "this host", port 0 and our own listeners are never sent to (amplification and loops).</summary>
    public bool IsForbidden(in SipFlow flow)
    {
        NetEndPoint remote = flow.Remote;
        if (!AddressKind.IsUnicast(remote.Address) || remote.Port == 0)
        {
            return true;
        }
        foreach (SipListener listener in options.Listeners)
        {
            if (listener.Transport == flow.Transport && (listener.Advertised == remote || listener.Local == remote))
            {
                return true;
            }
        }
        return false;
    }

    private readonly record struct Entry(int Message, SipFlow Flow);
}
