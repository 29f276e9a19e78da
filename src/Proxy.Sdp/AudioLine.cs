using System;
using Proxy.Core.Net;

namespace Proxy.Sdp;

/// <summary>One owner. What one m=audio line of the peer would give us: the choice, or why there is none.</summary>
internal ref struct AudioLine
{
    internal AnswerCode Code;
    internal SipAudioCodec Codec;
    internal byte PayloadType;
    internal byte? DtmfPayloadType;
    internal byte? ComfortNoisePayloadType;
    internal NetEndPoint Local;
    internal NetEndPoint RemoteRtp;
    internal SdpCrypto Crypto;
    internal bool IsEncrypted;
    internal bool IsSecureOfferInClear;
    internal SdpMedia Media;

    /// <summary>Judges one line. Order of the checks: transport, encryption, codec, address.</summary>
    internal static AudioLine Evaluate(scoped in SdpView view, SdpMedia media, SipMediaCapabilities capabilities)
    {
        AudioLine line = new() { Media = media, Code = AnswerCode.Accepted };
        line.CheckEncryption(capabilities);
        if (line.Code == AnswerCode.Accepted)
        {
            line.PickCodec(capabilities);
        }
        if (line.Code == AnswerCode.Accepted)
        {
            line.CheckAddress(view, capabilities);
        }
        return line;
    }

    /// <summary>The peer's direction; an address of 0.0.0.0 says "do not send to me" (RFC 3264 §8.4).</summary>
    internal readonly SdpDirection TheirDirection => RemoteRtp.Address.IsUnspecified
        ? Media.Direction & SdpDirection.SendOnly
        : Media.Direction;

    /// <summary>Where the peer wants RTCP.</summary>
    /// <remarks>RFC 5761 §5.1.1, RFC 3605 §2.1, RFC 3550 §11 (the next port).</remarks>
    internal readonly NetEndPoint RemoteRtcp(bool isMux)
    {
        if (isMux)
        {
            return RemoteRtp;
        }
        if (Media.TryGetRtcp(out ushort port, out NetAddress address))
        {
            bool isUsable = address.IsSet && !address.IsUnspecified && !address.IsMulticastOrBroadcast && !address.IsLoopback;
            return port == 0 ? default : new NetEndPoint(isUsable ? address : RemoteRtp.Address, port);
        }
        return RemoteRtp.Port == ushort.MaxValue ? default : new NetEndPoint(RemoteRtp.Address, (ushort)(RemoteRtp.Port + 1));
    }

    private void CheckEncryption(SipMediaCapabilities capabilities)
    {
        bool isSecure = Media.Profile is SdpProfile.RtpSavp or SdpProfile.RtpSavpf;
        if (!isSecure && Media.Profile is not (SdpProfile.RtpAvp or SdpProfile.RtpAvpf))
        {
            Code = AnswerCode.NoTransport;
            return;
        }
        if (capabilities.Srtp == SrtpPolicy.Disable)
        {
            IsSecureOfferInClear = isSecure;
            Code = isSecure && !capabilities.AnswerSecureOfferInClear ? AnswerCode.SrtpDisabled : AnswerCode.Accepted;
            return;
        }
        if (TryPickCrypto(capabilities.Suites & ~SrtpSuiteFacts.ShortTags) || TryPickCrypto(capabilities.Suites))
        {
            return;
        }
        // A key under plain AVP is best-effort encryption (RFC 8643 §3.1), so only SAVP or Require insist on one.
        Code = isSecure || capabilities.Srtp == SrtpPolicy.Require ? AnswerCode.SrtpRequired : AnswerCode.Accepted;
    }

    /// <summary>The first line of the sender's order whose suite is one of those.</summary>
    private bool TryPickCrypto(SrtpSuites suites)
    {
        foreach (SdpCrypto crypto in Media.Cryptos)
        {
            if ((crypto.Suite & suites) != 0)
            {
                Crypto = crypto;
                IsEncrypted = true;
                return true;
            }
        }
        return false;
    }

    private void PickCodec(SipMediaCapabilities capabilities)
    {
        Span<int> maps = stackalloc int[128];
        Media.FindRtpMaps(maps);
        int best = int.MaxValue;
        foreach (byte payloadType in Media.PayloadTypes)
        {
            if (!Media.TryGetRtpMap(payloadType, maps, out SdpRtpMap map))
            {
                continue;
            }
            for (int i = 0; i < capabilities.Codecs.Length && i < best; i++)
            {
                if (capabilities.Codecs[i].Is(map))
                {
                    best = capabilities.PreferTheirOrder ? -1 : i;
                    Codec = capabilities.Codecs[i];
                    PayloadType = payloadType;
                    break;
                }
            }
            if (best < 0)
            {
                break;
            }
        }
        Code = best == int.MaxValue ? AnswerCode.NoCodec : AnswerCode.Accepted;
        if (Code == AnswerCode.Accepted)
        {
            PickCompanions(capabilities, maps);
        }
    }

    /// <summary>Events and comfort noise share the codec's timestamps, so their clock must be the codec's (RFC 4733 §2.1).</summary>
    private void PickCompanions(SipMediaCapabilities capabilities, scoped ReadOnlySpan<int> maps)
    {
        foreach (byte payloadType in Media.PayloadTypes)
        {
            if (!Media.TryGetRtpMap(payloadType, maps, out SdpRtpMap map) || map.ClockHz != Codec.ClockHz())
            {
                continue;
            }
            if (capabilities.TelephoneEvent && DtmfPayloadType is null && map.NameIs("telephone-event"u8))
            {
                DtmfPayloadType = payloadType;
            }
            else if (ComfortNoisePayloadType is null && map.NameIs("CN"u8))
            {
                ComfortNoisePayloadType = payloadType;
            }
        }
    }

    private void CheckAddress(in SdpView view, SipMediaCapabilities capabilities)
    {
        SdpConnection connection = Media.Connection;
        if (!connection.IsPresent && capabilities.AllowOriginAddress)
        {
            connection = view.OriginAddress;
        }
        NetAddress address = connection.Address;
        if (!connection.IsLiteral)
        {
            Code = AnswerCode.NoAddress;
            return;
        }
        if (address.IsMulticastOrBroadcast || (address.IsLoopback && !capabilities.AllowLoopback))
        {
            Code = AnswerCode.ForbiddenAddress;
            return;
        }
        NetEndPoint other = capabilities.LocalOtherFamily;
        Local = capabilities.Local.Address.IsV6 == address.IsV6 ? capabilities.Local : other;
        RemoteRtp = new NetEndPoint(address, Media.Port);
        Code = Local.IsSet && Local.Address.IsV6 == address.IsV6 ? AnswerCode.Accepted : AnswerCode.AddressFamily;
    }
}
