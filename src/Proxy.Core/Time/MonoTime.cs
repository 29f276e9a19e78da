using System;

namespace Proxy.Core.Time;

/// <summary>Any thread. A point on the process's monotonic clock, in microseconds; read once per loop turn by the runtime and passed down.</summary>
/// <param name="Micros">Microseconds since an arbitrary start; never wall-clock time.</param>
public readonly record struct MonoTime(long Micros) : IComparable<MonoTime>
{
    /// <summary>A deadline that never comes.</summary>
    public static MonoTime Never => new(long.MaxValue);

    /// <summary>Whether this is <see cref="Never"/>.</summary>
    public bool IsNever => Micros == long.MaxValue;

    public int CompareTo(MonoTime other) => Micros.CompareTo(other.Micros);

    /// <summary>The earlier of two times.</summary>
    public static MonoTime Min(MonoTime a, MonoTime b) => a.Micros <= b.Micros ? a : b;

    public static MonoTime FromMillis(long millis) => new(millis * 1000);

    public MonoTime AddMicros(long micros) => IsNever ? this : new MonoTime(Micros + micros);

    public MonoTime AddMillis(long millis) => AddMicros(millis * 1000);

    public static MonoTime operator +(MonoTime time, TimeSpan span) => time.AddMicros(span.Ticks / 10);

    public static MonoTime operator -(MonoTime time, TimeSpan span) => time.AddMicros(-(span.Ticks / 10));

    public static TimeSpan operator -(MonoTime a, MonoTime b) => new((a.Micros - b.Micros) * 10);

    public static bool operator <(MonoTime a, MonoTime b) => a.Micros < b.Micros;

    public static bool operator >(MonoTime a, MonoTime b) => a.Micros > b.Micros;

    public static bool operator <=(MonoTime a, MonoTime b) => a.Micros <= b.Micros;

    public static bool operator >=(MonoTime a, MonoTime b) => a.Micros >= b.Micros;
}
