using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Proxy.Core.Net;

namespace Proxy.Sip.Targets;

/// <summary>Any thread. DNS messages: our questions, and what of the answers is needed to find a SIP server. Garbage is a verdict, never a throw.</summary>
/// <remarks>RFC 1035 §4.1, 2308 (negative answers), 2782 (SRV), 3403 (NAPTR), 3596 (AAAA), 6891 (EDNS: only to say how much we take).</remarks>
public static class DnsMessage
{
    /// <summary>Bytes of the largest question.</summary>
    public const int QuestionBytesMax = HeaderBytes + NameBytesMax + 4 + 11;

    /// <summary>Bytes of an answer that come by UDP at most: what crosses any path unfragmented (the DNS flag day of 2020).</summary>
    public const int DatagramBytesMax = 1_232;

    /// <summary>Records of one message that are looked at.</summary>
    private const int RecordsMax = 64;

    /// <summary>Aliases of aliases.</summary>
    private const int AliasesMax = 8;

    private const int HeaderBytes = 12;
    private const int NameBytesMax = 255;
    private const ushort ClassIn = 1;
    private const ushort KindOpt = 41;
    private static readonly TimeSpan s_noSuchThing = TimeSpan.FromSeconds(60);

    /// <param name="destination">At least <see cref="QuestionBytesMax"/> bytes.</param>
    /// <param name="id">Random.</param>
    /// <returns>Bytes written, or 0 for a name that cannot be asked for.</returns>
    public static int Write(Span<byte> destination, ushort id, DnsQuestion question)
    {
        destination[..HeaderBytes].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(destination, id);
        // RD, one question, one additional record.
        destination[2] = 0x01;
        destination[5] = 1;
        destination[11] = 1;
        int length = WriteName(destination[HeaderBytes..], question.Name);
        if (length == 0)
        {
            return 0;
        }
        Span<byte> rest = destination[(HeaderBytes + length)..];
        BinaryPrimitives.WriteUInt16BigEndian(rest, (ushort)question.Kind);
        BinaryPrimitives.WriteUInt16BigEndian(rest[2..], ClassIn);
        // OPT: root, type 41, class = bytes that we take, no flags, no data.
        rest[4..15].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(rest[5..], KindOpt);
        BinaryPrimitives.WriteUInt16BigEndian(rest[7..], DatagramBytesMax);
        return HeaderBytes + length + 15;
    }

    /// <param name="message">What came.</param>
    /// <param name="id">Of our question.</param>
    /// <param name="question">Our question.</param>
    /// <param name="answer">With Answer: the records, perhaps none.</param>
    public static DnsVerdict Read(ReadOnlySpan<byte> message, ushort id, DnsQuestion question, out DnsAnswer? answer)
    {
        answer = null;
        if (message.Length < HeaderBytes || BinaryPrimitives.ReadUInt16BigEndian(message) != id || (message[2] & 0xF8) != 0x80
            || BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1)
        {
            return DnsVerdict.Foreign;
        }
        var reader = new Reader(message, HeaderBytes);
        if (!reader.TryReadName(out string name) || name != question.Name || !reader.TryReadNumber(out ushort kind) || kind != (ushort)question.Kind
            || !reader.TryReadNumber(out ushort @class) || @class != ClassIn)
        {
            return DnsVerdict.Foreign;
        }
        if ((message[2] & 0x02) != 0)
        {
            return DnsVerdict.Truncated;
        }
        bool isNone = (message[3] & 0x0F) == 3;
        if (!isNone && (message[3] & 0x0F) != 0)
        {
            return DnsVerdict.Failure;
        }
        int answers = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        int authorities = BinaryPrimitives.ReadUInt16BigEndian(message[8..]);
        answer = TryReadRecords(ref reader, question, isNone ? 0 : answers, isNone ? answers + authorities : authorities);
        return answer is null ? DnsVerdict.Failure : DnsVerdict.Answer;
    }

