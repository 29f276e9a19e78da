using System;
using Proxy.Bridge.Media;
using Proxy.Bridge.Records;
using Proxy.Bridge.Rooms;
using Proxy.Bridge.Transfers;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Caps;

namespace Proxy.Bridge;

/// <summary>Signal thread. Everything a call needs from outside; made once in the composition root.</summary>
public sealed record CallServices
{
    public required Limits Limits { get; init; }

    public required IPolicy Policy { get; init; }

    public required Refusals Refusals { get; init; }

    public required CallCaps Caps { get; init; }

    public required IMediaHost Media { get; init; }

    public required IRoomGateway Rooms { get; init; }

    public required ICallObserver Observer { get; init; }

    /// <summary>What the room server in this process knows of agents; null when it runs elsewhere.</summary>
    public IAgentWatch? Agents { get; init; }

    /// <summary>Whose address counts for a call.</summary>
    public SourceRecovery Sources { get; init; } = SourceRecovery.None;

    /// <summary>Gets the answers that deferred verdicts wait for; null where the policy never defers.</summary>
    public IAnswerDesk? Answers { get; init; }

    /// <summary>Asks the room server for agents; null when it cannot be asked.</summary>
    public IAgentDispatcher? Dispatcher { get; init; }

    public required IRandom Random { get; init; }

    /// <summary>The address of our SDP towards a caller: advertised, or the one that the kernel would use.</summary>
    public required Func<Proxy.Sip.SipFlow, NetAddress> MediaAddress { get; init; }

    /// <summary>What callers hear from us.</summary>
    public required CallPrompts Prompts { get; init; }

    /// <summary>PINs by what became of them; for metrics.</summary>
    public PinCounters Pins { get; } = new();

    /// <summary>What answered callers heard from us instead of a room; for metrics.</summary>
    public ComfortCounters Comforts { get; } = new();

    /// <summary>Transfers by what became of them; for metrics.</summary>
    public TransferCounters Transfers { get; } = new();

    /// <summary>Wall clock at <c>MonoTime</c> zero.</summary>
    public required DateTimeOffset UtcAtZero { get; init; }

    /// <summary>How Opus is encoded towards the room.</summary>
    public Proxy.Audio.Codecs.OpusOptions Opus { get; init; } = new();

    /// <summary>The configuration's passthrough switch; trunk and rule may say otherwise.</summary>
    public Proxy.Policy.Trunks.Passthrough Passthrough { get; init; }

    /// <summary>livekit/sip's meaning: an SAVP offer under a trunk that disables encryption is answered in clear.</summary>
    public bool AnswersSecureInClear { get; init; }

    /// <summary>Callers that no trunk lists get no answer where the policy refuses them (<c>hide_inbound_port</c>).</summary>
    public bool HidesFromStrangers { get; init; }

    /// <summary>Name in Warning headers.</summary>
    public string AgentName { get; init; } = "siproom";

    public DateTimeOffset UtcAt(MonoTime now) => UtcAtZero.AddTicks(now.Micros * 10);

    /// <summary>The time of the loop at a wall-clock time that <see cref="UtcAt"/> gave.</summary>
    public MonoTime TimeOf(DateTimeOffset utc) => new((utc - UtcAtZero).Ticks / 10);
}

/// <summary>Signal thread. Hears of every call; implemented by the runtime (log, records, metrics). Never blocks.</summary>
public interface ICallObserver
{
    /// <summary>The call was taken by policy and joins its room.</summary>
    void Started(CallRecord record);

    void Answered(CallRecord record);

    /// <summary>The call goes into a room later than it was taken: after a PIN, or into the fallback room.</summary>
    void Entering(CallRecord record);

    /// <summary>The same caller took the call's identity in its room from another node; it joins again beside it.</summary>
    /// <param name="lost">The identity that it had.</param>
    void Rejoining(CallRecord record, string lost);

    /// <summary>A transfer that an agent asked for is over; the call may go on.</summary>
    void Transferred(CallRecord record, TransferRecord transfer);

    /// <summary>A request of ours to the caller's side did not go where the next hop's name or address says.</summary>
    /// <param name="what">One clause.</param>
    void Rerouted(CallRecord record, string what);

    /// <summary>LiveKit's meaning let pass what ours would refuse.</summary>
    void Lenient(CallRecord record, CompatUse what);

    /// <summary>The attempt is over; the record is given away.</summary>
    void Ended(CallRecord record);

    /// <summary>Something that must not happen happened in this call; it is ended.</summary>
    void Broken(CallRecord record, string what);
}

/// <summary>Signal thread writes, any thread reads. Callers who heard from us what became of their room, since the start.</summary>
public sealed class ComfortCounters
{
    /// <summary>Were told that their room was lost.</summary>
    public long RoomLost { get; set; }

    /// <summary>Heard the hold tone when everybody else had left.</summary>
    public long Alone { get; set; }
}

/// <summary>Signal thread writes, any thread reads. PINs since the start.</summary>
public sealed class PinCounters
{
    /// <summary>Calls that were asked.</summary>
    public long Asked { get; set; }

    public long Right { get; set; }

    public long Wrong { get; set; }

    /// <summary>Callers who keyed nothing until the end.</summary>
    public long GivenUp { get; set; }
}
