using System;

namespace Proxy.Core;

/// <summary>
/// Any thread. Every limit, timer and default of the product, its reason, and livekit/sip's name where it has one.
/// Built once in the composition root and passed down.
/// </summary>
public sealed record Limits
{
    // ---- SIP messages ----

    /// <summary>Largest SIP message, bytes; a UDP datagram can be no larger, and a stream message is refused with 513.</summary>
    public int SipMessageBytes { get; init; } = 65_535;

    /// <summary>Header fields of one message.</summary>
    public int SipHeaders { get; init; } = 256;

    /// <summary>One header field, unfolded, bytes.</summary>
    public int SipHeaderBytes { get; init; } = 8_192;

    // ---- SIP timers (RFC 3261 §17.1.1.1, table 4) ----

    /// <summary>Round-trip estimate.</summary>
    public TimeSpan T1 { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest retransmission interval of non-INVITE requests and INVITE responses.</summary>
    public TimeSpan T2 { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Longest life of a message in the network.</summary>
    public TimeSpan T4 { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Server transactions at once; above it requests get a stateless 503.</summary>
    public int SipTransactions { get; init; } = 10_000;

    // ---- Names of next hops (RFC 3263) ----

    /// <summary>Names in Record-Route and Contact of running calls that are asked about: a carrier has a few, a phone may have one of its own. Above it calls keep to their own flow.</summary>
    public int TargetNames { get; init; } = 1_024;

    /// <summary>Shortest life of an answer, whatever its TTL: a name is asked about at most so often. Also the wait after a failure.</summary>
    public TimeSpan TargetLifeMin { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest life of an answer.</summary>
    public TimeSpan TargetLifeMax { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a place that did not take a request is asked last, and one that takes no TCP gets datagrams however long.</summary>
    public TimeSpan TargetRest { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Such places that are remembered.</summary>
    public int TargetsResting { get; init; } = 1_024;

    // ---- Strangers: sources that no trunk lists ----

    /// <summary>New requests a second that a stranger may send for long: a small PBX's morning fits, a scanner does not.</summary>
    public double StrangerRate { get; init; } = 20;

    /// <summary>New requests that a stranger may send at once: all phones of an office after a break of its line.</summary>
    public double StrangerBurst { get; init; } = 100;

    /// <summary>New requests a second of all strangers together: a source address over UDP is forged as easily as not, and each costs a look at the policy (some 50 µs of CPU).</summary>
    public double StrangersRate { get; init; } = 400;

    /// <summary>New requests that all strangers together may send at once.</summary>
    public double StrangersBurst { get; init; } = 1_000;

    /// <summary>Refused requests of a stranger, one each 30 s forgotten, after which all its refusals are one and the same. An engineer who tries a new trunk is told the truth; who goes through numbers is not.</summary>
    public double AlikeAfter { get; init; } = 20;

    /// <summary>Refused requests of a stranger, one each 30 s forgotten, after which it is banned; 0 bans nobody. Scanners send thousands, a carrier whose trunk is set up wrongly some dozens before somebody looks.</summary>
    public double BanAfter { get; init; } = 100;

    /// <summary>A first ban; each further one of the same source is twice as long, up to a day. Short, since an address may have been forged.</summary>
    public TimeSpan BanTime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Records a second of INVITEs of banned or flooding strangers; more are only counted: they would push the calls out of the history.</summary>
    public int StrangerRecordsPerSecond { get; init; } = 20;

    // ---- Calls ----

    /// <summary>Calls at once, when neither the port range nor the configuration says less. livekit/sip: max_active_calls.</summary>
    public int CallsMax { get; init; } = 5_000;

    /// <summary>Calls whose verdict waits for the policy hook or for Redis; above it nobody is asked. A few hundred bytes each, beside the INVITE's transaction.</summary>
    public int CallsWaiting { get; init; } = 1_000;

    /// <summary>How long a call that would be refused waits for Redis to be read again.</summary>
    public TimeSpan RefreshPatience { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long running calls may go on while the node drains, when nothing else is said: most calls end by themselves within it.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Longest call. livekit/sip: max_call_duration, 24 h.</summary>
    public TimeSpan CallDuration { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long a caller rings before 480. livekit/sip: ringing_timeout, 3 min.</summary>
    public TimeSpan RingingTimeout { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>How long the result of a transfer may take when the request names no ringing_timeout. livekit-server: 30 s.</summary>
    public TimeSpan TransferTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest ringing_timeout of a transfer: an HTTP request waits for its end.</summary>
    public TimeSpan TransferTimeoutMax { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Interval of 180 while ringing. livekit/sip: sip_ringing_interval.</summary>
    public TimeSpan RingingInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Silence on the wire that ends a running call. livekit/sip: media_timeout.</summary>
    public TimeSpan MediaTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the first packet may take after the answer. livekit/sip: media_timeout_initial.</summary>
    public TimeSpan MediaTimeoutInitial { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Joining the room: from the WebSocket's dial to an ICE and DTLS connection.</summary>
    public TimeSpan RoomJoinTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>An answered caller who should be heard and was not for so long makes room for a new call of the same number in the same room.</summary>
    public TimeSpan DeadLegSilence { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often one call takes another identity because the same caller came into its room through another node; each such call costs one. Then it ends: two who throw each other out must not go on for ever.</summary>
    public int RoomRejoins { get; init; } = 8;

    // ---- PIN ----

    /// <summary>Longest PIN, as livekit/sip has it.</summary>
    public int PinDigits { get; init; } = 16;

    /// <summary>Wrong PINs of one caller number for one rule, over all its calls, until it is locked out.</summary>
    public int PinWrongMost { get; init; } = 10;

    /// <summary>The time in which they are counted.</summary>
    public TimeSpan PinWrongWindow { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long the lock holds.</summary>
    public TimeSpan PinLock { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Caller numbers with wrong PINs that are remembered; the oldest makes room.</summary>
    public int PinCallersRemembered { get; init; } = 16_384;

    /// <summary>Longest prompt of the configuration, seconds; a minute of samples is a megabyte.</summary>
    public int PromptSeconds { get; init; } = 60;

    // ---- Callers without a room ----

    /// <summary>Longest message to a caller whose room is lost, before our BYE: the call costs its caller money and holds a port.</summary>
    public TimeSpan Parting { get; init; } = TimeSpan.FromSeconds(5);

    // ---- Admission ----

    /// <summary>Refused calls a second whose record explains every trunk and rule; a flood of strangers gets the sentence alone.</summary>
    public int ExplainedPerSecond { get; init; } = 50;

    /// <summary>Share of the machine's CPU above which new calls get 503. livekit/sip: max_cpu_utilization.</summary>
    public double CpuMax { get; init; } = 0.9;

    // ---- Seen afterwards ----

    /// <summary>Call attempts that are remembered, refused ones too; older ones go first.</summary>
    public int HistoryRecords { get; init; } = 100_000;

    /// <summary>How long an attempt is remembered.</summary>
    public TimeSpan HistoryAge { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Memory for them, taken as it is needed: some 1,000 bytes an answered call, so that it seldom is the first limit.</summary>
    public int HistoryBytes { get; init; } = 96 << 20;

    /// <summary>Memory for the SIP messages of calls, taken as it is needed; older messages go first. A call has some 5 KB.</summary>
    public int SipTraceBytes { get; init; } = 32 << 20;

    /// <summary>Bytes of messages kept for one call; above it only their first lines are kept: a caller that repeats itself must not push out the others.</summary>
    public int SipTraceBytesPerCall { get; init; } = 64 << 10;

    /// <summary>Messages kept for one call.</summary>
    public int SipTraceMessagesPerCall { get; init; } = 1_000;

    // ---- Media ----

    /// <summary>Largest RTP, RTCP, STUN or DTLS datagram that is read; larger ones are cut and dropped. One Ethernet frame.</summary>
    public int DatagramBytes { get; init; } = 1_500;

    /// <summary>Rest of a freed RTP port before the next call gets it, so that late packets are not heard there.</summary>
    public TimeSpan PortRest { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Rest of a participant's UDP port that was freed without a Leave echo: the room server's mux still maps it.</summary>
    public TimeSpan IcePortRest { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Smallest and largest depth of the jitter buffer, milliseconds.</summary>
    public int JitterMinMs { get; init; } = 20;

    public int JitterMaxMs { get; init; } = 200;

    /// <summary>Longest wait for a missing packet in passthrough, milliseconds; then the hole is left to the receiver.</summary>
    public int ReorderWaitMs { get; init; } = 40;
}