    private static DnsAnswer? TryReadRecords(ref Reader reader, DnsQuestion question, int answers, int authorities)
    {
        var found = new List<Entry>();
        uint negative = uint.MaxValue;
        for (int i = 0; i < Math.Min(answers + authorities, RecordsMax); i++)
        {
            if (!reader.TryReadEntry(question.Kind, out Entry? entry))
            {
                return null;
            }
            if (i < answers && (entry.Kind == question.Kind || entry.Kind == DnsKind.Cname))
            {
                found.Add(entry);
            }
            else if (entry.Kind == DnsKind.Soa)
            {
                negative = entry.Ttl;
            }
        }
        return Choose(found, question, negative);
    }

    /// <summary>The records of the name, or of what it is an alias of.</summary>
    private static DnsAnswer Choose(List<Entry> found, DnsQuestion question, uint negative)
    {
        string name = question.Name;
        DnsKind kind = question.Kind;
        uint life = uint.MaxValue;
        for (int hops = 0; hops <= AliasesMax; hops++)
        {
            string owner = name;
            List<Entry> mine = found.FindAll(e => e.Kind == kind && e.Owner == owner);
            if (mine.Count > 0)
            {
                mine.ForEach(e => life = Math.Min(life, e.Ttl));
                return new DnsAnswer(mine.ConvertAll(e => e.Record!).ToArray(), TimeSpan.FromSeconds(life));
            }
            int alias = found.FindIndex(e => e.Kind == DnsKind.Cname && e.Owner == owner);
            if (alias < 0)
            {
                break;
            }
            life = Math.Min(life, found[alias].Ttl);
            name = found[alias].Record!.Target;
        }
        return new DnsAnswer([], negative < uint.MaxValue ? TimeSpan.FromSeconds(negative) : s_noSuchThing);
    }

    private static int WriteName(Span<byte> destination, string name)
    {
        if (name.Length is 0 or > NameBytesMax - 2)
        {
            return 0;
        }
        int at = 0;
        foreach (string label in name.Split('.'))
        {
            if (label.Length is 0 or > 63)
            {
                return 0;
            }
            destination[at++] = (byte)label.Length;
            at += Encoding.ASCII.GetBytes(label, destination[at..]);
        }
        destination[at] = 0;
        return at + 1;
    }

    /// <param name="record">Null for a kind that is not needed.</param>
    private sealed class Entry(string owner, uint ttl, DnsRecord? record)
    {
        public string Owner { get; } = owner;

        public uint Ttl { get; } = ttl;

        public DnsRecord? Record { get; } = record;

        public DnsKind Kind => Record?.Kind ?? DnsKind.None;
    }

