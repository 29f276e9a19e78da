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
    private long _second;
    private int _guarded;

    /// <param name="message">The INVITE, perhaps one that does not parse.</param>
    public void Handle(ReadOnlySpan<byte> message, in SipFlow flow, in SipRefusal refusal, MonoTime now)
    {
        if (refusal.IsGuarded && !MayRecord(now))
        {
            return;
        }
        SipMessageView.TryParse(message, out SipMessageView view, out _, services.Limits);
        if (IsRepeated(view, now))
        {
            return;
        }
        _guarded += refusal.IsGuarded ? 1 : 0;
        CallFacts facts = FactsFromInvite.Read("", view, flow, services.UtcAt(now), services.Sources);
        CallRecord record = Turnstile.NewRecord(facts);
        record.Code = CodeOf(refusal.Cause);
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

    /// <summary>A flood of strangers must not become a flood of records, which would push out those of calls; what is left out is counted with the rest.</summary>
    private bool MayRecord(MonoTime now)
    {
        long second = now.Micros / 1_000_000;
        _guarded = second == _second ? _guarded : 0;
        _second = second;
        return _guarded < services.Limits.StrangerRecordsPerSecond;
    }

    private static string CodeOf(SipRefusalCause cause) => cause switch
    {
        SipRefusalCause.Overload => Refusals.Name(RefusalCode.NodeOverload),
        SipRefusalCause.TableFull => Refusals.Name(RefusalCode.NodeFull),
        SipRefusalCause.Flooding or SipRefusalCause.Crowded => "rate_limited",
        SipRefusalCause.Banned => "banned",
        SipRefusalCause.Hidden => "hidden",
        _ => Refusals.Name(RefusalCode.BadRequest),
    };

    private static string Describe(in SipRefusal refusal) => refusal.Cause switch
    {
        SipRefusalCause.Overload => "the node's CPU is above max_cpu_utilization",
        SipRefusalCause.TableFull => "the node has no room for one more SIP transaction",
        SipRefusalCause.Flooding => "no trunk lists the address, and it sends more requests than strangers may",
        SipRefusalCause.Crowded => "no trunk lists the address, and all such addresses together send more requests than they may",
        SipRefusalCause.Banned => "the address is banned for a while (see siproom bans list); nothing was answered",
        SipRefusalCause.Hidden => "no trunk lists the address and hide_inbound_port is on; nothing was answered",
        _ => DescribeRequest(refusal),
    };

    private static string DescribeRequest(in SipRefusal refusal) => refusal.Status switch
    {
        406 => "the caller takes no SDP (Accept)",
        415 => "the body is neither SDP nor holds SDP",
        416 => "the Request-URI is neither sip:, sips: nor tel:",
        420 => "the caller requires an extension that we do not have (Require)",
        422 => "the session interval is too small (Session-Expires)",
        482 => "the INVITE came by another way already (merged request)",
        403 when refusal.Error == SipParseError.None => "refused, as everything of an address that tries what works",
        _ => $"the INVITE cannot be read: {Encoding.ASCII.GetString(SipParseErrors.Reason(refusal.Error))}",
    };
}
