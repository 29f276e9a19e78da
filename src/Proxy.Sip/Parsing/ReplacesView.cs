using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Sip.Parsing;

/// <summary>One owner. The value of a Replaces field: which dialog of the receiver an INVITE takes the place of.</summary>
/// <remarks>RFC 3891 §6.1: Replaces = callid *(SEMI replaces-param), with both tags.</remarks>
public readonly ref struct ReplacesView
{
    private ReplacesView(ReadOnlySpan<byte> callId, ReadOnlySpan<byte> toTag, ReadOnlySpan<byte> fromTag, bool isEarlyOnly)
    {
        CallId = callId;
        ToTag = toTag;
        FromTag = fromTag;
        IsEarlyOnly = isEarlyOnly;
    }

    public ReadOnlySpan<byte> CallId { get; }

    /// <summary>The tag of whoever receives the INVITE: our own.</summary>
    public ReadOnlySpan<byte> ToTag { get; }

    /// <summary>The tag of the peer in that dialog.</summary>
    public ReadOnlySpan<byte> FromTag { get; }

    /// <summary>Only a dialog that is not answered yet is meant.</summary>
    public bool IsEarlyOnly { get; }

    /// <returns>False when it is malformed or lacks a tag.</returns>
    [NoAlloc]
    public static bool TryParse(ReadOnlySpan<byte> value, out ReplacesView view)
    {
        view = default;
        ReadOnlySpan<byte> rest = SipText.Trim(value);
        int end = rest.IndexOf((byte)';');
        if (end <= 0)
        {
            return false;
        }
        ReadOnlySpan<byte> callId = SipText.TrimEnd(rest[..end]);
        ReadOnlySpan<byte> parameters = rest[end..];
        if (callId.IsEmpty || SipText.HasSpace(callId) || !SipParameters.IsValid(parameters) || !SipParameters.TryGet(parameters, "to-tag"u8, out ReadOnlySpan<byte> toTag)
            || !SipParameters.TryGet(parameters, "from-tag"u8, out ReadOnlySpan<byte> fromTag) || toTag.IsEmpty)
        {
            return false;
        }
        view = new ReplacesView(callId, toTag, fromTag, SipParameters.TryGet(parameters, "early-only"u8, out _));
        return true;
    }
}
