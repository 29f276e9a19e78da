namespace Proxy.Fuzz.Targets;

/// <summary>Every target: each place where bytes of strangers come in.</summary>
internal static class AllTargets
{
    public static Target[] Make() =>
    [
        SipTargets.Message(),
        SipTargets.Fields(),
        SipTargets.Stream(),
        SipTargets.Endpoint(),
        DnsTargets.Answer(),
        SdpTargets.Text(),
        SdpTargets.Negotiation(),
        RtpTargets.Packet(),
        RtpTargets.Reports(),
        RtpTargets.Flow(),
        WebRtcTargets.Stun(),
        WebRtcTargets.Sctp(),
        RoomTargets.Json(),
        RoomTargets.Signal(),
    ];
}
