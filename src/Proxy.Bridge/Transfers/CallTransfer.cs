using System;
using System.Collections.Generic;
using System.Text;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Sip;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;
using Proxy.Sip.Writing;

namespace Proxy.Bridge.Transfers;

/// <summary>What a transfer wants its call to do.</summary>
internal enum TransferWish
{
    /// <summary>The caller hears ringing.</summary>
    Ring,

    /// <summary>No transfer came about: the caller hears the room again.</summary>
    Resume,

    /// <summary>The outcome is known: it is to be recorded.</summary>
    Note,

    /// <summary>The target took the call, and the caller's side did not hang up by itself.</summary>
    HangUp,
}

/// <summary>Signal thread. One blind transfer of a call: REFER, what NOTIFY tells of it, and the BYE at its end.</summary>
/// <remarks>RFC 3515 §2.4; RFC 5589 §6.1: the transferor ends its call when the transfer succeeded.</remarks>
internal sealed class CallTransfer
{
    /// <summary>The caller's side is given that long to hang up first.</summary>
    private static readonly TimeSpan s_parting = TimeSpan.FromSeconds(1);
    /// <summary>After a subscription that ended without a result: its BYE may be under way.</summary>
    private static readonly TimeSpan s_lastWord = TimeSpan.FromSeconds(5);

    private static ReadOnlySpan<byte> IdAlphabet => "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyzabcdefg"u8;

    private readonly TransferRequest _request;
    private readonly List<Action<TransferOutcome>> _waiting = [];
    private readonly Queue<TransferWish> _wishes = new();
    private MonoTime _giveUpAt;
    private MonoTime _hangUpAt = MonoTime.Never;
    private bool _isSent;
    private bool _isUnreported;

    public CallTransfer(TransferRequest request, TimeSpan timeout, IRandom random, MonoTime now)
    {
        _request = request;
        _giveUpAt = now + timeout;
        Id = NewId(random);
        if (request.PlaysRinging)
        {
            _wishes.Enqueue(TransferWish.Ring);
        }
    }

    public string Id { get; }

    public string Target => _request.Target;

    /// <summary>The REFER was taken: the call's end is part of the transfer now.</summary>
    public bool IsAccepted { get; private set; }

    /// <summary>The caller's side works on it: it may have put the caller on hold, and send nothing meanwhile.</summary>
    public bool IsPending => IsAccepted && Outcome is null;

    /// <summary>Null while it is under way.</summary>
    public TransferOutcome? Outcome { get; private set; }

    /// <summary>Under way, or done and about to hang up.</summary>
    public bool IsOpen => Outcome is null || !_hangUpAt.IsNever;

    /// <summary>The earliest time at which <see cref="HandleTimeout"/> has work.</summary>
    public MonoTime NextDeadline => Outcome is null ? _giveUpAt : _hangUpAt;

    /// <param name="done">Hears the outcome, once.</param>
    public void Await(Action<TransferOutcome> done)
    {
        if (Outcome is { } outcome)
        {
            done(outcome);
            return;
        }
        _waiting.Add(done);
    }

    /// <summary>Sends the REFER, unless it is sent already.</summary>
    /// <param name="dialog">Confirmed, its ACK there.</param>
    /// <param name="mapped">Whole header lines beside those of the request.</param>
    /// <param name="now">The time of this turn.</param>
    public void Send(SipDialog dialog, ReadOnlySpan<byte> mapped, MonoTime now)
    {
        if (_isSent || Outcome is not null)
        {
            return;
        }
        _isSent = true;
        Span<byte> buffer = stackalloc byte[CallHeaders.Max];
        var lines = new SipHeaderLines(buffer);
        foreach (KeyValuePair<string, string> header in _request.Headers)
        {
            CallHeaders.Add(ref lines, header.Key, header.Value);
        }
        lines.AddLines(mapped);
        if (!dialog.Refer(Encoding.UTF8.GetBytes(_request.Target), lines.Written, now))
        {
            Finish(TransferResult.Refused, 503, "the REFER could not be sent");
        }
    }

