using System;

namespace Proxy.Sdp;

/// <summary>What became of an offer or answer.</summary>
public enum AnswerCode : byte
{
    Accepted,

    /// <summary>A later offer set the audio port to 0: the stream ends, the call stays. Answered 200.</summary>
    AudioRemoved,

    /// <summary>The text is no session description, or exceeds a limit.</summary>
    Unparsable,

    /// <summary>No m=audio line, or only refused ones.</summary>
    NoAudio,

    /// <summary>No codec in common.</summary>
    NoCodec,

    /// <summary>A transport that the SIP leg does not speak, such as DTLS-SRTP.</summary>
    NoTransport,

    /// <summary>SRTP is required and the offer is plain, or the offer is SRTP without a key that we can use.</summary>
    SrtpRequired,

    /// <summary>SRTP is disabled here and the offer is SRTP.</summary>
    SrtpDisabled,

    /// <summary>No c= line, or one that holds a host name or rubbish.</summary>
    NoAddress,

    /// <summary>A multicast, broadcast or loopback address.</summary>
    ForbiddenAddress,

    /// <summary>An IPv6 address and this node has none, or the reverse.</summary>
    AddressFamily,

    /// <summary>An answer that does not fit our offer.</summary>
    BadAnswer,

    /// <summary>The answer does not fit the caller's buffer.</summary>
    TooLong,
}

/// <summary>Any thread. A code with the SIP status, and the Warning header that explains it.</summary>
/// <remarks>RFC 3261 §20.43 for the warn-codes, §21.4.26 for 488.</remarks>
public readonly record struct AnswerVerdict(AnswerCode Code)
{
    public bool IsAccepted => Code is AnswerCode.Accepted or AnswerCode.AudioRemoved;

    /// <summary>200, 400, 488 or 500.</summary>
    public int SipStatus => Code switch
    {
        AnswerCode.Accepted or AnswerCode.AudioRemoved => 200,
        AnswerCode.Unparsable => 400,
        AnswerCode.TooLong => 500,
        _ => 488,
    };

    /// <summary>300–399 for a Warning header, 0 when none fits.</summary>
    public int WarningCode => Code switch
    {
        AnswerCode.NoAudio => 304,
        AnswerCode.NoCodec or AnswerCode.BadAnswer => 305,
        AnswerCode.NoTransport or AnswerCode.SrtpRequired or AnswerCode.SrtpDisabled => 302,
        AnswerCode.AddressFamily or AnswerCode.NoAddress => 301,
        AnswerCode.ForbiddenAddress => 330,
        AnswerCode.Unparsable => 399,
        _ => 0,
    };

    /// <summary>One sentence for the Warning header and the call record; holds nothing of the peer's text.</summary>
    public string WarningText => Code switch
    {
        AnswerCode.Accepted => "accepted",
        AnswerCode.AudioRemoved => "the audio stream was removed",
        AnswerCode.Unparsable => "the session description cannot be read",
        AnswerCode.NoAudio => "no audio stream is offered",
        AnswerCode.NoCodec => "no codec in common",
        AnswerCode.NoTransport => "the audio transport is not supported",
        AnswerCode.SrtpRequired => "SRTP with a supported crypto suite is required",
        AnswerCode.SrtpDisabled => "SRTP is disabled on this trunk",
        AnswerCode.NoAddress => "the connection address is missing or not a literal",
        AnswerCode.ForbiddenAddress => "media cannot be sent to this address",
        AnswerCode.AddressFamily => "the address family of the media is not supported",
        AnswerCode.BadAnswer => "the answer does not fit the offer",
        _ => "the description is too long",
    };
}
