using System;
using System.Buffers.Binary;
using Proxy.Core.Memory;

namespace Proxy.Sip.Targets;

/// <summary>Any thread. The order in which records are tried.</summary>
internal static class TargetOrder
{
    /// <summary>SRV: by priority, and among equal ones by lot, each with the chance that its weight gives it.</summary>
    /// <remarks>RFC 2782, "Usage rules": weight 0 is drawn only when the number drawn is 0.</remarks>
    public static void Sort(Span<DnsRecord> records, IRandom random)
    {
        records.Sort(static (a, b) => a.Priority != b.Priority ? a.Priority.CompareTo(b.Priority) : a.Weight.CompareTo(b.Weight));
        for (int start = 0; start < records.Length;)
        {
            int end = start + 1;
            while (end < records.Length && records[end].Priority == records[start].Priority)
            {
                end++;
            }
            Draw(records[start..end], random);
            start = end;
        }
    }

    /// <summary>NAPTR: by order, then by preference.</summary>
    public static void SortServices(Span<DnsRecord> records) =>
        records.Sort(static (a, b) => a.Priority != b.Priority ? a.Priority.CompareTo(b.Priority) : a.Weight.CompareTo(b.Weight));

    /// <param name="equals">Of one priority, by weight, so that those of weight 0 stand first.</param>
    private static void Draw(Span<DnsRecord> equals, IRandom random)
    {
        Span<byte> bytes = stackalloc byte[8];
        for (; equals.Length > 1; equals = equals[1..])
        {
            ulong sum = 0;
            foreach (DnsRecord record in equals)
            {
                sum += record.Weight;
            }
            random.Fill(bytes);
            ulong drawn = BinaryPrimitives.ReadUInt64LittleEndian(bytes) % (sum + 1);
            int chosen = 0;
            for (ulong running = equals[0].Weight; running < drawn; running += equals[chosen].Weight)
            {
                chosen++;
            }
            DnsRecord one = equals[chosen];
            equals[..chosen].CopyTo(equals[1..]);
            equals[0] = one;
        }
    }
}
