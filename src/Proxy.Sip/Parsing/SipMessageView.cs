using System;
using Proxy.Core;
using Proxy.Core.Diagnostics;

namespace Proxy.Sip.Parsing;

/// <summary>One owner. One SIP message in place; never outlives the bytes it was read from.</summary>
/// <remarks>RFC 3261 §7, §25. All fields are opaque bytes; nothing is decoded until asked for.</remarks>
public readonly ref struct SipMessageView
{
    private readonly ReadOnlySpan<byte> _headers;
    private readonly ReadOnlySpan<byte> _via;
    private readonly ReadOnlySpan<byte> _contact;
    private readonly ulong _present;

    internal SipMessageView(scoped in SipMessageParser parser)
    {
        Message = parser.Message;
        _headers = parser.Headers;
        _via = parser.Via;
        _contact = parser.Contact;
        _present = parser.Present;
        IsRequest = parser.IsRequest;
        MethodText = parser.Method;
        RequestUri = parser.RequestUri;
        StatusCode = parser.Status;
        ReasonPhrase = parser.Reason;
        CallId = parser.CallId;
        FromValue = parser.From;
        ToValue = parser.To;
        CSeqValue = parser.CSeq;
        ContentType = parser.ContentType;
        Body = parser.Body;
        MaxForwards = parser.MaxForwards;
    }

    /// <summary>The bytes it was read from, without leading line breaks and without what follows the body.</summary>
    public ReadOnlySpan<byte> Message { get; }

    public bool IsRequest { get; }

    public SipMethod Method => SipMethods.Identify(MethodText);

    public ReadOnlySpan<byte> MethodText { get; }

    public ReadOnlySpan<byte> RequestUri { get; }

    /// <summary>100–699; 0 for requests.</summary>
    public int StatusCode { get; }

    public ReadOnlySpan<byte> ReasonPhrase { get; }

    public ReadOnlySpan<byte> CallId { get; }

    public CSeqView CSeq => CSeqView.TryParse(CSeqValue, out CSeqView view) ? view : default;

    public NameAddrView From => NameAddrView.TryParse(FromValue, out NameAddrView view) ? view : default;

    public NameAddrView To => NameAddrView.TryParse(ToValue, out NameAddrView view) ? view : default;

    /// <summary>The first Via value; of a message that did not parse perhaps only its Host and Port.</summary>
    public ViaView TopVia
    {
        get
        {
            ViaView.TryParse(_via, out ViaView view);
            return view;
        }
    }

    /// <summary>Empty when absent.</summary>
    public ReadOnlySpan<byte> ContentType { get; }

    public ReadOnlySpan<byte> Body { get; }

    /// <summary>0–255; −1 when absent.</summary>
    public int MaxForwards { get; }

    internal ReadOnlySpan<byte> FromValue { get; }

    internal ReadOnlySpan<byte> ToValue { get; }

    internal ReadOnlySpan<byte> CSeqValue { get; }

    /// <summary>All fields in order: <c>foreach (SipHeaderView h in view.Headers)</c>.</summary>
    public SipHeaderEnumerator Headers => new(_headers);

    /// <summary>Reads a whole message: a datagram (octets after Content-Length are ignored), or one that the framer cut out.</summary>
    /// <param name="message">The bytes; any.</param>
    /// <param name="view">What was read; of a refused message the parts that could be read, for its 400.</param>
    /// <param name="error">The first error.</param>
    /// <param name="limits">Sizes; null for the defaults.</param>
    /// <returns>False when the message must be refused or dropped.</returns>
    [NoAlloc]
    public static bool TryParse(ReadOnlySpan<byte> message, out SipMessageView view, out SipParseError error, Limits? limits = null)
    {
        var parser = new SipMessageParser(message, limits ?? s_defaults);
        parser.Run();
        view = new SipMessageView(in parser);
        error = parser.Error;
        return error == SipParseError.None;
    }

    /// <summary>Whether the field is there, compact or long.</summary>
    [NoAlloc]
    public bool Has(SipHeaderId id) => (_present & (1UL << (int)id)) != 0;

    /// <summary>The value of the first such field, compact or long name; without surrounding white space, folds left in.</summary>
    [NoAlloc]
    public bool TryGetHeader(SipHeaderId id, out ReadOnlySpan<byte> value)
    {
        if (Has(id))
        {
            foreach (SipHeaderView header in Headers)
            {
                if (header.Id == id)
                {
                    value = header.Value;
                    return true;
                }
            }
        }
        value = default;
        return false;
    }

    /// <summary>The same by name, for fields that have no <see cref="SipHeaderId"/>; names compare without case.</summary>
    [NoAlloc]
    public bool TryGetHeader(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        SipHeaderId id = SipHeaderNames.Identify(name);
        if (id != SipHeaderId.Other)
        {
            return TryGetHeader(id, out value);
        }
        foreach (SipHeaderView header in Headers)
        {
            if (SipText.Same(header.Name, name))
            {
                value = header.Value;
                return true;
            }
        }
        value = default;
        return false;
    }

    /// <summary>The first Contact; false when absent, <c>*</c> or malformed.</summary>
    [NoAlloc]
    public bool TryGetContact(out NameAddrView contact) => NameAddrView.TryParse(_contact[..SipText.ItemLength(_contact)], out contact);

    /// <summary>Whether a field that lists option tags or types holds that token, in any of its lines.</summary>
    [NoAlloc]
    public bool ListContains(SipHeaderId id, ReadOnlySpan<byte> token)
    {
        if (!Has(id))
        {
            return false;
        }
        foreach (SipHeaderView header in Headers)
        {
            if (header.Id != id)
            {
                continue;
            }
            foreach (ReadOnlySpan<byte> item in new SipValueEnumerator(header.Value))
            {
                if (SipText.Same(item, token))
                {
                    return true;
                }
            }
        }
        return false;
    }

    /// <summary>The SDP: the body itself, or the first application/sdp part of a multipart body.</summary>
    /// <returns>False when there is none.</returns>
    [NoAlloc]
    public bool TryGetSdp(out ReadOnlySpan<byte> sdp)
    {
        sdp = default;
        if (Body.IsEmpty)
        {
            return false;
        }
        if (MediaType.Is(ContentType, "application/sdp"u8))
        {
            sdp = Body;
            return true;
        }
        if (!MediaType.IsMultipart(ContentType))
        {
            return false;
        }
        var parts = new MultipartReader(ContentType, Body);
        while (parts.MoveNext())
        {
            if (MediaType.Is(parts.ContentType, "application/sdp"u8))
            {
                sdp = parts.Part;
                return true;
            }
        }
        return false;
    }

    private static readonly Limits s_defaults = new();
}
