using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Sip.Parsing;

/// <summary>Any thread. Compares Content-Type and Accept values.</summary>
public static class MediaType
{
    /// <summary>Whether the value is that type, parameters aside: <c>Is("application/sdp;charset=x", "application/sdp")</c>.</summary>
    [NoAlloc]
    public static bool Is(ReadOnlySpan<byte> value, ReadOnlySpan<byte> type)
    {
        SplitType(value, out ReadOnlySpan<byte> major, out ReadOnlySpan<byte> minor);
        int slash = type.IndexOf((byte)'/');
        return SipText.Same(major, type[..slash]) && SipText.Same(minor, type[(slash + 1)..]);
    }

    /// <summary>Whether it is any multipart type.</summary>
    [NoAlloc]
    public static bool IsMultipart(ReadOnlySpan<byte> value)
    {
        SplitType(value, out ReadOnlySpan<byte> major, out _);
        return SipText.Same(major, "multipart"u8);
    }

    /// <summary>Whether an Accept item takes that type: exact, <c>type/*</c> or <c>*/*</c>.</summary>
    [NoAlloc]
    public static bool Accepts(ReadOnlySpan<byte> item, ReadOnlySpan<byte> type)
    {
        SplitType(item, out ReadOnlySpan<byte> major, out ReadOnlySpan<byte> minor);
        bool isAnyMinor = minor.SequenceEqual("*"u8);
        return (isAnyMinor && (major.SequenceEqual("*"u8) || SipText.Same(major, type[..type.IndexOf((byte)'/')]))) || Is(item, type);
    }

    /// <summary>Parameters of the value, beginning with ';'.</summary>
    [NoAlloc]
    public static ReadOnlySpan<byte> Parameters(ReadOnlySpan<byte> value)
    {
        int semicolon = value.IndexOf((byte)';');
        return semicolon < 0 ? default : value[semicolon..];
    }

    private static void SplitType(ReadOnlySpan<byte> value, out ReadOnlySpan<byte> major, out ReadOnlySpan<byte> minor)
    {
        int semicolon = value.IndexOf((byte)';');
        ReadOnlySpan<byte> type = SipText.Trim(semicolon < 0 ? value : value[..semicolon]);
        int slash = type.IndexOf((byte)'/');
        major = slash < 0 ? type : SipText.TrimEnd(type[..slash]);
        minor = slash < 0 ? default : SipText.SkipSpace(type[(slash + 1)..]);
    }
}
