using System;
using System.Text.RegularExpressions;

namespace Proxy.Policy.Dispatch;

/// <summary>Any thread. Conditions beside a rule, our own addition; all must hold.</summary>
public sealed record RuleMatch
{
    internal const int AllHold = -1;
    private const int FirstHeader = 5;

    public static RuleMatch None { get; } = new();

    /// <summary>On the Request-URI as it stood on the wire.</summary>
    public Regex? RequestUri { get; init; }

    /// <summary>On the user of P-Asserted-Identity; empty text when there is none.</summary>
    public Regex? AssertedIdentity { get; init; }

    /// <summary>On the user of Diversion or History-Info; empty text when there is none.</summary>
    public Regex? Diversion { get; init; }

    /// <summary>On the first value of a header field; empty text when there is none.</summary>
    public HeaderMatch[] Headers { get; init; } = [];

    /// <summary>Any one of them must hold; empty means always.</summary>
    public TimeWindow[] Windows { get; init; } = [];

    /// <summary>Share of calls, 0–100, drawn by our call id: the same call always falls on the same side.</summary>
    public int Percent { get; init; } = 100;

    /// <summary>Whether there is nothing to hold.</summary>
    public bool IsEmpty => ReferenceEquals(this, None)
        || (RequestUri is null && AssertedIdentity is null && Diversion is null && Headers.Length == 0 && Windows.Length == 0 && Percent >= 100);

    /// <summary>Makes a pattern whose time is linear in the text, whatever the pattern (no back references, no look-around).</summary>
    /// <returns>False with a sentence for what is no such pattern.</returns>
    public static bool TryPattern(string text, out Regex? pattern, out string error)
    {
        pattern = null;
        error = "";
        if (text.Length > 512)
        {
            error = "a pattern may have 512 characters";
            return false;
        }
        try
        {
            pattern = new Regex(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            error = e.Message;
            return false;
        }
    }

    /// <summary>The first condition that does not hold.</summary>
    /// <returns>Its place for <see cref="Describe"/>; <see cref="AllHold"/> when all hold.</returns>
    internal int FirstFailed(in CallFacts facts, string ruleId)
    {
        if (RequestUri is not null && !RequestUri.IsMatch(facts.RequestUri))
        {
            return 0;
        }
        if (AssertedIdentity is not null && !AssertedIdentity.IsMatch(facts.AssertedUser))
        {
            return 1;
        }
        if (Diversion is not null && !Diversion.IsMatch(facts.DivertedUser))
        {
            return 2;
        }
        for (int i = 0; i < Headers.Length; i++)
        {
            if (!Headers[i].Pattern.IsMatch(facts.Header(Headers[i].Name)))
            {
                return FirstHeader + i;
            }
        }
        if (Windows.Length > 0 && !IsInWindow(facts.Utc))
        {
            return 3;
        }
        if (Percent < 100 && Draw(facts.CallId, ruleId) >= Percent)
        {
            return 4;
        }
        return AllHold;
    }

    /// <summary>A sentence about a condition that does not hold.</summary>
    internal string Describe(int failed) => failed switch
    {
        AllHold => "",
        0 => $"the Request-URI does not match {RequestUri}",
        1 => $"P-Asserted-Identity does not match {AssertedIdentity}",
        2 => $"Diversion does not match {Diversion}",
        3 => "it is outside the time windows",
        4 => $"the call is not among its {Percent} percent",
        _ => $"header {Headers[failed - FirstHeader].Name} does not match {Headers[failed - FirstHeader].Pattern}",
    };

    private bool IsInWindow(DateTimeOffset utc)
    {
        foreach (TimeWindow window in Windows)
        {
            if (window.Contains(utc))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>0–99 from two texts (FNV-1a); our call id is random, so nobody can choose it.</summary>
    private static int Draw(string callId, string ruleId)
    {
        uint hash = 2166136261;
        foreach (char c in callId)
        {
            hash = (hash ^ c) * 16777619;
        }
        foreach (char c in ruleId)
        {
            hash = (hash ^ c) * 16777619;
        }
        hash ^= hash >> 15;
        return (int)(hash * 2246822519u % 100);
    }
}

/// <summary>Any thread. A header and the pattern its first value must match.</summary>
public sealed record HeaderMatch(string Name, Regex Pattern);

/// <summary>Any thread. Hours of some days of the week in a time zone; an end before the start is on the next day.</summary>
/// <param name="Zone">Resolved by the store: files of zones are not read here.</param>
/// <param name="Days">Bit 0 is Sunday.</param>
/// <param name="From">Minute of the day, 0–1439.</param>
/// <param name="To">Minute of the day, 1–1440; not in the window itself.</param>
public sealed record TimeWindow(TimeZoneInfo Zone, byte Days, int From, int To)
{
    public bool Contains(DateTimeOffset utc)
    {
        DateTimeOffset local = TimeZoneInfo.ConvertTime(utc, Zone);
        int minute = (local.Hour * 60) + local.Minute;
        int day = (int)local.DayOfWeek;
        if (From < To)
        {
            return HasDay(day) && minute >= From && minute < To;
        }
        return (HasDay(day) && minute >= From) || (HasDay((day + 6) % 7) && minute < To);
    }

    private bool HasDay(int day) => (Days >> day & 1) != 0;
}
