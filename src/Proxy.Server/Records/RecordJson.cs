using System.Buffers;
using System.Collections.Generic;
using System.Text.Encodings.Web;
using System.Text.Json;
using Proxy.Bridge.Records;

namespace Proxy.Server.Records;

/// <summary>Any thread. One call record as one JSON line; snake_case keys, times in milliseconds after the INVITE, stages that were not reached are left out.</summary>
public static class RecordJson
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(IBufferWriter<byte> output, CallRecord record)
    {
        using (Utf8JsonWriter json = new(output, s_options))
        {
            json.WriteStartObject();
            json.WriteString("started_at", record.StartedAt.UtcDateTime);
            json.WriteString("call_id", record.CallId);
            json.WriteString("sip_call_id", record.SipCallId);
            WriteText(json, "provider_call_id", record.ProviderCallId);
            json.WriteString("from", record.FromUser);
            json.WriteString("to", record.ToUser);
            json.WriteString("source", record.Source);
            WriteText(json, "proxy", record.Proxy);
            json.WriteString("transport", record.Transport);
            WriteText(json, "trunk_id", record.TrunkId);
            WriteText(json, "rule_id", record.RuleId);
            json.WriteNumber("policy_version", record.PolicyVersion);
            WriteText(json, "room", record.Room);
            WriteText(json, "room_sid", record.RoomSid);
            WriteText(json, "identity", record.Identity);
            WriteText(json, "participant_sid", record.ParticipantSid);
            WriteTimes(json, record);
            json.WriteNumber("status", record.SipStatus);
            json.WriteString("code", record.Code);
            json.WriteString("sentence", record.Sentence);
            json.WriteString("ended_by", record.EndedBy);
            WriteText(json, "note", record.Note);
            WriteText(json, "explanation", record.Explanation);
            WriteText(json, "sip_codec", record.SipCodec);
            WriteText(json, "room_codec", record.RoomCodec);
            json.WriteBoolean("passthrough", record.IsPassthrough);
            WriteText(json, "srtp", record.SrtpProfile);
            json.WriteStartArray("flags");
            foreach (string flag in record.Flags)
            {
                json.WriteStringValue(flag);
            }
            json.WriteEndArray();
            WriteTransfers(json, record.Transfers);
            if (record.AnsweredMs >= 0)
            {
                WriteMedia(json, record.Media);
            }
            json.WriteEndObject();
        }
        output.Write("\n"u8);
    }

    /// <summary><c>transfers: [{id, by, to, asked_ms, ended_ms, result, status}]</c>; nothing where none was asked for.</summary>
    public static void WriteTransfers(Utf8JsonWriter json, IReadOnlyList<TransferRecord> transfers)
    {
        if (transfers.Count == 0)
        {
            return;
        }
        json.WriteStartArray("transfers");
        foreach (TransferRecord transfer in transfers)
        {
            json.WriteStartObject();
            json.WriteString("id", transfer.Id);
            json.WriteString("by", transfer.By);
            json.WriteString("to", transfer.Target);
            WriteTime(json, "asked_ms", transfer.AskedMs);
            WriteTime(json, "ended_ms", transfer.EndedMs);
            WriteText(json, "result", transfer.Result);
            if (transfer.SipStatus > 0)
            {
                json.WriteNumber("status", transfer.SipStatus);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteTimes(Utf8JsonWriter json, CallRecord record)
    {
        WriteTime(json, "decided_ms", record.DecidedMs);
        WriteTime(json, "joined_ms", record.JoinedMs);
        WriteTime(json, "media_ready_ms", record.MediaReadyMs);
        WriteTime(json, "answered_ms", record.AnsweredMs);
        WriteTime(json, "confirmed_ms", record.ConfirmedMs);
        WriteTime(json, "pin_ms", record.PinMs);
        WriteTime(json, "bridged_ms", record.BridgedMs);
        WriteTime(json, "ended_ms", record.EndedMs);
    }

    private static void WriteMedia(Utf8JsonWriter json, MediaReport media)
    {
        json.WriteStartObject("media");
        json.WriteNumber("sip_packets_in", media.SipPacketsIn);
        json.WriteNumber("sip_packets_out", media.SipPacketsOut);
        json.WriteNumber("room_packets_in", media.RoomPacketsIn);
        json.WriteNumber("room_packets_out", media.RoomPacketsOut);
        json.WriteNumber("sip_bytes_in", media.SipBytesIn);
        json.WriteNumber("sip_bytes_out", media.SipBytesOut);
        json.WriteNumber("sip_lost", media.SipLost);
        json.WriteNumber("sip_jitter_ms", System.Math.Round(media.SipJitterMs, 2));
        json.WriteNumber("room_lost", media.RoomLost);
        json.WriteNumber("room_jitter_ms", System.Math.Round(media.RoomJitterMs, 2));
        json.WriteNumber("concealed_frames", media.ConcealedFrames);
        json.WriteNumber("duplicates", media.Duplicates);
        json.WriteNumber("late", media.Late);
        json.WriteNumber("foreign", media.Foreign);
        json.WriteNumber("unreadable", media.Unreadable);
        json.WriteNumber("taken_out", media.TakenOut);
        json.WriteNumber("srtp_failures", media.SrtpFailures);
        json.WriteNumber("send_failures", media.SendFailures);
        json.WriteNumber("dtmf_in", media.DtmfIn);
        json.WriteNumber("dtmf_out", media.DtmfOut);
        WriteTime(json, "first_packet_ms", media.FirstPacketMs);
        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, string key, string value)
    {
        if (value.Length > 0)
        {
            json.WriteString(key, value);
        }
    }

    private static void WriteTime(Utf8JsonWriter json, string key, double milliseconds)
    {
        if (milliseconds >= 0)
        {
            json.WriteNumber(key, System.Math.Round(milliseconds, 1));
        }
    }
}
