using System;
using System.Globalization;

namespace Proxy.LiveKit.ProtoJson;

/// <summary>Any thread. Duration and Timestamp, which JSON writes as text.</summary>
/// <remarks>google/protobuf/duration.proto, timestamp.proto: their JSON mapping.</remarks>
internal static class WellKnownJson
{
    private const long MaxDurationSeconds = 315_576_000_000;
    private const long MinTimestampSeconds = -62_135_596_800;
    private const long MaxTimestampSeconds = 253_402_300_799;
    private const string DateAndTime = "yyyy-MM-dd'T'HH:mm:ss";

    /// <summary>Writes the text of an encoded Duration or Timestamp.</summary>
    internal static string Format(string type, ReadOnlySpan<byte> wire)
    {
        long seconds = 0;
        int nanos = 0;
        WireReader reader = new(wire);
        while (reader.MoveNext())
        {
            seconds = reader.Number == 1 ? (long)reader.Value : seconds;
            nanos = reader.Number == 2 ? (int)reader.Value : nanos;
        }
        if (type == ProtoShapes.Duration)
        {
            string sign = seconds < 0 || nanos < 0 ? "-" : "";
            return sign + Math.Abs((decimal)seconds).ToString(CultureInfo.InvariantCulture) + Fraction(Math.Abs((long)nanos)) + "s";
        }
        seconds = Math.Clamp(seconds, MinTimestampSeconds, MaxTimestampSeconds);
        return DateTimeOffset.FromUnixTimeSeconds(seconds).ToString(DateAndTime, CultureInfo.InvariantCulture) + Fraction(nanos) + "Z";
    }

    internal static bool TryParse(string type, string text, out long seconds, out int nanos) =>
        type == ProtoShapes.Duration ? TryDuration(text, out seconds, out nanos) : TryTimestamp(text, out seconds, out nanos);

    /// <summary>Optional sign, digits, optional fraction of up to nine digits, <c>s</c>.</summary>
    private static bool TryDuration(string text, out long seconds, out int nanos)
    {
        seconds = 0;
        nanos = 0;
        if (text.Length < 2 || text[^1] != 's')
        {
            return false;
        }
        ReadOnlySpan<char> number = text.AsSpan(0, text.Length - 1);
        bool isNegative = number[0] == '-';
        number = isNegative || number[0] == '+' ? number[1..] : number;
        int dot = number.IndexOf('.');
        ReadOnlySpan<char> whole = dot < 0 ? number : number[..dot];
        if (!long.TryParse(whole, NumberStyles.None, CultureInfo.InvariantCulture, out seconds) || seconds > MaxDurationSeconds
            || (dot >= 0 && !TryFraction(number[(dot + 1)..], out nanos)))
        {
            return false;
        }
        seconds = isNegative ? -seconds : seconds;
        nanos = isNegative ? -nanos : nanos;
        return true;
    }

    /// <summary>RFC 3339 with a zone and up to nine digits of fraction.</summary>
    private static bool TryTimestamp(string text, out long seconds, out int nanos)
    {
        seconds = 0;
        nanos = 0;
        if (text.Length < 20 || !DateTime.TryParseExact(text.AsSpan(0, 19), DateAndTime, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTime time))
        {
            return false;
        }
        ReadOnlySpan<char> rest = text.AsSpan(19);
        if (rest[0] == '.')
        {
            int end = rest[1..].IndexOfAnyExceptInRange('0', '9');
            if (end < 0 || !TryFraction(rest.Slice(1, end), out nanos))
            {
                return false;
            }
            rest = rest[(end + 1)..];
        }
        if (!TryZone(rest, out int zoneMinutes))
        {
            return false;
        }
        seconds = new DateTimeOffset(time).ToUnixTimeSeconds() - (zoneMinutes * 60L);
        return seconds is >= MinTimestampSeconds and <= MaxTimestampSeconds;
    }

    private static bool TryZone(ReadOnlySpan<char> text, out int minutes)
    {
        minutes = 0;
        if (text.SequenceEqual("Z"))
        {
            return true;
        }
        if (text.Length != 6 || text[3] != ':' || text[0] is not ('+' or '-')
            || !int.TryParse(text.Slice(1, 2), NumberStyles.None, CultureInfo.InvariantCulture, out int hour) || hour > 23
            || !int.TryParse(text.Slice(4, 2), NumberStyles.None, CultureInfo.InvariantCulture, out int minute) || minute > 59)
        {
            return false;
        }
        minutes = ((hour * 60) + minute) * (text[0] == '-' ? -1 : 1);
        return true;
    }

    private static bool TryFraction(ReadOnlySpan<char> digits, out int nanos)
    {
        nanos = 0;
        if (digits.Length is 0 or > 9 || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out nanos))
        {
            return false;
        }
        for (int i = digits.Length; i < 9; i++)
        {
            nanos *= 10;
        }
        return true;
    }

    /// <summary>Nothing, or three, six or nine digits behind a dot.</summary>
    private static string Fraction(long nanos)
    {
        if (nanos == 0)
        {
            return "";
        }
        string digits = nanos.ToString("D9", CultureInfo.InvariantCulture);
        return "." + (nanos % 1_000_000 == 0 ? digits[..3] : nanos % 1_000 == 0 ? digits[..6] : digits);
    }
}
