using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Proxy.Bridge.Records;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Proxy.Policy.Deferred;
using Proxy.Sip;
using Xunit;

namespace Proxy.Bridge.Tests.World;

/// <summary>A call table on the real SIP engine in virtual time; the caller is text, room and media are doubles.</summary>
internal sealed class CallWorld : IPolicy, ICallObserver
{
    private static readonly NetEndPoint s_caller = At("198.51.100.7:5060");
    private readonly SipEndpoint _sip;
    private readonly byte[] _buffer = new byte[65_536];
    private int _callNumber;

    /// <param name="agents">The room server in this process; null when it runs elsewhere.</param>
    /// <param name="isHidden">As with <c>hide_inbound_port</c>.</param>
    /// <param name="sources">Whose address counts.</param>
    /// <param name="prompts">Other ones than <see cref="Prompts"/>.</param>
    public CallWorld(Limits? limits = null, FakeAgents? agents = null, bool isHidden = false, SourceRecovery? sources = null, CallPrompts? prompts = null)
    {
        Limits = limits ?? new Limits { CallsMax = 50 };
        var random = new SeededRandom(7);
        SipListener[] listeners = [new(0, SipTransport.Udp, At("203.0.113.1:5060"), At("203.0.113.1:5060"))];
        _sip = new SipEndpoint(new SipEndpointOptions { Listeners = listeners, Limits = Limits, TryingDelay = TimeSpan.FromMilliseconds(isHidden ? 200 : 0) }, random);
        Calls = new CallTable(new CallServices
        {
            Limits = Limits,
            Policy = this,
            Refusals = Refusals.Default,
            Caps = Caps,
            Media = Media,
            Rooms = Rooms,
            Observer = this,
            Random = random,
            Prompts = prompts ?? Prompts,
            MediaAddress = _ => At("203.0.113.1:0").Address,
            UtcAtZero = DateTimeOffset.UnixEpoch,
            Agents = agents,
            Dispatcher = agents,
            HidesFromStrangers = isHidden,
            Answers = Answers,
            Sources = sources ?? SourceRecovery.None,
        });
    }

    public Limits Limits { get; }

    public CallTable Calls { get; }

    public CallCaps Caps { get; } = new();

    public FakeRoom Rooms { get; } = new();

    public FakeAnswers Answers { get; } = new();

    /// <summary>Decides a call that waited.</summary>
    public Func<CallFacts, Verdict, DeferredAnswer, Verdict> Resumption { get; set; } = (_, deferred, _) => deferred.Deferral!.Local;

    /// <summary>Answers the newest question.</summary>
    public void Answer(DeferredAnswer answer)
    {
        Calls.HandleAnswer(Answers.Asked[^1].Call, answer, Now);
        Pump();
    }

    /// <summary>Prompts of one second each, told apart by their first sample.</summary>
    public static CallPrompts Prompts { get; } = new() { PinEnter = Second(1), PinWrong = Second(2), PinGoodbye = Second(3), Ringback = Second(4), RoomLost = Second(5), Alone = Second(6) };

    /// <summary>PINs that the policy was asked about.</summary>
    public List<string> Keyed { get; } = [];

    /// <summary>Answers a PIN.</summary>
    public Func<Verdict, string, Verdict> PinDecision { get; set; } = (asked, _) => asked;

    /// <summary>Rooms that calls entered later than they were taken.</summary>
    public List<string> Entered { get; } = [];

    public FakeMedia Media { get; } = new();

    public MonoTime Now { get; private set; } = MonoTime.FromMillis(1000);

    /// <summary>What was sent to the caller, oldest first.</summary>
    public List<string> Sent { get; } = [];

    public List<CallRecord> Records { get; } = [];

    public Func<CallFacts, Verdict> Decision { get; set; } = facts => new Verdict
    {
        Kind = VerdictKind.Join,
        Room = "room",
        Identity = "sip_1",
        Name = "Phone 1",
        TrunkId = "ST_1",
        RuleId = "SDR_1",
        MayTellWhy = true,
    };

    public FakeRoom Room => Rooms.Legs[^1];

    public CallRecord Record => Assert.Single(Records);

    /// <summary>Status codes of the responses to the INVITE, in order, without repeats.</summary>
    public int[] InviteStatuses => [.. Sent.Where(m => m.StartsWith("SIP/2.0", StringComparison.Ordinal) && m.Contains(" INVITE\r\n", StringComparison.Ordinal))
        .Select(m => int.Parse(m.AsSpan(8, 3), CultureInfo.InvariantCulture)).Distinct()];

    public string LastRequest => Sent.Last(m => !m.StartsWith("SIP/2.0", StringComparison.Ordinal));

    public string Last => Sent[^1];

