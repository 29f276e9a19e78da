using System;
using System.Globalization;

namespace Proxy.Server.Config;

/// <summary>Any thread. Times as Go writes them: <c>15s</c>, <c>1m30s</c>, <c>200ms</c>, <c>-1s</c>; a bare number is nanoseconds.</summary>
public static class GoDuration
{
    /// <returns>False for anything else, and for bare numbers under a millisecond: who writes <c>15</c> means seconds.</returns>
    public static bool TryParse(string text, out TimeSpan value)
    {
        value = default;
        ReadOnlySpan<char> rest = text.AsSpan().Trim();
        bool isNegative = rest.StartsWith("-");
        rest = rest.TrimStart('-');
        if (rest.IsEmpty)
        {
            return false;
        }
        if (long.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out long nanos))
        {
            value = TimeSpan.FromTicks(nanos / 100);
            return nanos is 0 or >= 1_000_000;
        }
        double ticks = 0;
        while (!rest.IsEmpty)
        {
            int digits = rest.IndexOfAnyExcept("0123456789.");
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
            {
                return false;
            }
            rest = rest[digits..];
            int letters = rest.IndexOfAny("0123456789.");
            ReadOnlySpan<char> unit = letters < 0 ? rest : rest[..letters];
            double ticksPerUnit = unit switch
            {
                "ns" => 0.01,
                "us" or "µs" => TimeSpan.TicksPerMicrosecond,
                "ms" => TimeSpan.TicksPerMillisecond,
                "s" => TimeSpan.TicksPerSecond,
                "m" => TimeSpan.TicksPerMinute,
                "h" => TimeSpan.TicksPerHour,
                _ => 0,
            };
            ticks += number * ticksPerUnit;
            rest = rest[unit.Length..];
            if (ticksPerUnit == 0 || ticks > TimeSpan.TicksPerDay * 10_000.0)
            {
                return false;
            }
        }
        value = TimeSpan.FromTicks((long)(isNegative ? -ticks : ticks));
        return true;
    }
}
