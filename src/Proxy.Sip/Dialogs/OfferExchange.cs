using System;

namespace Proxy.Sip.Dialogs;

/// <summary>Any thread. Which offer of an INVITE stands without an answer.</summary>
internal enum OpenOffer : byte
{
    None,

    /// <summary>The INVITE's; answered in a reliable response at most, whose PRACK did not come yet.</summary>
    Theirs,

    /// <summary>Ours, in a response: the answer is to come in the PRACK or the ACK.</summary>
    Ours,

    /// <summary>The INVITE had none, and ours did not go out yet.</summary>
    Wanted,
}

/// <summary>Any thread. What a PRACK is.</summary>
internal enum PrackKind : byte
{
    /// <summary>Of no response of ours: 481.</summary>
    Stray,

    /// <summary>Said once more: 200, and nothing else happens.</summary>
    Repeated,

    /// <summary>It acknowledges, and may bring the answer to our offer.</summary>
    Plain,

    /// <summary>It brings another offer, which its 200 has to answer.</summary>
    Offer,
}

/// <summary>Signal thread. Offer and answer of one dialog's INVITE over its responses, PRACK, UPDATE and ACK: who may offer now, and which response may describe the session.</summary>
/// <remarks>RFC 3261 §13.2.1, RFC 3262 §5, RFC 3311 §5, RFC 6337 §2.</remarks>
internal sealed class OfferExchange(bool hasOffer)
{
    private bool _isAnswerOut;
    private bool _isAgreedApart;

    public OpenOffer Open { get; private set; } = hasOffer ? OpenOffer.Theirs : OpenOffer.Wanted;

    /// <summary>What a provisional response may carry: an offer must be acknowledged, and what was agreed on by PRACK or UPDATE is not said again.</summary>
    public ReadOnlySpan<byte> InProvisional(ReadOnlySpan<byte> sdp, bool isReliable) =>
        _isAgreedApart || Open == OpenOffer.Ours || (Open == OpenOffer.Wanted && !isReliable) ? default : sdp;

    /// <summary>What the 2xx to the INVITE may carry: after an agreement by PRACK or UPDATE it would be a second offer.</summary>
    public ReadOnlySpan<byte> InSuccess(ReadOnlySpan<byte> sdp) => _isAgreedApart ? default : sdp;

    /// <summary>A reliable provisional response with a description went out.</summary>
    public void HandleReliable()
    {
        _isAnswerOut = true;
        Open = Open == OpenOffer.Wanted ? OpenOffer.Ours : Open;
    }

    /// <summary>The PRACK of the response that went out last came for the first time.</summary>
    /// <returns>Plain or Offer. An offer that may not come yet, because the INVITE's has no answer, is passed over: a PRACK cannot be refused (RFC 3262 §3).</returns>
    public PrackKind HandlePrack(bool hasSdp)
    {
        bool isAnswer = Open == OpenOffer.Ours;
        _isAgreedApart |= isAnswer;
        Open = isAnswer || (Open == OpenOffer.Theirs && _isAnswerOut) ? OpenOffer.None : Open;
        return hasSdp && !isAnswer && Open == OpenOffer.None ? PrackKind.Offer : PrackKind.Plain;
    }

    /// <summary>An offer of a PRACK or UPDATE got its answer before the INVITE got its 2xx.</summary>
    public void AgreeApart() => _isAgreedApart = true;

    /// <summary>A 2xx to the INVITE, or to a later one, went out.</summary>
    public void HandleSuccess(bool isToOffer, bool hasSdp) => Open = !isToOffer && hasSdp ? OpenOffer.Ours : OpenOffer.None;

    /// <summary>The ACK came.</summary>
    public void HandleAck() => Open = OpenOffer.None;
}
