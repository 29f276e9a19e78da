using System;
using System.Threading;
using Microsoft.Extensions.Logging;
using Proxy.Bridge;
using Proxy.Bridge.Records;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Server.Metrics;

namespace Proxy.Server.Node;

/// <summary>Signal thread calls; a scrape reads. Every call attempt: a log line, a record, and sums of what its media counted.</summary>
public sealed class CallJournal(ILogger log, Action<CallRecord> write) : ICallObserver
{
    private readonly MediaReport _sum = new();
    private readonly LeniencyLog _leniency = new(log);
    private long _answered;
    private long _broken;
    private long _rejoins;

    public void Started(CallRecord record) => NodeLog.Started(
        log, record.CallId, record.SipCallId, record.FromUser, record.ToUser, record.TrunkId, record.RuleId, record.Room, record.Source);

    public void Answered(CallRecord record)
    {
        Interlocked.Increment(ref _answered);
        NodeLog.Answered(log, record.CallId, record.SipCallId, record.Room, record.AnsweredMs, record.SipCodec, record.RoomCodec);
    }

    public void Entering(CallRecord record) => NodeLog.Entering(log, record.CallId, record.SipCallId, record.RuleId, record.Room);

    public void Rejoining(CallRecord record, string lost)
    {
        Interlocked.Increment(ref _rejoins);
        NodeLog.Rejoining(log, record.CallId, record.SipCallId, record.Room, lost, record.Identity);
    }

    public void Transferred(CallRecord record, TransferRecord transfer) =>
        NodeLog.Transferred(log, record.CallId, transfer.Id, transfer.By, transfer.Result, transfer.SipStatus, Math.Round(transfer.EndedMs - transfer.AskedMs));

    public void Rerouted(CallRecord record, string what) => NodeLog.Rerouted(log, record.CallId, record.SipCallId, what);

    public void Lenient(CallRecord record, CompatUse what) => _leniency.Note(record, what);

    public void Ended(CallRecord record)
    {
        Add(record.Media);
        NodeLog.Ended(log, record.CallId, record.SipCallId, record.FromUser, record.ToUser, record.SipStatus, record.Code, record.Sentence, record.EndedBy);
        write(record);
    }

    public void Broken(CallRecord record, string what)
    {
        Interlocked.Increment(ref _broken);
        NodeLog.Broken(log, record.CallId, what);
    }

    /// <summary>Sums over the calls that are over.</summary>
    public void Write(MetricsWriter writer)
    {
        writer.Counter("siproom_calls_answered_total", "Calls that were answered.", Interlocked.Read(ref _answered));
        writer.Counter("siproom_room_rejoins_total", "Times that a live call lost its identity in a room to the same caller on another node and joined again beside it.", Interlocked.Read(ref _rejoins));
        _leniency.Write(writer);
        writer.Counter("siproom_calls_broken_total", "Calls that a fault of ours ended.", Interlocked.Read(ref _broken));
        void Packets(string leg, string direction, long value) => writer.Counter(
            "siproom_ended_packets_total",
            "Packets of calls that are over.",
            MetricsWriter.Label("leg", leg) + "," + MetricsWriter.Label("direction", direction),
            value);
        Packets("sip", "in", _sum.SipPacketsIn);
        Packets("sip", "out", _sum.SipPacketsOut);
        Packets("room", "in", _sum.RoomPacketsIn);
        Packets("room", "out", _sum.RoomPacketsOut);
        void Verdict(string verdict, long value) => writer.Counter(
            "siproom_ended_verdicts_total", "Packets of calls that are over and were not passed on.", MetricsWriter.Label("verdict", verdict), value);
        Verdict("duplicate", _sum.Duplicates);
        Verdict("late", _sum.Late);
        Verdict("foreign", _sum.Foreign);
        Verdict("unreadable", _sum.Unreadable);
        Verdict("taken_out", _sum.TakenOut);
        Verdict("srtp", _sum.SrtpFailures);
        Verdict("unsent", _sum.SendFailures);
        writer.Counter("siproom_ended_lost_total", "Packets that never came, calls that are over.", MetricsWriter.Label("leg", "sip"), _sum.SipLost);
        writer.Counter("siproom_ended_lost_total", "Packets that never came, calls that are over.", MetricsWriter.Label("leg", "room"), _sum.RoomLost);
        writer.Counter("siproom_ended_concealed_total", "Frames of 20 ms that concealment filled, calls that are over.", _sum.ConcealedFrames);
    }

