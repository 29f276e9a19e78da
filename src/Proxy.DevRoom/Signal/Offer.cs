using System;
using System.Collections.Generic;
using Proxy.Core.Net;
using Proxy.WebRtc;

namespace Proxy.DevRoom.Signal;

internal enum SectionKind
{
    Audio,
    Video,
    Application,
    Other,
}

internal enum SectionDirection
{
    /// <summary>No direction attribute stands in the section; the stock server then drops it.</summary>
    Absent,
    SendOnly,
    RecvOnly,
    SendRecv,
    Inactive,
}

/// <summary>Room loop. One <c>a=rtpmap</c> of a section.</summary>
internal sealed record OfferCodec(byte PayloadType, string Name, string ClockAndChannels);

/// <summary>Room loop. One m-section of a client's offer, copied out of the text.</summary>
internal sealed class OfferSection
{
    public required SectionKind Kind { get; init; }

    /// <summary>The m-line's media, protocol and formats: what a refusal repeats.</summary>
    public required string Media { get; init; }

    public required string Protocol { get; init; }

    public required string Formats { get; init; }

    public required bool IsRejected { get; init; }

    public string Mid { get; set; } = "";

    public SectionDirection Direction { get; set; }

    public List<OfferCodec> Codecs { get; } = [];

    /// <summary>Extension ids, 0 where not offered.</summary>
    public byte AudioLevelId { get; set; }

    public byte MidExtensionId { get; set; }

    /// <summary>The first <c>a=ssrc</c>; 0 when none stands there.</summary>
    public uint Ssrc { get; set; }

    /// <summary>The track part of <c>a=msid</c>, from the section or from <c>a=ssrc … msid:</c>.</summary>
    public string? MsidTrack { get; set; }

    /// <summary>What the client may do in this section: it sends where the direction says so.</summary>
    public bool ClientSends => Direction is SectionDirection.SendOnly or SectionDirection.SendRecv;

    public bool ClientReceives => Direction is SectionDirection.RecvOnly or SectionDirection.SendRecv;
}

/// <summary>Room loop. A client's offer: what the answer engine needs of it.</summary>
internal sealed class Offer
{
    public List<OfferSection> Sections { get; } = [];

    /// <summary>The mids of <c>a=group:BUNDLE</c>, or null without one.</summary>
    public string[]? Bundle { get; set; }

    public bool AllowsMixedExtmap { get; set; }

    public bool IsIceLite { get; set; }

    public string? IceUfrag { get; set; }

    public string? IcePwd { get; set; }

    public byte[]? FingerprintSha256 { get; set; }

    public SetupRole Setup { get; set; } = SetupRole.ActPass;

    public List<NetEndPoint> Candidates { get; } = [];

    /// <summary>The transport parameters, or null when one of them is missing.</summary>
    public RemoteDescription? Transport => IceUfrag is null || IcePwd is null || FingerprintSha256 is null
        ? null
        : new RemoteDescription(new IceCredentials(IceUfrag, IcePwd), IsIceLite, FingerprintSha256, Setup, Candidates);
}