    /// <summary>An event of the call's dialog; those that are not about the REFER are passed over.</summary>
    public void HandleSip(in SipEvent e, MonoTime now)
    {
        if (Outcome is not null)
        {
            return;
        }
        bool isOfRefer = e.Method == SipMethod.Refer;
        switch (e.Kind)
        {
            case SipEventKind.RequestSucceeded when isOfRefer:
                IsAccepted = true;
                break;
            case SipEventKind.RequestFailed when isOfRefer:
                bool isThere = SipMessageView.TryParse(e.RequestBytes, out SipMessageView response, out _);
                Finish(TransferResult.Refused, e.Status, Phrase(isThere ? response.ReasonPhrase : default, e.Status));
                break;
            case SipEventKind.NotifyReceived:
                HandleNotify(e, now);
                break;
            default:
                break;
        }
    }

    /// <summary>The call ends, whoever ends it.</summary>
    public void HandleCallEnded()
    {
        _hangUpAt = MonoTime.Never;
        if (Outcome is null)
        {
            Finish(IsAccepted ? TransferResult.CallEnded : TransferResult.Cancelled, 0, "");
        }
    }

    public void HandleTimeout(MonoTime now)
    {
        if (Outcome is null && now >= _giveUpAt)
        {
            Finish(_isUnreported ? TransferResult.Unreported : TransferResult.TimedOut, 0, "");
        }
        else if (now >= _hangUpAt)
        {
            _hangUpAt = MonoTime.Never;
            _wishes.Enqueue(TransferWish.HangUp);
        }
    }

    public bool TryPoll(out TransferWish wish) => _wishes.TryDequeue(out wish);

    /// <summary>A NOTIFY shows that the REFER was taken, even if its 202 is still under way (RFC 3515 §2.4.4).</summary>
    private void HandleNotify(in SipEvent e, MonoTime now)
    {
        IsAccepted = true;
        if (e.Status < 200)
        {
            if (e.IsLast)
            {
                _isUnreported = true;
                _giveUpAt = MonoTime.Min(_giveUpAt, now + s_lastWord);
            }
            return;
        }
        bool isThere = SipMessageView.TryParse(e.RequestBytes, out SipMessageView notify, out _);
        string phrase = Phrase(isThere ? SipFragment.Reason(notify.Body) : default, e.Status);
        if (e.Status >= 300)
        {
            Finish(TransferResult.Failed, e.Status, phrase);
            return;
        }
        _hangUpAt = now + s_parting;
        Finish(TransferResult.Completed, e.Status, phrase);
    }

    private void Finish(TransferResult result, int status, string phrase)
    {
        var outcome = new TransferOutcome(Id, result, status, phrase);
        Outcome = outcome;
        if (result is not (TransferResult.Completed or TransferResult.CallEnded) && _request.PlaysRinging)
        {
            _wishes.Enqueue(TransferWish.Resume);
        }
        _wishes.Enqueue(TransferWish.Note);
        foreach (Action<TransferOutcome> done in _waiting)
        {
            done(outcome);
        }
        _waiting.Clear();
    }

    /// <summary>The phrase on the wire, the usual one where there is none; not endless, nothing in it that a terminal would obey.</summary>
    private static string Phrase(ReadOnlySpan<byte> wire, int status)
    {
        ReadOnlySpan<byte> phrase = wire.IsEmpty ? ReasonPhrases.Of(status) : wire[..Math.Min(wire.Length, 128)];
        Span<char> text = stackalloc char[128];
        int length = Encoding.UTF8.GetChars(phrase, text);
        foreach (ref char c in text[..length])
        {
            c = char.IsControl(c) ? '?' : c;
        }
        return text[..length].ToString();
    }

    /// <summary><c>STR_</c> and twelve characters.</summary>
    public static string NewId(IRandom random)
    {
        Span<byte> bytes = stackalloc byte[12];
        random.Fill(bytes);
        Span<char> text = stackalloc char[12];
        for (int i = 0; i < text.Length; i++)
        {
            text[i] = (char)IdAlphabet[bytes[i] & 63];
        }
        return "STR_" + text.ToString();
    }
}
