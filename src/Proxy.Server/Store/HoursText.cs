using System;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Proxy.Policy.Dispatch;

namespace Proxy.Server.Store;

/// <summary>Any thread. Reads <c>mon-fri 08:00-18:00 Europe/Berlin</c>: days (one, a span, or several with commas), hours, zone (UTC when absent).</summary>
internal static class HoursText
{
    private static readonly string[] s_days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    public static bool TryParse(string text, [NotNullWhen(true)] out TimeWindow? window, out string error)
    {
        window = null;
        error = $"{text} is no window such as \"mon-fri 08:00-18:00 Europe/Berlin\"";
        string[] parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is < 2 or > 3 || !TryDays(parts[0], out byte days) || !TryHours(parts[1], out int from, out int to))
        {
            return false;
        }
        string zoneName = parts.Length == 3 ? parts[2] : "UTC";
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(zoneName, out TimeZoneInfo? zone))
        {
            error = $"time zone {zoneName} is not known on this machine";
            return false;
        }
        window = new TimeWindow(zone, days, from, to);
        return true;
    }

    private static bool TryDays(string text, out byte days)
    {
        days = 0;
        if (text == "daily")
        {
            days = 0x7F;
            return true;
        }
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Split('-');
            int first = Array.IndexOf(s_days, ends[0]);
            int last = Array.IndexOf(s_days, ends[^1]);
            if (first < 0 || last < 0 || ends.Length > 2)
            {
                return false;
            }
            for (int day = first; ; day = (day + 1) % 7)
            {
                days |= (byte)(1 << day);
                if (day == last)
                {
                    break;
                }
            }
        }
        return true;
    }

    private static bool TryHours(string text, out int from, out int to)
    {
        to = 0;
        string[] ends = text.Split('-');
        return TryMinute(ends[0], out from) && ends.Length == 2 && TryMinute(ends[1], out to) && from < 1440;
    }

    private static bool TryMinute(string text, out int minute)
    {
        minute = 0;
        if (text.Length != 5 || text[2] != ':'
            || !int.TryParse(text.AsSpan(0, 2), NumberStyles.None, CultureInfo.InvariantCulture, out int hour)
            || !int.TryParse(text.AsSpan(3, 2), NumberStyles.None, CultureInfo.InvariantCulture, out int rest))
        {
            return false;
        }
        minute = (hour * 60) + rest;
        return hour <= 24 && rest < 60 && minute <= 1440;
    }
}
