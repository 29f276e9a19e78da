using System;
using System.Collections.Generic;
using System.Text.Json;
using Proxy.Bridge;
using Proxy.Bridge.Records;
using Proxy.Core.Time;
using Proxy.Server.Records;

namespace Proxy.Server.Node;

/// <summary>Any thread. What is known of one call at one moment, copied out of it by its owner.</summary>
public sealed record LiveCall
{
    /// <summary>Our id, <c>SCL_…</c>.</summary>
    public required string CallId { get; init; }

    public string SipCallId { get; init; } = "";

    public string From { get; init; } = "";

    public string To { get; init; } = "";

    /// <summary>Where the INVITE came from, <c>host:port</c>.</summary>
    public string Source { get; init; } = "";

    public string Transport { get; init; } = "";

    public string TrunkId { get; init; } = "";

    public string RuleId { get; init; } = "";

    public string Room { get; init; } = "";

    public string Identity { get; init; } = "";

    public required CallPhase Phase { get; init; }

    public DateTimeOffset StartedAt { get; init; }

    /// <summary>Since the INVITE.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>Since our 200; zero before it.</summary>
    public TimeSpan Talked { get; init; }

    /// <summary>Empty until the answer.</summary>
    public string SipCodec { get; init; } = "";

    /// <summary>Empty until the track is published.</summary>
    public string RoomCodec { get; init; } = "";

    public IReadOnlyList<TransferRecord> Transfers { get; init; } = [];

    /// <summary>Signal thread only.</summary>
    public static LiveCall Of(Call call, MonoTime now)
    {
        CallRecord record = call.Record;
        TimeSpan age = now - call.InvitedAt;
        return new LiveCall
        {
            CallId = record.CallId,
            SipCallId = record.SipCallId,
            From = record.FromUser,
            To = record.ToUser,
            Source = record.Source,
            Transport = record.Transport,
            TrunkId = record.TrunkId,
            RuleId = record.RuleId,
            Room = record.Room,
            Identity = record.Identity,
            Phase = call.Phase,
            StartedAt = record.StartedAt,
            Age = age,
            Talked = record.AnsweredMs < 0 ? TimeSpan.Zero : age - TimeSpan.FromMilliseconds(record.AnsweredMs),
            SipCodec = record.SipCodec,
            RoomCodec = record.RoomCodec,
            Transfers = [.. record.Transfers],
        };
    }

    /// <summary>One JSON object; keys as in the call records, but <c>state</c> (the phase in small letters), <c>seconds</c> and <c>talked_seconds</c>.</summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("call_id", CallId);
        json.WriteString("sip_call_id", SipCallId);
        json.WriteString("started_at", StartedAt.UtcDateTime);
        json.WriteString("state", Phase.ToString().ToLowerInvariant());
        json.WriteNumber("seconds", Math.Round(Age.TotalSeconds, 1));
        json.WriteNumber("talked_seconds", Math.Round(Talked.TotalSeconds, 1));
        json.WriteString("from", From);
        json.WriteString("to", To);
        json.WriteString("source", Source);
        json.WriteString("transport", Transport);
        json.WriteString("trunk_id", TrunkId);
        json.WriteString("rule_id", RuleId);
        json.WriteString("room", Room);
        json.WriteString("identity", Identity);
        json.WriteString("sip_codec", SipCodec);
        json.WriteString("room_codec", RoomCodec);
        RecordJson.WriteTransfers(json, Transfers);
        json.WriteEndObject();
    }
}
