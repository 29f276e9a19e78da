using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Proxy.Core;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Sip;
using Proxy.Sip.Parsing;

namespace Proxy.Server.Signal;

/// <summary>
/// Signal thread. The SIP messages of calls, in one ring of bytes: bounded in all and for each call, the oldest go first, secrets are
/// overwritten as they come in. A call is what has a Call-ID that came with an INVITE.
/// </summary>
public sealed class SipTrace
{
    private const int EntryShare = 256;

    private readonly Limits _limits;
    private readonly byte[] _bytes;
    private readonly Entry[] _entries;
    private readonly Dictionary<byte[], Chain> _calls = new(new CallIdComparer());
    private readonly Dictionary<byte[], Chain>.AlternateLookup<ReadOnlySpan<byte>> _byId;
    private long _first;
    private long _next;
    private int _head;

    public SipTrace(Limits limits)
    {
        _limits = limits;
        _bytes = GC.AllocateUninitializedArray<byte>(Math.Max(limits.SipTraceBytes, 4_096));
        _entries = new Entry[Math.Max(16, _bytes.Length / EntryShare)];
        _byId = _calls.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Messages that are kept.</summary>
    public int Count => (int)(_next - _first);

    /// <summary>Calls of which a message is kept.</summary>
    public int Calls => _calls.Count;

    /// <summary>Notes a message that came, or goes out.</summary>
    /// <param name="message">Whole; borrowed for the call.</param>
    public void Add(bool isSent, in SipFlow flow, ReadOnlySpan<byte> message, MonoTime now)
    {
        SipMessageView.TryParse(message, out SipMessageView view, out _, _limits);
        if (view.CallId.IsEmpty || view.CallId.Length > _limits.SipHeaderBytes)
        {
            return;
        }
        ref Chain known = ref CollectionsMarshal.GetValueRefOrNullRef(_byId, view.CallId);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref known) && (isSent || !view.IsRequest || view.Method != SipMethod.Invite))
        {
            return;
        }
        Chain chain = System.Runtime.CompilerServices.Unsafe.IsNullRef(ref known) ? new Chain { Last = -1, LastSent = -1, LastReceived = -1 } : known;
        if (chain.Count >= _limits.SipTraceMessagesPerCall)
        {
            known.Cut++;
            return;
        }
        int hash = HashOf(message);
        bool isRepeat = IsRepeat(isSent ? chain.LastSent : chain.LastReceived, hash, message.Length);
        bool isCut = !isRepeat && chain.Bytes + message.Length > _limits.SipTraceBytesPerCall;
        ReadOnlySpan<byte> kept = isRepeat ? default : isCut ? message[..FirstLine(message)] : message;
        if (!TryPlace(kept.Length, out int offset))
        {
            return;
        }
        // Making room may have forgotten this very call.
        if (!_byId.TryGetValue(view.CallId, out chain))
        {
            chain = new Chain { Last = -1, LastSent = -1, LastReceived = -1 };
        }
        kept.CopyTo(_bytes.AsSpan(offset));
        SipSecrets.Mask(_bytes.AsSpan(offset, kept.Length));
        _entries[_next % _entries.Length] = new Entry
        {
            CallId = IdOf(view.CallId),
            Micros = now.Micros,
            Previous = chain.Last,
            Original = isRepeat ? OriginalOf(isSent ? chain.LastSent : chain.LastReceived) : _next,
            Remote = flow.Remote,
            Offset = offset,
            Length = kept.Length,
            WireLength = message.Length,
            Hash = hash,
            Transport = flow.Transport,
            IsSent = isSent,
        };
        chain.Last = _next;
        chain.LastSent = isSent ? _next : chain.LastSent;
        chain.LastReceived = isSent ? chain.LastReceived : _next;
        chain.Count++;
        chain.Bytes += kept.Length;
        _calls[_entries[_next % _entries.Length].CallId] = chain;
        _next++;
    }

    /// <summary>Copies a call's messages, the oldest first.</summary>
    /// <param name="sipCallId">The SIP Call-ID.</param>
    /// <returns>Empty when none is kept.</returns>
    public SipTraceCopy Copy(ReadOnlySpan<byte> sipCallId)
    {
        List<SipTraceMessage> messages = [];
        if (!_byId.TryGetValue(sipCallId, out Chain chain))
        {
            return new SipTraceCopy(messages, 0);
        }
        for (long at = chain.Last; at >= _first; at = _entries[at % _entries.Length].Previous)
        {
            ref Entry entry = ref _entries[at % _entries.Length];
            messages.Add(new SipTraceMessage(
                new MonoTime(entry.Micros), entry.IsSent, entry.Transport, entry.Remote, entry.WireLength, entry.Original != at, TextOf(entry.Original)));
        }
        messages.Reverse();
        return new SipTraceCopy(messages, chain.Cut);
    }

    /// <summary>The bytes of a message; a repeated one has its original's, if that is still there.</summary>
    private byte[] TextOf(long original)
    {
        if (original < _first)
        {
            return [];
        }
        ref Entry entry = ref _entries[original % _entries.Length];
        return _bytes.AsSpan(entry.Offset, entry.Length).ToArray();
    }

    private long OriginalOf(long entry) => _entries[entry % _entries.Length].Original;

    private bool IsRepeat(long last, int hash, int length)
    {
        if (last < _first)
        {
            return false;
        }
        ref Entry entry = ref _entries[last % _entries.Length];
        return entry.Hash == hash && entry.WireLength == length && entry.Original >= _first;
    }

    /// <summary>The same array for all entries of a call.</summary>
    private byte[] IdOf(ReadOnlySpan<byte> callId) => _byId.TryGetValue(callId, out byte[]? id, out _) ? id : callId.ToArray();

    /// <summary>Makes room by forgetting the oldest.</summary>
    private bool TryPlace(int length, out int offset)
    {
        offset = 0;
        if (length > _bytes.Length)
        {
            return false;
        }
        while (Count == _entries.Length || !HasRoom(length, out offset))
        {
            Forget();
        }
        _head = offset + length;
        return true;
    }

    /// <summary>A message lies in one piece: after the newest, or at the start of the ring.</summary>
    private bool HasRoom(int length, out int offset)
    {
        if (Count == 0)
        {
            offset = 0;
            return true;
        }
        int tail = _entries[_first % _entries.Length].Offset;
        offset = _head;
        if (_head > tail || (_head == tail && length == 0))
        {
            if (_bytes.Length - _head >= length)
            {
                return true;
            }
            offset = 0;
            return tail > length;
        }
        return tail - _head > length;
    }

    private void Forget()
    {
        ref Entry entry = ref _entries[_first % _entries.Length];
        ref Chain chain = ref CollectionsMarshal.GetValueRefOrNullRef(_calls, entry.CallId);
        chain.Count--;
        chain.Bytes -= entry.Length;
        if (chain.Count == 0)
        {
            _calls.Remove(entry.CallId);
        }
        entry.CallId = [];
        _first++;
    }

    private static int FirstLine(ReadOnlySpan<byte> message)
    {
        int end = message.IndexOf((byte)'\n');
        return Math.Min(end < 0 ? message.Length : end + 1, 256);
    }

    private static int HashOf(ReadOnlySpan<byte> bytes)
    {
        var sum = new HashCode();
        sum.AddBytes(bytes);
        return sum.ToHashCode();
    }

    /// <summary>What a call's messages have in common.</summary>
    private struct Chain
    {
        public long Last;
        public long LastSent;
        public long LastReceived;
        public int Count;
        public int Bytes;
        public int Cut;
    }

    private struct Entry
    {
        public byte[] CallId;
        public long Micros;
        public long Previous;
        public long Original;
        public NetEndPoint Remote;
        public int Offset;
        public int Length;
        public int WireLength;
        public int Hash;
        public SipTransport Transport;
        public bool IsSent;
    }

    private sealed class CallIdComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => ReferenceEquals(x, y) || (x is not null && y is not null && x.AsSpan().SequenceEqual(y));

        public int GetHashCode([DisallowNull] byte[] obj) => HashOf(obj);

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate) => HashOf(alternate);
    }
}

/// <summary>Any thread. A call's messages, the oldest first.</summary>
/// <param name="Messages">Copies; secrets are masked.</param>
/// <param name="Cut">Messages above the call's number that were not kept.</param>
public sealed record SipTraceCopy(List<SipTraceMessage> Messages, int Cut);

/// <summary>Any thread. One message of a call.</summary>
/// <param name="At">When it came or was sent.</param>
/// <param name="IsSent">By us.</param>
/// <param name="Transport">UDP, TCP or TLS.</param>
/// <param name="Remote">The other side.</param>
/// <param name="WireLength">Bytes on the wire; more than <paramref name="Bytes"/> when only the first line was kept.</param>
/// <param name="IsRepeat">The same bytes as the message before it in this direction.</param>
/// <param name="Bytes">What was kept, secrets masked; empty when the original of a repeat is gone.</param>
public sealed record SipTraceMessage(MonoTime At, bool IsSent, SipTransport Transport, NetEndPoint Remote, int WireLength, bool IsRepeat, byte[] Bytes);
