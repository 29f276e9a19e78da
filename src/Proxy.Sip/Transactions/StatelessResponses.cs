using System;
using System.Buffers.Binary;
using Proxy.Sip.Parsing;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Transactions;

/// <summary>
/// Signal thread. Responses without a transaction: each repetition of the request gets the same answer again, nothing is kept
/// and nothing is repeated by a timer (so that a forged source cannot make us talk more than it does).
/// </summary>
/// <remarks>RFC 3261 §8.2.7.</remarks>
internal sealed class StatelessResponses(SipCore core)
{
    /// <summary>Sends a response to a request, perhaps a malformed one.</summary>
    /// <param name="view">The request.</param>
    /// <param name="flow">Where it came from.</param>
    /// <param name="status">200–699.</param>
    /// <param name="reason">Empty takes the usual phrase.</param>
    /// <param name="toTag">Empty takes a tag that is the same for each repetition.</param>
    /// <param name="extra">Whole header lines.</param>
    public void Send(in SipMessageView view, in SipFlow flow, int status, ReadOnlySpan<byte> reason, ReadOnlySpan<byte> toTag = default, ReadOnlySpan<byte> extra = default)
    {
        bool isAttempt = status >= 300 && view.Method == SipMethod.Invite && view.To.Tag.IsEmpty;
        if (core.Options.Guard is { Hides: true } guard && guard.IsStranger(flow.Remote.Address, core.Now))
        {
            core.Counters.Hidden++;
            guard.Blame(flow.Remote.Address, core.Now);
            core.Refusal = isAttempt ? new SipRefusal(0, SipParseError.None, SipRefusalCause.Hidden) : core.Refusal;
            return;
        }
        int told = core.Refuse(in flow, status, core.Now);
        if (told != status)
        {
            status = told;
            reason = default;
            extra = default;
        }
        core.Refusal = isAttempt ? new SipRefusal(status, SipParseError.None, SipRefusalCause.Request) : core.Refusal;
        Write(in view, in flow, status, reason, toTag, extra);
    }

    /// <summary>Answers a request that belongs to a call of the sender: the guard has no part in it.</summary>
    public void Answer(in SipMessageView view, in SipFlow flow, int status, ReadOnlySpan<byte> toTag) => Write(in view, in flow, status, default, toTag, default);

    /// <summary>503 with Retry-After.</summary>
    public void SendOverloaded(in SipMessageView view, in SipFlow flow, SipRefusalCause cause)
    {
        Span<byte> line = stackalloc byte[32];
        var writer = new SipWriter(line);
        writer.Add("Retry-After: "u8);
        writer.AddNumber(core.Options.RetryAfterSeconds);
        writer.Add("\r\n"u8);
        Send(in view, in flow, 503, default, default, line[..writer.Length]);
        core.Refusal = core.Refusal.Status == 503 ? core.Refusal with { Cause = cause } : core.Refusal;
    }

    private void Write(in SipMessageView view, in SipFlow flow, int status, ReadOnlySpan<byte> reason, ReadOnlySpan<byte> toTag, ReadOnlySpan<byte> extra)
    {
        Span<byte> tag = stackalloc byte[16];
        bool isOptions = status == 200 && view.Method == SipMethod.Options;
        var parts = new ResponseParts
        {
            Status = status,
            Reason = reason,
            ToTag = toTag.IsEmpty ? StableTag(in view, tag) : toTag,
            HasAllow = status is 405 or 501 || isOptions,
            HasSupported = isOptions,
            Extra = extra,
        };
        SipFlow route = ResponseRoute.Of(view.TopVia, in flow);
        core.SendOnce(core.BuildResponse(in view, in flow, ref parts), in route);
    }

    private Span<byte> StableTag(in SipMessageView view, Span<byte> tag)
    {
        KeyedHash.Sum sum = core.Hash.Begin();
        sum.Add(view.CallId);
        sum.Add(view.FromValue);
        sum.Add(view.CSeqValue);
        sum.Add(view.TopVia.Branch);
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, sum.Finish());
        for (int i = 0; i < 8; i++)
        {
            tag[2 * i] = "0123456789abcdef"u8[bytes[i] >> 4];
            tag[(2 * i) + 1] = "0123456789abcdef"u8[bytes[i] & 15];
        }
        return tag;
    }
}
