using System;
using Proxy.Core;

namespace Proxy.Sip.Parsing;

/// <summary>One owner. One SIP message in place; never outlives the bytes it was read from.</summary>
/// <remarks>RFC 3261 §7, §25. All fields are opaque bytes; nothing is decoded until asked for.</remarks>
public readonly ref struct SipMessageView
{
    /// <summary>Reads a whole message: a datagram (octets after Content-Length are ignored), or one that the framer cut out.</summary>
    /// <returns>False with the reason when it must be refused; <paramref name="view"/> then still holds what could be read (see IsAnswerable).</returns>
    public static bool TryParse(ReadOnlySpan<byte> message, out SipMessageView view, out SipParseError error, Limits? limits = null) =>
        throw new NotImplementedException();

    public bool IsRequest => throw new NotImplementedException();

    public SipMethod Method => throw new NotImplementedException();

    public ReadOnlySpan<byte> MethodText => throw new NotImplementedException();

    public ReadOnlySpan<byte> RequestUri => throw new NotImplementedException();

    /// <summary>0 for requests.</summary>
    public int StatusCode => throw new NotImplementedException();

    public ReadOnlySpan<byte> ReasonPhrase => throw new NotImplementedException();

    public ReadOnlySpan<byte> CallId => throw new NotImplementedException();

    public CSeqView CSeq => throw new NotImplementedException();

    public NameAddrView From => throw new NotImplementedException();

    public NameAddrView To => throw new NotImplementedException();

    public ViaView TopVia => throw new NotImplementedException();

    public ReadOnlySpan<byte> ContentType => throw new NotImplementedException();

    public ReadOnlySpan<byte> Body => throw new NotImplementedException();

    /// <summary>−1 when absent.</summary>
    public int MaxForwards => throw new NotImplementedException();

    /// <summary>The value of the first such field, compact or long name; without surrounding white space, folds left in.</summary>
    public bool TryGetHeader(SipHeaderId id, out ReadOnlySpan<byte> value) => throw new NotImplementedException();

    /// <summary>The same by name, for fields that have no <see cref="SipHeaderId"/>; names compare without case.</summary>
    public bool TryGetHeader(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value) => throw new NotImplementedException();

    /// <summary>The first Contact; false when absent, <c>*</c> or malformed.</summary>
    public bool TryGetContact(out NameAddrView contact) => throw new NotImplementedException();

    /// <summary>All fields in order: <c>foreach (SipHeaderView h in view.Headers)</c>.</summary>
    public SipHeaderEnumerator Headers => throw new NotImplementedException();

    /// <summary>The SDP: the body itself, or the first application/sdp part of a multipart body.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryGetSdp(out ReadOnlySpan<byte> sdp) => throw new NotImplementedException();
}