    private void Add(MediaReport media)
    {
        _sum.SipPacketsIn += media.SipPacketsIn;
        _sum.SipPacketsOut += media.SipPacketsOut;
        _sum.RoomPacketsIn += media.RoomPacketsIn;
        _sum.RoomPacketsOut += media.RoomPacketsOut;
        _sum.Duplicates += media.Duplicates;
        _sum.Late += media.Late;
        _sum.Foreign += media.Foreign;
        _sum.Unreadable += media.Unreadable;
        _sum.TakenOut += media.TakenOut;
        _sum.SrtpFailures += media.SrtpFailures;
        _sum.SendFailures += media.SendFailures;
        _sum.SipLost += media.SipLost;
        _sum.RoomLost += media.RoomLost;
        _sum.ConcealedFrames += media.ConcealedFrames;
    }
}

/// <summary>Any thread. Log lines of calls; event ids 6200–6299, keys as livekit/sip's.</summary>
internal static partial class NodeLog
{
    [LoggerMessage(6200, LogLevel.Information, "call started callID={callID} sipCallID={sipCallID} fromUser={fromUser} toUser={toUser} sipTrunk={sipTrunk} sipRule={sipRule} room={room} from={source}")]
    public static partial void Started(ILogger log, string callID, string sipCallID, string fromUser, string toUser, string sipTrunk, string sipRule, string room, string source);

    [LoggerMessage(6201, LogLevel.Information, "call answered callID={callID} sipCallID={sipCallID} room={room} afterMs={afterMs} codec={codec} roomCodec={roomCodec}")]
    public static partial void Answered(ILogger log, string callID, string sipCallID, string room, double afterMs, string codec, string roomCodec);

    [LoggerMessage(6202, LogLevel.Information, "call ended callID={callID} sipCallID={sipCallID} fromUser={fromUser} toUser={toUser} status={status} code={code} by={by}: {sentence}")]
    public static partial void Ended(ILogger log, string callID, string sipCallID, string fromUser, string toUser, int status, string code, string sentence, string by);

    [LoggerMessage(6203, LogLevel.Error, "call broken by a fault of ours callID={callID}: {what}")]
    public static partial void Broken(ILogger log, string callID, string what);

    [LoggerMessage(6205, LogLevel.Information, "policy: {sentence}")]
    public static partial void Policy(ILogger log, string sentence);

    [LoggerMessage(6219, LogLevel.Warning, "policy: {sentence}")]
    public static partial void PolicyAlarm(ILogger log, string sentence);

    [LoggerMessage(6207, LogLevel.Information, "call enters its room callID={callID} sipCallID={sipCallID} sipRule={sipRule} room={room}")]
    public static partial void Entering(ILogger log, string callID, string sipCallID, string sipRule, string room);

    [LoggerMessage(6223, LogLevel.Information, "call joins its room again: another node's call took its identity callID={callID} sipCallID={sipCallID} room={room} was={was} identity={identity}")]
    public static partial void Rejoining(ILogger log, string callID, string sipCallID, string room, string was, string identity);

    [LoggerMessage(6209, LogLevel.Information, "call transfer over callID={callID} transferID={transferID} by={by} result={result} status={status} afterMs={afterMs}")]
    public static partial void Transferred(ILogger log, string callID, string transferID, string by, string result, int status, double afterMs);

    [LoggerMessage(6206, LogLevel.Warning, "compat: a call passed that strict would refuse ({what}); told once an hour for each trunk sipTrunk={sipTrunk} sipRule={sipRule} callID={callID}")]
    public static partial void Lenient(ILogger log, string what, string sipTrunk, string sipRule, string callID);

    [LoggerMessage(6223, LogLevel.Warning, "request in the call took another way callID={callID} sipCallID={sipCallID}: {what}")]
    public static partial void Rerouted(ILogger log, string callID, string sipCallID, string what);

    [LoggerMessage(6209, LogLevel.Warning, "banned source={source} seconds={seconds} times={times} (siproom bans list)")]
    public static partial void Banned(ILogger log, NetAddress source, double seconds, int times);

    [LoggerMessage(6208, LogLevel.Warning, "reload: {sentence}")]
    public static partial void Reload(ILogger log, string sentence);

    [LoggerMessage(6221, LogLevel.Information, "draining: {calls} calls go on for at most {seconds} s; a second signal ends them at once")]
    public static partial void Draining(ILogger log, int calls, double seconds);

    [LoggerMessage(6222, LogLevel.Warning, "agents not dispatched callID={callID}: {why}")]
    public static partial void NotDispatched(ILogger log, string callID, string why);

    [LoggerMessage(6220, LogLevel.Information, "loop {loop} was kept from its work for {milliseconds:0.0} ms until {monotonicMs} (cause: {cause}; the longest of this second)")]
    public static partial void Stalled(ILogger log, string loop, double milliseconds, string cause, long monotonicMs);

    [LoggerMessage(6204, LogLevel.Error, "a fault of ours was caught on the signal thread")]
    public static partial void Fault(ILogger log, Exception error);
}
