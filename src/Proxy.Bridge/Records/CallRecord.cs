using System;
using System.Collections.Generic;

namespace Proxy.Bridge.Records;

/// <summary>
/// Signal thread, then given away. What is known of one call attempt when it is over; one JSON line in the records file.
/// Times are milliseconds after the INVITE, or -1 where the stage was not reached.
/// </summary>
public sealed class CallRecord
{
    /// <summary>Our id, <c>SCL_…</c>: the To-tag and <c>sip.callID</c>.</summary>
    public string CallId { get; set; } = "";

    /// <summary>The SIP Call-ID.</summary>
    public string SipCallId { get; set; } = "";

    /// <summary>The carrier's own id of the call, such as a Twilio CallSid; empty where it names none.</summary>
    public string ProviderCallId { get; set; } = "";

    public string FromUser { get; set; } = "";

    public string ToUser { get; set; } = "";

    /// <summary>Where the INVITE came from, <c>host:port</c>; behind a trusted proxy the carrier.</summary>
    public string Source { get; set; } = "";

    /// <summary>The trusted proxy that sent it on; empty where none did.</summary>
    public string Proxy { get; set; } = "";

    /// <summary><c>udp</c>, <c>tcp</c> or <c>tls</c>.</summary>
    public string Transport { get; set; } = "";

    public string TrunkId { get; set; } = "";

    public string RuleId { get; set; } = "";

    public string Room { get; set; } = "";

    public string RoomSid { get; set; } = "";

    public string Identity { get; set; } = "";

    public string ParticipantSid { get; set; } = "";

    /// <summary>Wall clock of the INVITE.</summary>
    public DateTimeOffset StartedAt { get; set; }

    public double DecidedMs { get; set; } = -1;

    public double JoinedMs { get; set; } = -1;

    public double MediaReadyMs { get; set; } = -1;

    public double AnsweredMs { get; set; } = -1;

    public double ConfirmedMs { get; set; } = -1;

    /// <summary>The right PIN was keyed.</summary>
    public double PinMs { get; set; } = -1;

    /// <summary>Caller and room hear each other.</summary>
    public double BridgedMs { get; set; } = -1;

    public double EndedMs { get; set; } = -1;

    public int SipStatus { get; set; }

    public string Code { get; set; } = "";

    public string Sentence { get; set; } = "";

    public string EndedBy { get; set; } = "";

    /// <summary>Of a refused call: every trunk and rule that was looked at, why it did not hold and what would have; the text of <c>explain</c>. Else empty.</summary>
    public string Explanation { get; set; } = "";

    /// <summary>What came of asking the policy hook, or Redis once more: <c>hook answered in 12 ms: room lobby</c>. Else empty.</summary>
    public string Note { get; set; } = "";

    /// <summary>The codec on the SIP side, e.g. <c>PCMU/8000</c>.</summary>
    public string SipCodec { get; set; } = "";

    /// <summary>The codec of the track in the room.</summary>
    public string RoomCodec { get; set; } = "";

    public bool IsPassthrough { get; set; }

    public string SrtpProfile { get; set; } = "";

    /// <summary>Version of the policy snapshot that decided.</summary>
    public long PolicyVersion { get; set; }

    /// <summary>Things that went on although something was wrong: <c>no_ack</c>, <c>unvouched_source</c>, …</summary>
    public List<string> Flags { get; } = [];

    /// <summary>Transfers that were asked for, the last <see cref="TransferRecord.Most"/> of them.</summary>
    public List<TransferRecord> Transfers { get; } = [];

    /// <summary>Adds a transfer; of too many the oldest is forgotten.</summary>
    public void Add(TransferRecord transfer)
    {
        if (Transfers.Count == TransferRecord.Most)
        {
            Transfers.RemoveAt(0);
        }
        Transfers.Add(transfer);
    }

    public MediaReport Media { get; set; } = new();
}

/// <summary>Any thread. One transfer of a call, as its record has it.</summary>
/// <param name="Id"><c>STR_…</c>.</param>
/// <param name="Target">The URI.</param>
/// <param name="AskedMs">Milliseconds after the INVITE.</param>
public sealed record TransferRecord(string Id, string Target, double AskedMs)
{
    /// <summary>A call remembers no more.</summary>
    public const int Most = 8;

    /// <summary>Who asked: <c>agent</c> (the API), <c>caller</c> (a REFER that moves the call to another room), or <c>replaces</c> (another
    /// dialog of the caller's side took the call over; the target is its Call-ID).</summary>
    public string By { get; init; } = "agent";

    /// <summary>-1 while it is under way.</summary>
    public double EndedMs { get; init; } = -1;

    /// <summary><c>completed</c>, <c>refused</c>, <c>failed</c>, …; empty while it is under way.</summary>
    public string Result { get; init; } = "";

    /// <summary>The SIP status that decided; 0 for none.</summary>
    public int SipStatus { get; init; }
}

/// <summary>Shard, then given away. Counts of a call's media; both directions, both legs.</summary>
public sealed class MediaReport
{
    public long SipPacketsIn { get; set; }

    public long SipPacketsOut { get; set; }

    public long RoomPacketsIn { get; set; }

    public long RoomPacketsOut { get; set; }

    public long SipBytesIn { get; set; }

    public long SipBytesOut { get; set; }

    /// <summary>Caller's packets that never came, by sequence number.</summary>
    public long SipLost { get; set; }

    /// <summary>Interarrival jitter of the caller's stream, milliseconds (RFC 3550 §6.4.1).</summary>
    public double SipJitterMs { get; set; }

    public long RoomLost { get; set; }

    public double RoomJitterMs { get; set; }

    /// <summary>Frames of 20 ms that concealment filled towards the caller.</summary>
    public long ConcealedFrames { get; set; }

    public long Duplicates { get; set; }

    /// <summary>Too late to be played or forwarded.</summary>
    public long Late { get; set; }

    /// <summary>From a source that is not the caller's.</summary>
    public long Foreign { get; set; }

    /// <summary>Neither RTP nor RTCP of a negotiated payload type.</summary>
    public long Unreadable { get; set; }

    /// <summary>Comfort noise and telephone-event packets taken out of the audio stream.</summary>
    public long TakenOut { get; set; }

    public long SrtpFailures { get; set; }

    /// <summary>Not sent because the socket or the room's transport refused.</summary>
    public long SendFailures { get; set; }

    /// <summary>The caller's frames went into the room untouched.</summary>
    public bool IsPassthrough { get; set; }

    public int DtmfIn { get; set; }

    public int DtmfOut { get; set; }

    /// <summary>From the 200 to the caller's first packet, milliseconds; -1 for none.</summary>
    public double FirstPacketMs { get; set; } = -1;
}
