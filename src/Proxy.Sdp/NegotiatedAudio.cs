using System.Security.Cryptography;
using Proxy.Core.Net;

namespace Proxy.Sdp;

/// <summary>Signal thread. What both sides agreed on for the audio of the SIP leg. Immutable.</summary>
public sealed record NegotiatedAudio
{
    public required SipAudioCodec Codec { get; init; }

    /// <summary>Payload type in both directions: the offer's number.</summary>
    public required byte PayloadType { get; init; }

    /// <summary>Payload type of telephone events, whose clock is the codec's; null when there are none.</summary>
    public byte? DtmfPayloadType { get; init; }

    /// <summary>Payload type that the offer gives to comfort noise at the codec's clock; null when none.</summary>
    public byte? ComfortNoisePayloadType { get; init; }

    /// <summary>Which m= line carries the audio, from 0.</summary>
    public required int MediaIndex { get; init; }

    /// <summary>Where we receive.</summary>
    public required NetEndPoint Local { get; init; }

    /// <summary>Where RTP goes; address unspecified (0.0.0.0) while the peer holds in the old manner.</summary>
    public required NetEndPoint RemoteRtp { get; init; }

    /// <summary>Where RTCP goes; not set when there is no such port.</summary>
    public NetEndPoint RemoteRtcp { get; init; }

    public bool IsRtcpMux { get; init; }

    /// <summary>Direction as the peer sees it.</summary>
    public required SdpDirection TheirDirection { get; init; }

    /// <summary>Direction as we answered it.</summary>
    public SdpDirection OurDirection => TheirDirection.Mirrored();

    /// <summary>True when we must send nothing: the caller holds.</summary>
    public bool IsHold => !OurDirection.Sends();

    /// <summary>What we send, ms.</summary>
    public required byte PtimeMs { get; init; }

    /// <summary>What the peer asked for, ms, 10–120; 20 when it said nothing sensible.</summary>
    public byte TheirPtimeMs { get; init; } = 20;

    public required SdpProfile Profile { get; init; }

    /// <summary>Keys when the leg is encrypted, else null.</summary>
    public SrtpKeys? Srtp { get; init; }

    /// <summary>The offer was SRTP and was answered in clear, as livekit/sip does.</summary>
    public bool IsSecureOfferInClear { get; init; }
}

/// <summary>Signal thread. SDES keys of one leg. Never logged: printing it shows the suite only.</summary>
public sealed class SrtpKeys
{
    private readonly byte[] _local;
    private readonly byte[] _remote;

    internal SrtpKeys(SrtpSuites suite, uint tag, byte[] local, byte[] remote)
    {
        Suite = suite;
        Tag = tag;
        _local = local;
        _remote = remote;
    }

    public SrtpSuites Suite { get; }

    /// <summary>The tag of the chosen line, kept in the answer.</summary>
    public uint Tag { get; }

    /// <summary>Key and salt that protect what we send.</summary>
    public System.ReadOnlySpan<byte> LocalKeySalt => _local;

    /// <summary>Key and salt that protect what the peer sends.</summary>
    public System.ReadOnlySpan<byte> RemoteKeySalt => _remote;

    /// <summary>Overwrites both keys; call it when the leg has ended.</summary>
    public void Zero()
    {
        CryptographicOperations.ZeroMemory(_local);
        CryptographicOperations.ZeroMemory(_remote);
    }

    public override string ToString() => Suite.ToString();
}