    /// <summary>Which prompt the newest call plays now: its first sample, 0 for none.</summary>
    public int Playing => Media.Commands.LastOrDefault(c => c.Command.Kind == Proxy.Bridge.Media.CallCommandKind.Play).Command.Payload
        is Proxy.Bridge.Media.Playback playback ? playback.Samples[0] : 0;

    /// <summary>The prompt that plays now comes to its end.</summary>
    public void PromptEnds()
    {
        var playback = (Proxy.Bridge.Media.Playback)Media.Commands.Last(c => c.Command.Kind == Proxy.Bridge.Media.CallCommandKind.Play).Command.Payload!;
        MediaEvent(Proxy.Bridge.Media.CallEventKind.Played, playback.Number);
    }

    /// <summary>The caller presses keys.</summary>
    public void Keys(string digits)
    {
        foreach (char digit in digits)
        {
            MediaEvent(Proxy.Bridge.Media.CallEventKind.Dtmf, digit);
        }
    }

    public static string Offer(string direction = "sendrecv", string address = "198.51.100.7", string formats = "0 8 101", int version = 1) =>
        $"v=0\r\no=- 1 {version} IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio 4000 RTP/AVP {formats}\r\n"
        + "a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=" + direction + "\r\n";

    public void Invite(string? sdp = null, string user = "+15550100", string extra = "")
    {
        _callNumber++;
        extra = extra.Length > 0 ? extra + "Content-Type: application/sdp\r\n" : "";
        LastInvite = Request("INVITE", user, 1, "i", "", sdp ?? Offer(), extra);
        Receive(LastInvite);
    }

    /// <summary>As it was sent.</summary>
    public string LastInvite { get; private set; } = "";

    /// <summary>An in-dialog request of the caller; the To-tag is taken from the last response to the INVITE.</summary>
    public void InDialog(string method, int cseq, string branch, string body = "", string extra = "") =>
        Receive(Request(method, "+15550100", cseq, branch, ";tag=" + ToTag(), body, extra));

    public void Cancel() => Receive(Request("CANCEL", "+15550100", 1, "i", "", ""));

    public void Ack(string body = "") => InDialog("ACK", 1, "a", body);

    public string ToTag()
    {
        string response = Sent.Last(m => m.StartsWith("SIP/2.0", StringComparison.Ordinal) && m.Contains(" INVITE\r\n", StringComparison.Ordinal));
        string to = response.Split("\r\n").First(l => l.StartsWith("To:", StringComparison.OrdinalIgnoreCase));
        return to[(to.IndexOf("tag=", StringComparison.Ordinal) + 4)..];
    }

    /// <summary>A call that is answered and acknowledged.</summary>
    public void Connect()
    {
        Invite();
        Room.Join();
        Room.PublishAgent();
        Poke();
        Ack();
    }

    public void Receive(string message) => Receive(message, new SipFlow(SipTransport.Udp, 0, 0, s_caller));

