using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Sip.Parsing;

/// <summary>Any thread. Method tokens; they compare with case (RFC 3261 §7.1).</summary>
public static class SipMethods
{
    [NoAlloc]
    public static SipMethod Identify(ReadOnlySpan<byte> token) => token.Length switch
    {
        3 => token.SequenceEqual("ACK"u8) ? SipMethod.Ack : token.SequenceEqual("BYE"u8) ? SipMethod.Bye : SipMethod.Unknown,
        4 => token.SequenceEqual("INFO"u8) ? SipMethod.Info : SipMethod.Unknown,
        5 => token.SequenceEqual("REFER"u8) ? SipMethod.Refer : token.SequenceEqual("PRACK"u8) ? SipMethod.Prack : SipMethod.Unknown,
        6 => token.SequenceEqual("INVITE"u8) ? SipMethod.Invite
            : token.SequenceEqual("CANCEL"u8) ? SipMethod.Cancel
            : token.SequenceEqual("NOTIFY"u8) ? SipMethod.Notify
            : token.SequenceEqual("UPDATE"u8) ? SipMethod.Update
            : SipMethod.Unknown,
        7 => token.SequenceEqual("OPTIONS"u8) ? SipMethod.Options
            : token.SequenceEqual("MESSAGE"u8) ? SipMethod.Message
            : token.SequenceEqual("PUBLISH"u8) ? SipMethod.Publish
            : SipMethod.Unknown,
        8 => token.SequenceEqual("REGISTER"u8) ? SipMethod.Register : SipMethod.Unknown,
        9 => token.SequenceEqual("SUBSCRIBE"u8) ? SipMethod.Subscribe : SipMethod.Unknown,
        _ => SipMethod.Unknown,
    };

    /// <summary>The token; empty for Unknown.</summary>
    [NoAlloc]
    public static ReadOnlySpan<byte> Name(SipMethod method) => method switch
    {
        SipMethod.Invite => "INVITE"u8,
        SipMethod.Ack => "ACK"u8,
        SipMethod.Bye => "BYE"u8,
        SipMethod.Cancel => "CANCEL"u8,
        SipMethod.Options => "OPTIONS"u8,
        SipMethod.Register => "REGISTER"u8,
        SipMethod.Prack => "PRACK"u8,
        SipMethod.Subscribe => "SUBSCRIBE"u8,
        SipMethod.Notify => "NOTIFY"u8,
        SipMethod.Publish => "PUBLISH"u8,
        SipMethod.Info => "INFO"u8,
        SipMethod.Refer => "REFER"u8,
        SipMethod.Message => "MESSAGE"u8,
        SipMethod.Update => "UPDATE"u8,
        _ => default,
    };
}
