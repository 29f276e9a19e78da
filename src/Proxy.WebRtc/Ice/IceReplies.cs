using Proxy.Core.Net;

namespace Proxy.WebRtc.Ice;

/// <summary>One owner. Answers that wait to be sent, in order, at most sixteen; written only when polled.</summary>
internal sealed class IceReplies
{
    /// <summary>Requests that one datagram burst may leave unanswered before the oldest socket read is drained; more are dropped, the peer asks again.</summary>
    public const int Capacity = 16;

    private readonly IceReply[] _ring = new IceReply[Capacity];
    private int _head;

    public int Count { get; private set; }

    /// <returns>False when full.</returns>
    public bool TryAdd(in IceReply reply)
    {
        if (Count == Capacity)
        {
            return false;
        }
        _ring[(_head + Count++) % Capacity] = reply;
        return true;
    }

    public bool TryTake(out IceReply reply)
    {
        reply = default;
        if (Count == 0)
        {
            return false;
        }
        reply = _ring[_head];
        _head = (_head + 1) % Capacity;
        Count--;
        return true;
    }
}

/// <summary>One owner. A binding response to be written.</summary>
/// <param name="To">Whence the request came.</param>
/// <param name="Transaction">The request's.</param>
/// <param name="ErrorCode">0 for success.</param>
/// <param name="UnknownAttribute">What a 420 complains about.</param>
/// <param name="IsPreviousKey">The request was signed with the credentials before the restart.</param>
internal readonly record struct IceReply(NetEndPoint To, TransactionId Transaction, int ErrorCode, int UnknownAttribute, bool IsPreviousKey);
