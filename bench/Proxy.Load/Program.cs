using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using Proxy.Load;

// siproom-load: calls a SIP target, sends a tone, judges what comes back, prints one JSON object. Exit 0: every call was
// answered and (with --hear-hz) every call heard the tone.
LoadOptions options;
try
{
    options = LoadOptions.Parse(args);
}
catch (Exception e) when (e is ArgumentException or FormatException)
{
    Console.Error.WriteLine("siproom-load: " + e.Message);
    return 2;
}

using var generator = new Generator(options);
generator.Run();
LoadCall[] answered = [.. generator.Calls.Where(c => c.FinalStatus is >= 200 and < 300)];
string Number(double value) => double.IsFinite(value) ? value.ToString("0.###", CultureInfo.InvariantCulture) : "null";
double Ms(long ticks) => ticks * 1000.0 / Stopwatch.Frequency;
string Percentiles(IEnumerable<double> values)
{
    double[] sorted = [.. values.Order()];
    double At(double q) => sorted.Length == 0 ? double.NaN : sorted[Math.Min(sorted.Length - 1, (int)(q * sorted.Length))];
    return $"{{\"p50\":{Number(At(0.5))},\"p95\":{Number(At(0.95))},\"max\":{Number(At(1))}}}";
}

(int Call, string What, long Micros)[] onsets = [.. generator.Onsets];
IEnumerable<double> roundTrips = onsets.Where(o => o.What == "heard").Select(heard =>
    onsets.Where(o => o.What == "sent" && o.Call == heard.Call && o.Micros < heard.Micros).Select(o => (heard.Micros - o.Micros) / 1000.0).DefaultIfEmpty(double.NaN).Last())
    .Where(double.IsFinite);
IEnumerable<double> toRoom = generator.InRoom.Select(i => (i - onsets.Where(o => o.What == "sent" && o.Micros < i).Select(o => o.Micros).DefaultIfEmpty(0).Last()) / 1000.0).Where(d => d < 1000);
IEnumerable<double> toCaller = generator.InRoom.Select(i => (onsets.Where(o => o.What == "heard" && o.Micros > i).Select(o => o.Micros).DefaultIfEmpty(long.MaxValue).First() - i) / 1000.0).Where(d => d < 1000);
int heardTone = answered.Count(c => c.Tone.FramesWithTone > 0);
if (options.Human)
{
    return Proxy.Load.HumanReport.Print(options, generator);
}

string statuses = string.Join(",", generator.Calls.GroupBy(c => c.FinalStatus).Select(g => $"\"{g.Key}\":{g.Count()}"));
string sentAt = string.Join(",", onsets.Where(o => o.What == "sent").Select(o => o.Micros));
string heardAt = string.Join(",", onsets.Where(o => o.What == "heard").Select(o => o.Micros));
Console.WriteLine(
    $"{{\"calls\":{generator.Calls.Count},\"answered\":{answered.Length},\"statuses\":{{{statuses}}},"
    + $"\"to100Ms\":{Percentiles(answered.Where(c => c.TryingAt > 0).Select(c => Ms(c.TryingAt - c.InvitedAt)))},"
    + $"\"to180Ms\":{Percentiles(answered.Where(c => c.RingingAt > 0).Select(c => Ms(c.RingingAt - c.InvitedAt)))},"
    + $"\"to200Ms\":{Percentiles(answered.Select(c => Ms(c.AnsweredAt - c.InvitedAt)))},"
    + $"\"firstPacketMs\":{Percentiles(answered.Where(c => c.PacketsIn > 0).Select(c => Ms(c.FirstPacketAt - c.AnsweredAt)))},"
    + $"\"packetsOut\":{generator.Calls.Sum(c => c.PacketsOut)},\"packetsIn\":{generator.Calls.Sum(c => c.PacketsIn)},"
    + $"\"lost\":{generator.Calls.Sum(c => c.Lost)},\"longestPacketGapMs\":{Number(answered.Select(c => Ms(c.LongestGap)).DefaultIfEmpty(0).Max())},"
    + $"\"frames\":{answered.Sum(c => (long)c.Tone.Frames)},\"framesWithTone\":{answered.Sum(c => (long)c.Tone.FramesWithTone)},"
    + $"\"holes\":{answered.Sum(c => (long)c.Tone.Holes)},\"longestToneGapMs\":{answered.Select(c => c.Tone.LongestGapMs).DefaultIfEmpty(0).Max()},"
    + $"\"toneLevelDb\":{Number(answered.Select(c => c.Tone.LevelDb).DefaultIfEmpty(double.NaN).Min())},\"heardTone\":{heardTone},"
    + $"\"digits\":\"{string.Join(",", generator.Calls.Select(c => c.Digits).Where(d => d.Length > 0))}\","
    + $"\"endedByPeer\":{generator.Calls.Count(c => c.EndedByPeer)},\"endReason\":\"{generator.Calls.Select(c => c.EndReason).FirstOrDefault(r => r.Length > 0)?.Replace("\"", "'", StringComparison.Ordinal)}\","
    + $"\"toRoomMs\":{Percentiles(toRoom)},\"toCallerMs\":{Percentiles(toCaller)},"
    + (generator.Watched.Length > 0 ? $"\"watched\":{generator.Watched}," : "")
    + $"\"roundTripMs\":{Percentiles(roundTrips)},\"sentOnsetsMicros\":[{sentAt}],\"heardOnsetsMicros\":[{heardAt}]}}");
bool isGood = answered.Length == generator.Calls.Count && (options.HearHz == 0 || heardTone == answered.Length);
return isGood ? 0 : 1;
