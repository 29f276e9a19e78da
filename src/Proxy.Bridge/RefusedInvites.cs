using System;
using System.Text;
using Proxy.Bridge.Records;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Sip;
using Proxy.Sip.Parsing;

namespace Proxy.Bridge;

/// <summary>Signal thread. Records of INVITEs that the SIP endpoint refused by itself: unreadable, or no room in its tables.</summary>
internal sealed class RefusedInvites(CallServices services, CallCounters counters)
{
    private const int Remembered = 256;
    private static readonly TimeSpan s_repeats = TimeSpan.FromSeconds(32);
    private readonly (int Hash, MonoTime At)[] _last = new (int, MonoTime)[Remembered];
    private int _next;

    /// <param name="message">The INVITE, perhaps one that does not parse.</param>
    public void Handle(ReadOnlySpan<byte> message, in SipFlow flow, in SipRefusal refusal, MonoTime now)
    {
        SipMessageView.TryParse(message, out SipMessageView view, out _, services.Limits);
        if (IsRepeated(view, now))
        {
            return;
        }
        CallFacts facts = FactsFromInvite.Read("", view, flow, services.UtcAt(now));
        CallRecord record = Turnstile.NewRecord(facts);
        RefusalCode code = refusal.Status != 503 ? RefusalCode.BadRequest : refusal.IsOverload ? RefusalCode.NodeOverload : RefusalCode.NodeFull;
        record.Code = Refusals.Name(code);
        record.Sentence = Describe(refusal);
        record.SipStatus = refusal.Status;
        record.EndedBy = "us";
        record.EndedMs = 0;
        counters.Refused++;
        services.Observer.Ended(record);
    }

    /// <summary>What is refused without state is refused again for each repetition; one attempt has one record.</summary>
    private bool IsRepeated(in SipMessageView view, MonoTime now)
    {
        var sum = new HashCode();
        sum.AddBytes(view.CallId);
        sum.AddBytes(view.TopVia.Branch);
        sum.Add(view.CSeq.Number);
        int hash = sum.ToHashCode();
        foreach ((int known, MonoTime at) in _last)
        {
            if (known == hash && at > default(MonoTime) && now - at < s_repeats)
            {
                return true;
            }
        }
        _last[_next] = (hash, now);
        _next = (_next + 1) % Remembered;
        return false;
    }

    private static string Describe(in SipRefusal refusal) => refusal.Status switch
    {
        503 when refusal.IsOverload => "the node's CPU is above max_cpu_utilization",
        503 => "the node has no room for one more SIP transaction",
        406 => "the caller takes no SDP (Accept)",
        415 => "the body is neither SDP nor holds SDP",
        416 => "the Request-URI is neither sip:, sips: nor tel:",
        420 => "the caller requires an extension that we do not have (Require)",
        422 => "the session interval is too small (Session-Expires)",
        482 => "the INVITE came by another way already (merged request)",
        _ => $"the INVITE cannot be read: {Encoding.ASCII.GetString(SipParseErrors.Reason(refusal.Error))}",
    };
}
