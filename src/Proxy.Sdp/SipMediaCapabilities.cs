using System;
using Proxy.Core.Net;

namespace Proxy.Sdp;

/// <summary>Whether the SIP leg may, must or must not be encrypted.</summary>
public enum SrtpPolicy : byte
{
    /// <summary>Encrypted offers are refused with 488.</summary>
    Disable,

    /// <summary>The offer decides: SAVP with a usable key is answered SAVP, AVP with one is answered with a key, plain stays plain.</summary>
    Allow,

    /// <summary>Plain offers are refused with 488.</summary>
    Require,
}

/// <summary>Any thread. What this node offers and accepts on the SIP leg of a call.</summary>
public sealed record SipMediaCapabilities
{
    /// <summary>Where we receive RTP, and RTCP on the same port.</summary>
    public required NetEndPoint Local { get; init; }

    /// <summary>The same for the other address family; not set when this node has only one.</summary>
    public NetEndPoint LocalOtherFamily { get; init; }

    /// <summary>Codecs, best first.</summary>
    public SipAudioCodec[] Codecs { get; init; } = [SipAudioCodec.Pcmu, SipAudioCodec.Pcma];

    /// <summary>The offer's order wins over ours. livekit/sip: no, ours.</summary>
    public bool PreferTheirOrder { get; init; }

    /// <summary>Take and offer telephone events (RFC 4733).</summary>
    public bool TelephoneEvent { get; init; } = true;

    /// <summary>Name comfort noise in the answer, which invites the caller to send gaps. It is recognised either way.</summary>
    public bool ComfortNoise { get; init; }

    /// <summary>RTP and RTCP on one port when the offer asks for it.</summary>
    public bool RtcpMux { get; init; } = true;

    public SrtpPolicy Srtp { get; init; } = SrtpPolicy.Allow;

    /// <summary>Suites that may be chosen. A 32-bit tag is taken where nothing stronger is offered, and never offered beside a stronger one.</summary>
    public SrtpSuites Suites { get; init; } = SrtpSuites.AesCm128HmacSha1Tag80 | SrtpSuites.AesCm128HmacSha1Tag32 | SrtpSuites.AeadAes128Gcm;

    /// <summary>livekit/sip: under <see cref="SrtpPolicy.Disable"/> an SAVP offer is answered AVP instead of 488. The caller counts it.</summary>
    public bool AnswerSecureOfferInClear { get; init; }

    /// <summary>Packet time that we ask for and send, ms.</summary>
    public byte PtimeMs { get; init; } = 20;

    /// <summary>The signalling peer is on this machine: loopback media addresses are taken.</summary>
    public bool AllowLoopback { get; init; }

    /// <summary>An offer without any c= line: take the address of o=. livekit/sip: yes.</summary>
    public bool AllowOriginAddress { get; init; }
}
