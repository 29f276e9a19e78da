using System;

namespace Proxy.Sip.Writing;

/// <summary>Any thread. What this engine really does: the one place that Allow, Supported and Accept come from.</summary>
internal static class Capabilities
{
    public static ReadOnlySpan<byte> Allow => "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY"u8;

    public static ReadOnlySpan<byte> Supported => "100rel, timer, replaces"u8;

    /// <summary>Of our requests: we do not send PRACK, so no reliable 1xx is invited.</summary>
    public static ReadOnlySpan<byte> SupportedInRequests => "timer, replaces"u8;

    public static ReadOnlySpan<byte> Accept => "application/sdp, multipart/mixed"u8;

    /// <summary>Whether an option tag of Require is one of <see cref="Supported"/>.</summary>
    public static bool Supports(ReadOnlySpan<byte> tag) => Parsing.SipText.Same(tag, "100rel"u8) || Parsing.SipText.Same(tag, "timer"u8)
        || Parsing.SipText.Same(tag, "replaces"u8);
}
