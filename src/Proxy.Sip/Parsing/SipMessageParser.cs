using System;
using Proxy.Core;

namespace Proxy.Sip.Parsing;

/// <summary>
/// One owner. The one pass over a message that <see cref="SipMessageView"/> is made from. It notes the first error and reads
/// on, so that a refused request can still be answered.
/// </summary>
internal ref struct SipMessageParser
{
    private const int FoldsMax = 16;
    private const int ViasMax = 64;
    private const int UriMax = 2_048;
    private const int MethodMax = 64;

    /// <summary>Fields that stand at most once and are acted on: what a proxy checked must be what we use.</summary>
    private static readonly ulong s_singletons = Mask(SipHeaderId.From) | Mask(SipHeaderId.To) | Mask(SipHeaderId.CallId) | Mask(SipHeaderId.CSeq)
        | Mask(SipHeaderId.MaxForwards) | Mask(SipHeaderId.ContentLength) | Mask(SipHeaderId.ContentType) | Mask(SipHeaderId.Event)
        | Mask(SipHeaderId.SubscriptionState) | Mask(SipHeaderId.ReferTo) | Mask(SipHeaderId.Replaces) | Mask(SipHeaderId.SessionExpires)
        | Mask(SipHeaderId.MinSE) | Mask(SipHeaderId.RAck) | Mask(SipHeaderId.RSeq);

    private readonly Limits _limits;
    private ReadOnlySpan<byte> _contentLength;
    private ReadOnlySpan<byte> _rest;
    private int _vias;

    public SipMessageParser(ReadOnlySpan<byte> message, Limits limits)
    {
        Message = message.TrimStart("\r\n"u8);
        _limits = limits;
        MaxForwards = -1;
    }

    public ReadOnlySpan<byte> Message { get; private set; }

    public ReadOnlySpan<byte> Headers { get; private set; }

    public ReadOnlySpan<byte> Method { get; private set; }

    public ReadOnlySpan<byte> RequestUri { get; private set; }

    public ReadOnlySpan<byte> Reason { get; private set; }

    public ReadOnlySpan<byte> Via { get; private set; }

    public ReadOnlySpan<byte> From { get; private set; }

    public ReadOnlySpan<byte> To { get; private set; }

    public ReadOnlySpan<byte> CallId { get; private set; }

    public ReadOnlySpan<byte> CSeq { get; private set; }

    public ReadOnlySpan<byte> Contact { get; private set; }

    public ReadOnlySpan<byte> ContentType { get; private set; }

    public ReadOnlySpan<byte> Body { get; private set; }

    public ulong Present { get; private set; }

    public int Status { get; private set; }

    public int MaxForwards { get; private set; }

    public bool IsRequest { get; private set; }

    public SipParseError Error { get; private set; }

    public void Run()
    {
        if (Message.Length > _limits.SipMessageBytes)
        {
            Note(SipParseError.TooLong);
        }
        int lineEnd = Message.IndexOf((byte)'\n');
        ReadOnlySpan<byte> line = lineEnd < 0 ? Message : Message[..lineEnd];
        if (line.EndsWith("\r"u8))
        {
            line = line[..^1];
        }
        else
        {
            Note(lineEnd < 0 ? SipParseError.NoHeaderEnd : SipParseError.BareLineFeed);
        }
        if (!TryReadStartLine(line))
        {
            Error = SipParseError.NotSip;
            return;
        }
        _rest = lineEnd < 0 ? default : Message[(lineEnd + 1)..];
        ReadHeaders();
        CheckMandatory();
        ReadBody();
    }

    private static ulong Mask(SipHeaderId id) => 1UL << (int)id;

    private void Note(SipParseError error)
    {
        if (Error == SipParseError.None)
        {
            Error = error;
        }
    }

    /// <returns>False when it is no SIP at all.</returns>
    private bool TryReadStartLine(ReadOnlySpan<byte> line)
    {
        if (line.Length > 4 && SipText.Same(line[..4], "SIP/"u8))
        {
            ReadStatusLine(line);
            return true;
        }
        IsRequest = true;
        int first = line.IndexOf((byte)' ');
        int last = line.LastIndexOf("SIP/"u8);
        last = last < 0 ? line.LastIndexOf("sip/"u8) : last;
        if (first <= 0 || first > MethodMax || last <= first || line[last - 1] != (byte)' ')
        {
            return false;
        }
        Method = line[..first];
        RequestUri = last - 1 > first ? line[(first + 1)..(last - 1)] : default;
        if (line.Length > _limits.SipHeaderBytes)
        {
            Note(SipParseError.HeaderTooLong);
        }
        CheckVersion(line[last..]);
        if (!SipText.IsToken(Method) || RequestUri.ContainsAny((byte)' ', (byte)'\t'))
        {
            Note(SipParseError.BadStartLine);
        }
        CheckRequestUri();
        return true;
    }

    /// <summary>Status-Line = SIP-Version SP Status-Code SP Reason-Phrase.</summary>
    private void ReadStatusLine(ReadOnlySpan<byte> line)
    {
        int space = line.IndexOf((byte)' ');
        CheckVersion(space < 0 ? line : line[..space]);
        ReadOnlySpan<byte> rest = space < 0 ? default : line[(space + 1)..];
        if (rest.Length < 3 || !SipText.TryReadNumber(rest[..3], 699, out long status) || status < 100 || (rest.Length > 3 && rest[3] != (byte)' '))
        {
            Note(SipParseError.BadStatus);
            return;
        }
        Status = (int)status;
        Reason = rest.Length > 4 ? rest[4..] : default;
    }

    private void CheckVersion(ReadOnlySpan<byte> version)
    {
        if (SipText.Same(version, "SIP/2.0"u8))
        {
            return;
        }
        ReadOnlySpan<byte> number = version[4..];
        bool isVersion = number.Length is >= 3 and <= 8 && number.Contains((byte)'.') && !number.ContainsAnyExcept("0123456789."u8);
        Note(isVersion ? SipParseError.UnsupportedVersion : SipParseError.BadStartLine);
    }

    private void CheckRequestUri()
    {
        bool isSip = SipUriView.SchemeOf(RequestUri) is SipUriScheme.Sip or SipUriScheme.Sips;
        if (!SipUriView.HasScheme(RequestUri) || RequestUri.Length > UriMax || RequestUri.ContainsAny("<>\""u8)
            || (isSip && (!SipUriView.TryParse(RequestUri, out SipUriView uri) || !uri.Headers.IsEmpty)))
        {
            Note(SipParseError.BadRequestUri);
        }
    }

    private void ReadHeaders()
    {
        ReadOnlySpan<byte> all = _rest;
        int count = 0;
        while (true)
        {
            if (_rest.StartsWith("\r\n"u8) || _rest.StartsWith("\n"u8))
            {
                Headers = all[..(all.Length - _rest.Length)];
                _rest = _rest[(_rest[0] == (byte)'\r' ? 2 : 1)..];
                return;
            }
            if (_rest.IsEmpty)
            {
                Note(SipParseError.NoHeaderEnd);
                Headers = all;
                return;
            }
            if (++count > _limits.SipHeaders)
            {
                Note(SipParseError.TooManyHeaders);
                Headers = all[..(all.Length - _rest.Length)];
                _rest = default;
                return;
            }
            int length = SipHeaderEnumerator.FieldLength(_rest);
            ReadField(_rest[..length]);
            _rest = _rest[length..];
        }
    }

    private void ReadField(ReadOnlySpan<byte> field)
    {
        if (field.Length > _limits.SipHeaderBytes)
        {
            // Its value is not looked at: a Via of 64 KiB with as many parameters cost 5 ms of CPU (found by fuzz).
            Note(SipParseError.HeaderTooLong);
            return;
        }
        CheckLineEnds(field);
        int colon = field.IndexOf((byte)':');
        ReadOnlySpan<byte> name = colon <= 0 ? default : field[..colon].TrimEnd(" \t"u8);
        if (!SipText.IsToken(name))
        {
            Note(SipParseError.BadHeader);
            return;
        }
        SipHeaderId id = SipHeaderNames.Identify(name);
        ulong mask = Mask(id);
        bool isSecond = (Present & mask) != 0;
        Present |= mask;
        if (isSecond && (s_singletons & mask) != 0)
        {
            Note(SipParseError.DuplicateHeader);
        }
        else if (id != SipHeaderId.Other)
        {
            Keep(id, isSecond, SipText.Trim(field[(colon + 1)..]));
        }
    }

    /// <summary>Every line feed of a field follows a carriage return, and the other way round.</summary>
    private void CheckLineEnds(ReadOnlySpan<byte> field)
    {
        int folds = 0;
        ReadOnlySpan<byte> rest = field;
        while (!rest.IsEmpty)
        {
            int at = rest.IndexOfAny((byte)'\r', (byte)'\n');
            if (at < 0)
            {
                Note(SipParseError.NoHeaderEnd);
                return;
            }
            if (rest[at] == (byte)'\n' || at + 1 == rest.Length || rest[at + 1] != (byte)'\n')
            {
                Note(SipParseError.BareLineFeed);
                return;
            }
            rest = rest[(at + 2)..];
            folds++;
        }
        if (folds - 1 > FoldsMax)
        {
            Note(SipParseError.HeaderTooLong);
        }
    }

    private void Keep(SipHeaderId id, bool isSecond, ReadOnlySpan<byte> value)
    {
        switch (id)
        {
            case SipHeaderId.Via:
                if (!isSecond)
                {
                    Via = value[..SipText.ItemLength(value)];
                }
                CountVias(value);
                break;
            case SipHeaderId.From:
                From = value;
                break;
            case SipHeaderId.To:
                To = value;
                break;
            case SipHeaderId.CallId:
                CallId = value;
                break;
            case SipHeaderId.CSeq:
                CSeq = value;
                break;
            case SipHeaderId.Contact when !isSecond:
                Contact = value;
                break;
            case SipHeaderId.ContentType:
                ContentType = value;
                break;
            case SipHeaderId.ContentLength:
                _contentLength = value;
                break;
            case SipHeaderId.MaxForwards:
                MaxForwards = SipText.TryReadNumber(value, 255, out long hops) ? (int)hops : -1;
                if (MaxForwards < 0)
                {
                    Note(SipParseError.BadMaxForwards);
                }
                break;
            case SipHeaderId.Route or SipHeaderId.RecordRoute:
                CheckRoutes(value);
                break;
        }
    }

    private void CountVias(ReadOnlySpan<byte> value)
    {
        foreach (ReadOnlySpan<byte> _ in new SipValueEnumerator(value))
        {
            _vias++;
        }
        if (_vias > ViasMax)
        {
            Note(SipParseError.TooManyVias);
        }
    }

    private void CheckRoutes(ReadOnlySpan<byte> value)
    {
        int count = 0;
        foreach (ReadOnlySpan<byte> item in new SipValueEnumerator(value))
        {
            if (++count > ViasMax || !NameAddrView.TryParse(item, out _))
            {
                Note(SipParseError.BadRoute);
                return;
            }
        }
    }

    private void CheckMandatory()
    {
        if (Via.IsEmpty)
        {
            Note(SipParseError.MissingVia);
        }
        else if (!ViaView.TryParse(Via, out _))
        {
            Note(SipParseError.BadVia);
        }
        CheckAddress(From, SipParseError.MissingFrom, SipParseError.BadFrom);
        CheckAddress(To, SipParseError.MissingTo, SipParseError.BadTo);
        if (CallId.IsEmpty)
        {
            Note((Present & Mask(SipHeaderId.CallId)) == 0 ? SipParseError.MissingCallId : SipParseError.BadCallId);
        }
        else if (SipText.HasSpace(CallId))
        {
            Note(SipParseError.BadCallId);
        }
        CheckCSeq();
        CheckContact();
    }

    private void CheckAddress(ReadOnlySpan<byte> value, SipParseError missing, SipParseError bad)
    {
        if (value.IsEmpty)
        {
            Note(missing);
        }
        else if (!NameAddrView.TryParse(value, out _))
        {
            Note(bad);
        }
    }

    private void CheckCSeq()
    {
        if (CSeq.IsEmpty)
        {
            Note(SipParseError.MissingCSeq);
        }
        else if (!CSeqView.TryParse(CSeq, out CSeqView cseq))
        {
            Note(SipParseError.BadCSeq);
        }
        else if (IsRequest && !cseq.MethodText.SequenceEqual(Method))
        {
            Note(SipParseError.CSeqMethodMismatch);
        }
    }

    /// <summary>INVITE needs one (§8.1.1.8): without it nothing in the dialog finds the caller.</summary>
    private void CheckContact()
    {
        if (!IsRequest || !Method.SequenceEqual("INVITE"u8))
        {
            return;
        }
        if (Contact.IsEmpty)
        {
            // RFC 2543 callers may leave it out; their From URI is the target then.
            if (ViaView.TryParse(Via, out ViaView via) && via.HasMagicCookie)
            {
                Note(SipParseError.MissingContact);
            }
        }
        else if (!NameAddrView.TryParse(Contact[..SipText.ItemLength(Contact)], out _))
        {
            Note(SipParseError.BadContact);
        }
    }

    private void ReadBody()
    {
        Body = _rest;
        if ((Present & Mask(SipHeaderId.ContentLength)) == 0)
        {
            return;
        }
        if (!SipText.TryReadNumber(_contentLength, int.MaxValue, out long length))
        {
            Note(SipParseError.BadContentLength);
            Body = default;
        }
        else if (length > _rest.Length)
        {
            Note(SipParseError.ContentLengthBeyondEnd);
        }
        else
        {
            Body = _rest[..(int)length];
            Message = Message[..(Message.Length - _rest.Length + (int)length)];
        }
    }
}