    public void Receive(string message, SipFlow flow)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(message);
        _sip.HandleMessage(bytes, flow, Now);
        if (_sip.TryPollRefusal(out SipRefusal refusal))
        {
            Calls.HandleRefused(bytes, flow, refusal, Now);
        }
        Pump();
    }

    /// <summary>The caller's answer to our last request, or to another one.</summary>
    public void Answer(string status, string extra = "", string? request = null)
    {
        request ??= LastRequest;
        string copies = string.Concat(new[] { "Via", "From", "To", "Call-ID", "CSeq" }.Select(name => $"{name}: {Header(request, name)}\r\n"));
        Receive($"SIP/2.0 {status}\r\n{copies}{extra}Content-Length: 0\r\n\r\n");
    }

    public static string Header(string message, string name) =>
        message.Split("\r\n").FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim() ?? "";

    /// <summary>The progress of a REFER of ours.</summary>
    public void Notify(int cseq, string fragment, string state = "active;expires=60", string id = "")
    {
        string type = fragment.Length > 0 ? "Content-Type: message/sipfrag;version=2.0\r\n" : "";
        InDialog("NOTIFY", cseq, "n" + cseq, fragment, $"Event: refer{id}\r\nSubscription-State: {state}\r\n{type}");
    }

    /// <summary>Lets the room's news reach the call.</summary>
    public void Poke() => Advance(TimeSpan.FromMilliseconds(1));

    /// <summary>The pause between <c>hangup</c> and leaving the room passes.</summary>
    public void Farewell() => Advance(TimeSpan.FromMilliseconds(150));

    /// <summary>Media events of the newest call.</summary>
    public void MediaEvent(Proxy.Bridge.Media.CallEventKind kind, int number = 0)
    {
        Calls.HandleMedia(Media.Commands[^1].Call, new Proxy.Bridge.Media.CallEvent(kind, number, null), Now);
        Pump();
    }

    /// <summary>Time passes; every deadline on the way is kept.</summary>
    public void Advance(TimeSpan span)
    {
        MonoTime end = Now + span;
        Calls.Visit(call => Calls.HandleSocket(call.Id, default, Now));
        Pump();
        while (true)
        {
            MonoTime next = MonoTime.Min(_sip.NextDeadline, Calls.NextDeadline);
            if (next > end)
            {
                break;
            }
            Now = next > Now ? next : Now.AddMicros(1);
            _sip.HandleTimeout(Now);
            Pump();
            Calls.HandleTimeout(Now);
            Pump();
        }
        Now = end;
    }

    /// <summary>Of the last decision.</summary>
    public CallFacts Facts { get; private set; } = new();

    /// <summary>Fills the trace of a decision.</summary>
    public Action<DecisionTrace?> Tracing { get; set; } = _ => { };

    public Verdict Decide(in CallFacts facts, in CapsView limits, DecisionTrace? trace)
    {
        Tracing(trace);
        Facts = facts;
        return Deciding?.Invoke(facts, limits, trace) ?? Decision(facts);
    }

    /// <summary>A whole policy, where <see cref="Decision"/> is not enough.</summary>
    public Func<CallFacts, CapsView, DecisionTrace?, Verdict>? Deciding { get; set; }

    public Verdict DecidePin(in CallFacts facts, Verdict asked, string pin, in CapsView limits, DecisionTrace? trace)
    {
        Keyed.Add(pin);
        return PinDecision(asked, pin);
    }

    /// <summary>What a request from elsewhere proves.</summary>
    public Func<CallFacts, string, Verdict> Proof { get; set; } = (_, _) => Verdict.Refuse(RefusalCode.SourceNotAllowed, "no part in the call", Refusals.Default);

    public Verdict Prove(in CallFacts facts, string trunkId, in CapsView limits)
    {
        Facts = facts;
        return Proof(facts, trunkId);
    }

    public void Transferred(CallRecord record, TransferRecord transfer) => Transfers.Add(transfer);

    /// <summary>Transfers that are over.</summary>
    public List<TransferRecord> Transfers { get; } = [];

    public Verdict Resume(in CallFacts facts, Verdict deferred, in DeferredAnswer answer, in CapsView limits, DecisionTrace? trace)
    {
        Tracing(trace);
        return Resumption(facts, deferred, answer);
    }

    /// <summary>Ways that requests took.</summary>
    public List<string> Reroutes { get; } = [];

    public void Rerouted(CallRecord record, string what) => Reroutes.Add(what);

    public void Entering(CallRecord record) => Entered.Add(record.Room);

    /// <summary>Identities that calls lost to other nodes, and those that they took instead.</summary>
    public List<(string Lost, string Taken)> Rejoined { get; } = [];

    public void Rejoining(CallRecord record, string lost) => Rejoined.Add((lost, record.Identity));

    public void Started(CallRecord record)
    {
    }

    public void Answered(CallRecord record)
    {
    }

    public void Ended(CallRecord record) => Records.Add(record);

    /// <summary>Lenient acceptances, in order.</summary>
    public List<CompatUse> Leniencies { get; } = [];

    public void Lenient(CallRecord record, CompatUse what) => Leniencies.Add(what);

    public void Broken(CallRecord record, string what) => record.Flags.Add("broken");

    private static short[] Second(short first)
    {
        short[] samples = new short[8_000];
        samples[0] = first;
        return samples;
    }

    private static NetEndPoint At(string text)
    {
        Assert.True(NetEndPoint.TryParse(text, out NetEndPoint endPoint));
        return endPoint;
    }

    private void Pump()
    {
        bool isBusy = true;
        while (isBusy)
        {
            isBusy = false;
            while (_sip.TryPollEvent(out SipEvent e))
            {
                isBusy = true;
                Calls.HandleSip(e, Now);
            }
            while (_sip.TryPollSend(_buffer, out int length, out _))
            {
                isBusy = true;
                Sent.Add(Encoding.UTF8.GetString(_buffer, 0, length));
            }
            isBusy |= Media.Closing.Count > 0;
            Media.AnswerCloses(Calls, Now);
        }
    }

    private string Request(string method, string user, int cseq, string branch, string toTag, string body, string extra = "") =>
        $"{method} sip:{user}@203.0.113.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK{branch}{_callNumber};rport\r\n"
        + $"Max-Forwards: 70\r\nFrom: <sip:+15550199@198.51.100.7>;tag=c{_callNumber}\r\nTo: <sip:{user}@203.0.113.1>{toTag}\r\n"
        + $"Call-ID: call-{_callNumber}@caller\r\nCSeq: {cseq} {method}\r\nContact: <sip:+15550199@198.51.100.7:5060>\r\n{extra}"
        + (body.Length > 0 && extra.Length == 0 ? "Content-Type: application/sdp\r\n" : "") + $"Content-Length: {body.Length}\r\n\r\n{body}";
}