    /// <summary>One owner. Reads on where the last one ended; false once the message is at its end or makes no sense.</summary>
    private ref struct Reader(ReadOnlySpan<byte> message, int at)
    {
        private readonly ReadOnlySpan<byte> _message = message;
        private int _at = at;
        private string _targetName = "";

        public bool TryReadNumber(out ushort number)
        {
            bool isThere = _message.Length - _at >= 2;
            number = isThere ? BinaryPrimitives.ReadUInt16BigEndian(_message[_at..]) : (ushort)0;
            _at += 2;
            return isThere;
        }

        /// <summary>Labels and pointers; a pointer leads backwards only, so that there is no loop.</summary>
        public bool TryReadName(out string name)
        {
            Span<char> text = stackalloc char[NameBytesMax];
            int length = 0;
            int at = _at;
            int before = _at;
            bool hasJumped = false;
            name = "";
            while (at < _message.Length)
            {
                int size = _message[at];
                if (size >= 0xC0)
                {
                    int target = at + 1 < _message.Length ? ((size & 0x3F) << 8) | _message[at + 1] : int.MaxValue;
                    _at = hasJumped ? _at : at + 2;
                    hasJumped = true;
                    if (target >= before)
                    {
                        return false;
                    }
                    (at, before) = (target, target);
                    continue;
                }
                at++;
                if (size == 0)
                {
                    _at = hasJumped ? _at : at;
                    name = length == 0 ? "" : text[..(length - 1)].ToString();
                    return true;
                }
                if (size > 63 || at + size > _message.Length || length + size + 1 > text.Length || !TryAddLabel(_message.Slice(at, size), text[length..]))
                {
                    return false;
                }
                length += size + 1;
                at += size;
            }
            return false;
        }

        /// <summary>One record; of a kind that is not needed only the kind is told.</summary>
        public bool TryReadEntry(DnsKind wanted, [NotNullWhen(true)] out Entry? entry)
        {
            entry = null;
            if (!TryReadName(out string owner) || _message.Length - _at < 10)
            {
                return false;
            }
            ReadOnlySpan<byte> head = _message[_at..];
            var kind = (DnsKind)BinaryPrimitives.ReadUInt16BigEndian(head);
            bool isOurs = BinaryPrimitives.ReadUInt16BigEndian(head[2..]) == ClassIn && (kind == wanted || kind is DnsKind.Cname or DnsKind.Soa);
            uint ttl = BinaryPrimitives.ReadUInt32BigEndian(head[4..]);
            int end = _at + 10 + BinaryPrimitives.ReadUInt16BigEndian(head[8..]);
            _at += 10;
            if (end > _message.Length)
            {
                return false;
            }
            DnsRecord? record = null;
            bool isRead = !isOurs || TryReadData(kind, end, out record, ref ttl);
            // RFC 2181 §8: a TTL with its first bit set is zero.
            entry = new Entry(owner, ttl > int.MaxValue ? 0 : ttl, record);
            _at = end;
            return isRead;
        }

        private static bool TryAddLabel(ReadOnlySpan<byte> label, Span<char> text)
        {
            for (int i = 0; i < label.Length; i++)
            {
                char c = (char)label[i];
                if (c is <= ' ' or '.' or >= '\x7F')
                {
                    return false;
                }
                text[i] = char.ToLowerInvariant(c);
            }
            text[label.Length] = '.';
            return true;
        }

        private bool TryReadData(DnsKind kind, int end, out DnsRecord? record, ref uint ttl)
        {
            record = null;
            switch (kind)
            {
                case DnsKind.A or DnsKind.Aaaa:
                    bool isAddress = end - _at == (kind == DnsKind.A ? 4 : 16) & NetAddress.TryFromBytes(_message[_at..end], out NetAddress address);
                    record = new DnsRecord { Kind = kind, Address = address };
                    return isAddress;
                case DnsKind.Cname:
                    bool isAlias = TryReadName(out string alias);
                    record = new DnsRecord { Kind = kind, Target = alias };
                    return isAlias && _at == end;
                case DnsKind.Soa:
                    record = new DnsRecord { Kind = kind };
                    // RFC 2308 §5: a negative answer lives as long as the record, and no longer than its last field says.
                    bool hasMinimum = TryReadName(out _) && TryReadName(out _) && end - _at == 20;
                    ttl = hasMinimum ? Math.Min(ttl, BinaryPrimitives.ReadUInt32BigEndian(_message[(end - 4)..])) : 0;
                    return hasMinimum;
                case DnsKind.Srv:
                    bool isServer = TryReadNumber(out ushort priority) & TryReadNumber(out ushort weight) & TryReadNumber(out ushort port);
                    isServer = isServer && TryReadName(out _targetName);
                    record = new DnsRecord { Kind = kind, Priority = priority, Weight = weight, Port = port, Target = _targetName };
                    return isServer && _at == end;
                default:
                    return TryReadService(end, out record);
            }
        }

        private bool TryReadService(int end, out DnsRecord record)
        {
            bool isService = TryReadNumber(out ushort order) & TryReadNumber(out ushort preference);
            isService = TryReadText(end, out string flags) & TryReadText(end, out string service) & TryReadText(end, out string expression) & isService;
            isService = isService && TryReadName(out _targetName);
            // What a regular expression would give is not worked out: such a record leads nowhere.
            string target = expression.Length == 0 ? _targetName : "";
            record = new DnsRecord { Kind = DnsKind.Naptr, Priority = order, Weight = preference, Flags = flags, Service = service, Target = target };
            return isService && _at == end;
        }

        private bool TryReadText(int end, out string text)
        {
            text = "";
            if (_at >= end || _at + 1 + _message[_at] > end)
            {
                _at = _message.Length;
                return false;
            }
            text = Encoding.Latin1.GetString(_message.Slice(_at + 1, _message[_at]));
            _at += 1 + text.Length;
            return true;
        }
    }
}
