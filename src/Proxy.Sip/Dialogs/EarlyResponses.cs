using System;
using Proxy.Core.Time;
using Proxy.Sip.Parsing;
using Proxy.Sip.Transactions;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Dialogs;

/// <summary>Signal thread. The provisional responses of one INVITE, unreliable or reliable.</summary>
/// <remarks>RFC 3261 §13.3.1.1, RFC 3262 §3, §5.</remarks>
internal sealed class EarlyResponses
{
    /// <summary>A 180 that was taken is said again once a minute (RFC 3261 §13.3.1.1).</summary>
    private const long RingRefreshMs = 55_000;

    private readonly SipCore _core;
    private readonly SipDialog _dialog;
    private readonly OfferExchange _offers;
    private readonly ReliableProvisional _reliable;
    private MonoTime _lastRingAt = new(long.MinValue);

    public EarlyResponses(SipCore core, SipDialog dialog, OfferExchange offers, in SipMessageView invite)
    {
        _core = core;
        _dialog = dialog;
        _offers = offers;
        _reliable = new ReliableProvisional(core);
        IsRequired = invite.ListContains(SipHeaderId.Require, "100rel"u8);
        IsSupported = IsRequired || invite.ListContains(SipHeaderId.Supported, "100rel"u8);
    }

    /// <summary>Every provisional response has to be reliable.</summary>
    public bool IsRequired { get; }

    /// <summary>The caller sends PRACK where it is asked to.</summary>
    public bool IsSupported { get; }

    public MonoTime Deadline => _reliable.Deadline;

    /// <summary>Whether a session description went out that is not yet acknowledged: no 2xx may pass it.</summary>
    public bool HoldsAnswer => _reliable.IsWaiting && _reliable.HasBody;

    /// <summary>Unreliable, unless the caller requires 100rel, or supports it and there is early media to protect.</summary>
    public bool Send(ServerTransaction invite, int status, ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extra, MonoTime now)
    {
        sdp = _offers.InProvisional(sdp, IsSupported);
        if (!IsRequired && (sdp.IsEmpty || !IsSupported))
        {
            return _dialog.Answer(invite, status, sdp, extra, now);
        }
        if (_reliable.IsWaiting || (status == 180 && sdp.IsEmpty && now < _lastRingAt.AddMillis(RingRefreshMs)))
        {
            // One at a time; a repeated 180 says nothing new, except to the timer C of proxies.
            return sdp.IsEmpty;
        }
        return SendReliably(invite, status, sdp, extra, now);
    }

    /// <summary>Reads which response a PRACK acknowledges, and stops repeating it.</summary>
    public PrackKind HandlePrack(in SipMessageView prack)
    {
        prack.TryGetHeader(SipHeaderId.RAck, out ReadOnlySpan<byte> rack);
        ReadOnlySpan<byte> sequence = SipText.ReadToken(ref rack);
        if (!SipText.TryReadNumber(sequence, uint.MaxValue, out long rseq) || !CSeqView.TryParse(rack, out CSeqView cseq)
            || cseq.Method != SipMethod.Invite || rseq == 0 || rseq != _reliable.RSeq)
        {
            return PrackKind.Stray;
        }
        if (!_reliable.IsWaiting)
        {
            return PrackKind.Repeated;
        }
        _reliable.Stop();
        return _offers.HandlePrack(prack.TryGetSdp(out _));
    }

    public void Stop() => _reliable.Stop();

    /// <returns>True when 64·T1 are over without a PRACK.</returns>
    public bool HandleTimer(MonoTime now) => _reliable.HandleTimer(now);

    private bool SendReliably(ServerTransaction invite, int status, ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extra, MonoTime now)
    {
        if (_reliable.RSeq == 0)
        {
            Span<byte> random = stackalloc byte[2];
            _core.Random.Fill(random);
            _reliable.RSeq = (uint)((random[0] << 8) | random[1]);
        }
        _reliable.RSeq++;
        Span<byte> buffer = stackalloc byte[SipHeaderLines.ExtraMax];
        var lines = new SipHeaderLines(buffer);
        lines.Add("Require"u8, "100rel"u8);
        lines.AddNumber("RSeq"u8, _reliable.RSeq);
        lines.AddLines(extra);
        if (!lines.IsComplete || !_dialog.Answer(invite, status, sdp, lines.Written, now))
        {
            return false;
        }
        _lastRingAt = status == 180 ? now : _lastRingAt;
        _reliable.Begin(invite, !sdp.IsEmpty, now);
        if (!sdp.IsEmpty)
        {
            _offers.HandleReliable();
        }
        return true;
    }
}
