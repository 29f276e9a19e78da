using System;
using System.Diagnostics;
using System.Globalization;
using System.Linq;

namespace Proxy.Load;

/// <summary>The report of one call in lines for people; what <c>tools/demo</c> prints.</summary>
internal static class HumanReport
{
    /// <returns>0 when the call was answered and both tones were found: the agent's, and ours echoed by it.</returns>
    public static int Print(LoadOptions options, Generator generator)
    {
        LoadCall call = generator.Calls[0];
        bool isAnswered = call.FinalStatus is >= 200 and < 300;
        Line("answer", isAnswered ? "200 OK" : $"{call.FinalStatus} {call.FinalReason}");
        if (!isAnswered)
        {
            return 1;
        }
        Line("codec", call.Codec);
        Line("set-up", $"{Ms(call.AnsweredAt - call.InvitedAt)} ms from INVITE to 200; first audio {Ms(call.FirstPacketAt - call.AnsweredAt)} ms later");
        Line("packets", $"{call.PacketsOut} sent, {call.PacketsIn} received, {call.Lost} lost, jitter {call.JitterMs.ToString("F1", CultureInfo.InvariantCulture)} ms");
        bool hasAgent = Tone("agent", options.HearHz, call.Tone);
        bool hasEcho = Tone("echo", options.SendHz, call.Echo);
        Delays(options, generator);
        return hasAgent && hasEcho ? 0 : 1;
    }

    private static bool Tone(string who, double hz, ToneMeter meter)
    {
        bool isFound = meter.FramesWithTone >= 25;
        Line(who, isFound ? $"{hz} Hz heard at {meter.LevelDb.ToString("F1", CultureInfo.InvariantCulture)} dBFS" : $"{hz} Hz NOT heard");
        return isFound;
    }

    private static void Delays(LoadOptions options, Generator generator)
    {
        (int Call, string What, long Micros)[] onsets = [.. generator.Onsets];
        double[] trips = [.. onsets.Where(o => o.What == "heard")
            .Select(heard => (heard.Micros - SentBefore(onsets, heard.Micros)) / 1000.0)
            .Where(t => t < 1000).Order()];
        if (trips.Length == 0)
        {
            Line("delay", "no echo to measure by");
            return;
        }
        Line("delay", $"{Text(trips[trips.Length / 2])} ms from the caller into the room and back (median of {trips.Length} marks)");
        using EchoOnsets? room = options.Metrics is null ? null : new EchoOnsets(options.Metrics);
        if (room?.Read() is { } inRoom)
        {
            long sent = SentBefore(onsets, inRoom);
            long heard = onsets.Where(o => o.What == "heard" && o.Micros > inRoom).Select(o => o.Micros).DefaultIfEmpty(0).First();
            string back = heard == 0 ? "" : $", {Text((heard - inRoom) / 1000.0)} ms room to caller";
            Line("one way", $"{Text((inRoom - sent) / 1000.0)} ms caller to room{back} (the last mark)");
        }
    }

    private static long SentBefore((int Call, string What, long Micros)[] onsets, long micros) =>
        onsets.Where(o => o.What == "sent" && o.Micros < micros).Select(o => o.Micros).DefaultIfEmpty(long.MinValue / 2).Last();

    private static string Text(double ms) => ms.ToString("F1", CultureInfo.InvariantCulture);

    private static string Ms(long ticks) => (ticks * 1000.0 / Stopwatch.Frequency).ToString("F1", CultureInfo.InvariantCulture);

    private static void Line(string what, string value) => Console.WriteLine($"  {what,-9} {value}");
}
