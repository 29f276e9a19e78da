using System;
using Proxy.Bridge.Transfers;
using Proxy.Server.Metrics;
using Proxy.Server.Shards;
using Proxy.Server.Signal;

namespace Proxy.Server.Node;

/// <summary>Async world. Figures of calls, SIP and media; plain counters of the loops, summed on a scrape.</summary>
internal sealed class NodeMetrics(SignalLoop signal, ShardLoop[] shards, CallJournal journal) : IMetricsSource
{
    public void Write(MetricsWriter writer)
    {
        WriteCalls(writer);
        WriteSip(writer);
        WriteMedia(writer);
        signal.Meter.Write(writer);
        foreach (ShardLoop shard in shards)
        {
            shard.Meter.Write(writer);
        }
    }

    private void WriteCalls(MetricsWriter writer)
    {
        writer.Gauge("siproom_calls_active", "Calls that are not over.", signal.Calls.Count);
        writer.Gauge("siproom_calls_waiting", "Calls whose verdict waits for the policy hook or for Redis.", signal.Calls.Waiting);
        writer.Counter("siproom_calls_started_total", "Calls that policy took.", signal.Calls.Counters.Started);
        writer.Counter("siproom_calls_refused_total", "Calls that were refused.", signal.Calls.Counters.Refused);
        writer.Counter("siproom_calls_challenged_total", "INVITEs that were asked for credentials.", signal.Calls.Counters.Challenged);
        writer.Counter("siproom_calls_silenced_total", "INVITEs that were refused without an answer (hide_inbound_port).", signal.Calls.Counters.Silenced);
        writer.Counter("siproom_calls_ended_total", "Calls that were taken and are over.", signal.Calls.Counters.Ended);
        Proxy.Bridge.PinCounters pins = signal.Calls.Pins;
        void Pin(string result, long value) => writer.Counter("siproom_pin_total", "PINs asked, and what was keyed.", MetricsWriter.Label("result", result), value);
        Pin("asked", pins.Asked);
        Pin("right", pins.Right);
        Pin("wrong", pins.Wrong);
        Pin("given_up", pins.GivenUp);
        Proxy.Bridge.ComfortCounters comforts = signal.Calls.Comforts;
        void Comfort(string what, long value) => writer.Counter("siproom_comforts_total", "Answered callers who heard from us what became of their room.", MetricsWriter.Label("what", what), value);
        Comfort("room_lost", comforts.RoomLost);
        Comfort("alone", comforts.Alone);
        foreach (TransferResult result in Enum.GetValues<TransferResult>())
        {
            writer.Counter("siproom_transfers_total", "Transfers by result.", MetricsWriter.Label("result", TransferCounters.Name(result)), signal.Calls.Transfers[result]);
        }
        journal.Write(writer);
    }

    private void WriteSip(MetricsWriter writer)
    {
        ref readonly Proxy.Sip.SipCounters sip = ref signal.Sip.Counters;
        writer.Counter("siproom_sip_messages_in_total", "SIP messages received.", sip.MessagesIn);
        writer.Counter("siproom_sip_messages_out_total", "SIP messages sent, retransmissions too.", sip.MessagesOut);
        writer.Counter("siproom_sip_retransmissions_total", "SIP messages sent again by our timers.", sip.Retransmissions);
        writer.Counter("siproom_sip_absorbed_total", "Retransmissions of peers that a transaction answered.", sip.Absorbed);
        writer.Counter("siproom_sip_malformed_total", "SIP requests answered with 400.", sip.Malformed);
        writer.Counter("siproom_sip_dropped_total", "Datagrams on the SIP port that are no SIP or cannot be answered.", sip.NotSip + sip.DroppedMalformed);
        void Foreign(string what, long value) => writer.Counter(
            "siproom_sip_foreign_total", "In-dialog requests from an address that has no part in the dialog, and what became of them.", MetricsWriter.Label("what", what), value);
        Foreign("refused", sip.ForeignSource);
        Foreign("challenged", sip.ForeignChallenged);
        Foreign("proven", sip.ForeignProven);
        void Target(string what, long value) => writer.Counter(
            "siproom_sip_targets_total", "Requests of ours in a dialog, and what was special about where they went.", MetricsWriter.Label("what", what), value);
        Target("name_unknown", sip.TargetsUnknown);
        Target("failed_over", sip.TargetsFailed);
        Target("too_long_for_udp", sip.LongRequests);
        void LookUp(string what, long value) => writer.Counter(
            "siproom_sip_target_names_total", "Names of next hops that were looked up, and what came of it.", MetricsWriter.Label("what", what), value);
        LookUp("answered", sip.TargetLookups - sip.TargetLookupsFailed);
        LookUp("failed", sip.TargetLookupsFailed);
        LookUp("table_full", sip.TargetNamesFull);
        void Stranger(string what, long value) => writer.Counter(
            "siproom_sip_strangers_total", "Requests of sources that no trunk lists, and what became of them.", MetricsWriter.Label("what", what), value);
        Stranger("rate_limited", sip.Flooding);
        Stranger("rate_of_all_limited", sip.Crowded);
        Stranger("banned", sip.Banned);
        Stranger("hidden", sip.Hidden);
        Stranger("disguised", sip.Disguised);
        Stranger("too_small", sip.Unanswered);
        writer.Gauge("siproom_bans", "Sources on the ban list, as of a second ago.", signal.Banned);
        writer.Counter("siproom_sip_ack_timeouts_total", "200s that nobody acknowledged.", sip.AckTimeouts);
        writer.Gauge("siproom_sip_transactions", "Server and client transactions alive.", sip.ServerTransactions + sip.ClientTransactions);
        writer.Gauge("siproom_sip_dialogs", "Dialogs alive.", sip.Dialogs);
        writer.Counter("siproom_faults_total", "Faults of ours that a loop's catch took.", signal.Counters.Broken + Sum(s => s.Broken));
        writer.Gauge("siproom_cpu_share", "CPU of the machine in use, 0 to 1, as admission sees it.", signal.CpuShare);
    }

    private void WriteMedia(MetricsWriter writer)
    {
        writer.Counter("siproom_datagrams_in_total", "Media datagrams received, both legs.", Sum(s => s.DatagramsIn));
        writer.Counter("siproom_datagrams_out_total", "Media datagrams sent, both legs.", Sum(s => s.DatagramsOut));
        writer.Counter("siproom_sip_stun_total", "STUN messages on the SIP port.", MetricsWriter.Label("result", "answered"), signal.Counters.StunAnswered);
        writer.Counter("siproom_sip_stun_total", "STUN messages on the SIP port.", MetricsWriter.Label("result", "unanswered"), signal.Counters.StunUnanswered);
        writer.Counter("siproom_datagrams_unsent_total", "Media datagrams that the kernel refused.", Sum(s => s.SendFailures));
        writer.Counter("siproom_grid_skipped_ms_total", "Milliseconds of the 20 ms grid that stalls of over 100 ms swallowed.", Sum(s => s.SkippedTicks));
        writer.Gauge("siproom_media_sockets", "UDP sockets of calls, two each.", signal.Media.OpenSockets);
        writer.Gauge("siproom_rtp_ports_taken", "Ports of the RTP range that are out.", signal.Media.SipPortsTaken);
        writer.Gauge("siproom_shard_calls", "Calls whose media runs on a shard.", Sum(s => s.Calls));
    }

    private long Sum(Func<ShardCounters, long> value)
    {
        long sum = 0;
        foreach (ShardLoop shard in shards)
        {
            sum += value(shard.Counters);
        }
        return sum;
    }
}
