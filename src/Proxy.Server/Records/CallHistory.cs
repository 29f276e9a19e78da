using System;
using System.Buffers;
using System.Collections.Generic;
using Proxy.Bridge.Records;
using Proxy.Core;

namespace Proxy.Server.Records;

/// <summary>
/// One owner (the task of <see cref="CallArchive"/>). The last call attempts as JSON lines: bounded in number, age and bytes, found by our id, SIP Call-ID,
/// provider's id or number. No object lives for an attempt: an entry of numbers in a flat array, and bytes in a <see cref="ByteLog"/>.
/// </summary>
public sealed class CallHistory
{
    private readonly Limits _limits;
    private readonly ByteLog _bytes;
    private readonly ArrayBufferWriter<byte> _line = new(4_096);
    private readonly Entry[] _entries;
    private long _first;
    private long _next;

    public CallHistory(Limits limits)
    {
        _limits = limits;
        _bytes = new ByteLog(limits.HistoryBytes);
        _entries = GC.AllocateUninitializedArray<Entry>(Math.Max(1, limits.HistoryRecords));
    }

    /// <summary>Attempts that are remembered.</summary>
    public int Count => (int)(_next - _first);

    public void Add(CallRecord record)
    {
        long startedMs = record.StartedAt.ToUnixTimeMilliseconds();
        long endedMs = startedMs + (long)Math.Max(0, record.EndedMs);
        _line.ResetWrittenCount();
        RecordJson.Write(_line, record);
        ReadOnlySpan<byte> line = _line.WrittenSpan.TrimEnd((byte)'\n');
        long position = _bytes.Add(line);
        if (position < 0)
        {
            return;
        }
        if (Count == _entries.Length)
        {
            _first++;
        }
        _entries[_next % _entries.Length] = new Entry
        {
            StartedMs = startedMs,
            EndedMs = endedMs,
            Position = position,
            Length = line.Length,
            IsRefused = IsRefused(record),
            CallId = Hash(record.CallId),
            SipCallId = Hash(record.SipCallId),
            ProviderId = Hash(record.ProviderCallId),
            From = NumberKey(record.FromUser),
            To = NumberKey(record.ToUser),
        };
        _next++;
        Forget(endedMs);
    }

    /// <summary>Forgets what is too old or has lost its bytes.</summary>
    public void Forget(long nowMs)
    {
        long oldest = nowMs - (long)_limits.HistoryAge.TotalMilliseconds;
        while (_first < _next && (_entries[_first % _entries.Length].EndedMs < oldest || _entries[_first % _entries.Length].Position < _bytes.Start))
        {
            _first++;
        }
    }

    /// <summary>The newest first.</summary>
    /// <param name="most">Lines returned at most.</param>
    /// <param name="more">How many others would have matched.</param>
    public List<byte[]> List(in CallQuery query, int most, out int more)
    {
        List<byte[]> found = [];
        more = 0;
        for (long i = _next - 1; i >= _first; i--)
        {
            ref Entry entry = ref _entries[i % _entries.Length];
            if (!Matches(entry, query))
            {
                continue;
            }
            ReadOnlySpan<byte> line = _bytes.Read(entry.Position, entry.Length);
            if (line.IsEmpty)
            {
                break;
            }
            if (found.Count < most)
            {
                found.Add(line.ToArray());
            }
            else
            {
                more++;
            }
        }
        return found;
    }

    /// <summary>Attempts with that id (ours, the SIP Call-ID, or the provider's), the newest first: a challenged INVITE and the one with credentials share theirs.</summary>
    public List<byte[]> Find(string id, int most) => List(new CallQuery { Id = id }, most, out _);

    /// <summary>What a number is looked up by: digits alone where it is a telephone number, else the text in small letters.</summary>
    public static ulong NumberKey(string user)
    {
        Span<char> key = stackalloc char[128];
        int length = 0;
        bool isNumber = true;
        foreach (char c in user.AsSpan(0, Math.Min(user.Length, key.Length)))
        {
            isNumber &= char.IsAsciiDigit(c) || c is '+' or '-' or '.' or '(' or ')' or ' ';
            key[length++] = char.ToLowerInvariant(c);
        }
        if (isNumber)
        {
            int digits = 0;
            for (int i = 0; i < length; i++)
            {
                if (char.IsAsciiDigit(key[i]))
                {
                    key[digits++] = key[i];
                }
            }
            length = digits;
        }
        return Hash(key[..length]);
    }

    /// <summary>Refused by us. A challenge is a question, and a caller who hangs up refused itself.</summary>
    private static bool IsRefused(CallRecord record) => record.AnsweredMs < 0 && record.EndedBy == "us" && record.Code != "challenged";

    private static bool Matches(in Entry entry, in CallQuery query)
    {
        if (query.Id.Length > 0)
        {
            ulong id = Hash(query.Id);
            if (entry.CallId != id && entry.SipCallId != id && entry.ProviderId != id)
            {
                return false;
            }
        }
        if (query.Number.Length > 0)
        {
            ulong number = NumberKey(query.Number);
            if (entry.From != number && entry.To != number)
            {
                return false;
            }
        }
        return (!query.IsRefused || entry.IsRefused) && entry.StartedMs >= query.SinceMs;
    }

    /// <summary>FNV-1a, 64 bits; 0 for nothing. Who makes two ids collide sees one attempt more in a list, no more.</summary>
    private static ulong Hash(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return 0;
        }
        ulong hash = 14695981039346656037;
        foreach (char c in text)
        {
            hash = (hash ^ c) * 1099511628211;
        }
        return hash;
    }

    private struct Entry
    {
        public long StartedMs;
        public long EndedMs;
        public long Position;
        public ulong CallId;
        public ulong SipCallId;
        public ulong ProviderId;
        public ulong From;
        public ulong To;
        public int Length;
        public bool IsRefused;
    }
}

/// <summary>Any thread. Which attempts are asked for; the default value asks for all.</summary>
public readonly record struct CallQuery
{
    public CallQuery()
    {
    }

    /// <summary>Our id, the SIP Call-ID or the provider's; empty: any.</summary>
    public string Id { get; init; } = "";

    /// <summary>Calling or called number, with or without + and separators; empty: any.</summary>
    public string Number { get; init; } = "";

    /// <summary>Only those that we refused.</summary>
    public bool IsRefused { get; init; }

    /// <summary>Not before, milliseconds since 1970.</summary>
    public long SinceMs { get; init; }
}
