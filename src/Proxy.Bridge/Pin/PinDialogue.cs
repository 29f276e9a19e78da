using System;
using System.Collections.Generic;
using Proxy.Bridge.Media;
using Proxy.Core;
using Proxy.Core.Diagnostics;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Dispatch;

namespace Proxy.Bridge.Pin;

/// <summary>What a PIN dialogue wants done.</summary>
internal enum PinWish
{
    /// <summary>Play <see cref="PinOutput.Playback"/>.</summary>
    Play,

    /// <summary>The caller keys: the prompt stops.</summary>
    Quiet,

    /// <summary>Ask the policy about <see cref="PinOutput.Digits"/>, then call <see cref="PinDialogue.Judge"/>.</summary>
    Ask,

    /// <summary>Nothing was keyed for too long and too often.</summary>
    GiveUp,

    /// <summary>The goodbye is said.</summary>
    HangUp,
}

/// <summary>Signal thread. One wish. The digits are a secret: no log, no record.</summary>
internal readonly record struct PinOutput(PinWish Wish, Playback? Playback, string Digits)
{
    public override string ToString() => Wish.ToString();
}

/// <summary>
/// Signal thread. Asks one caller for a PIN: says the prompts, collects digits until <c>#</c>, the agreed length or a pause, and says
/// what came of it. Whether a PIN is right is the policy's.
/// </summary>
internal sealed class PinDialogue
{
    /// <summary>For a prompt whose end is not told because no audio runs.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(2);

    private readonly PinPrompt _how;
    private readonly CallPrompts _prompts;
    private readonly Queue<PinOutput> _outputs = new();
    private readonly char[] _digits;
    private Stage _stage = Stage.Idle;
    private MonoTime _promptUntil = MonoTime.Never;
    private MonoTime _attemptUntil = MonoTime.Never;
    private MonoTime _pauseUntil = MonoTime.Never;
    private bool? _isInfo;
    private bool _isComplete;
    private int _count;
    private int _number;
    private int _silences;
    private int _wrong;

    public PinDialogue(PinPrompt how, CallPrompts prompts, Limits limits)
    {
        _how = how;
        _prompts = prompts;
        // One more than a PIN may have, so that a longer one is seen to be wrong.
        _digits = new char[limits.PinDigits + 1];
    }

    private enum Stage
    {
        Idle,

        /// <summary>A prompt is heard.</summary>
        Saying,
        Listening,

        /// <summary>The policy is asked.</summary>
        Judging,

        /// <summary>The goodbye is heard.</summary>
        Parting,
        Over,
    }

    public MonoTime NextDeadline => MonoTime.Min(_promptUntil, MonoTime.Min(_attemptUntil, _pauseUntil));

    public void Begin(MonoTime now) => Say(_prompts.PinEnter, Stage.Saying, now);

    /// <summary>A digit came.</summary>
    /// <param name="isInfo">By SIP INFO; else as RFC 4733 event. A phone that sends both is heard once: the way of the first digit counts.</param>
    public void Press(char digit, bool isInfo, MonoTime now)
    {
        if (_stage is not (Stage.Saying or Stage.Listening) || (_isInfo ??= isInfo) != isInfo || _isComplete)
        {
            return;
        }
        if (digit == '#')
        {
            _isComplete = true;
        }
        else if (_count < _digits.Length)
        {
            _digits[_count++] = char.ToLowerInvariant(digit);
            _isComplete = _count == _how.Length;
        }
        if (_stage == Stage.Saying && _how.BargeIn)
        {
            _outputs.Enqueue(new PinOutput(PinWish.Quiet, null, ""));
            Listen(now);
        }
        else if (_stage == Stage.Listening)
        {
            _pauseUntil = now + _how.InterDigit;
            SubmitIfComplete();
        }
    }

    /// <summary>A playback ended.</summary>
    public void HandlePlayed(int number, MonoTime now)
    {
        if (number == _number && _stage == Stage.Saying)
        {
            Listen(now);
        }
        else if (number == _number && _stage == Stage.Parting)
        {
            Part();
        }
    }

    public void HandleTimeout(MonoTime now)
    {
        if (now >= _promptUntil)
        {
            HandlePlayed(_number, now);
        }
        if (_stage != Stage.Listening || (now < _pauseUntil && now < _attemptUntil))
        {
            return;
        }
        if (_count > 0)
        {
            _isComplete = true;
            SubmitIfComplete();
        }
        else
        {
            _silences++;
            AskAgain(_prompts.PinEnter, now);
        }
    }

    /// <summary>What the policy said about the digits.</summary>
    public void Judge(Verdict verdict, MonoTime now)
    {
        Invariant.Holds(_stage == Stage.Judging, "a PIN is judged once");
        if (verdict.Kind == VerdictKind.AskPin)
        {
            _wrong++;
            AskAgain(_prompts.PinWrong, now);
        }
        else if (verdict.Kind == VerdictKind.Reject && verdict.Code is RefusalCode.WrongPin or RefusalCode.PinLockedOut)
        {
            Say(_prompts.PinGoodbye, Stage.Parting, now);
        }
        else if (verdict.Kind == VerdictKind.Reject)
        {
            Part();
        }
        else
        {
            _stage = Stage.Over;
            Rest();
        }
    }

    public bool TryPoll(out PinOutput output) => _outputs.TryDequeue(out output);

    private void AskAgain(short[] prompt, MonoTime now)
    {
        if (_silences > 0 && _silences + _wrong >= _how.Attempts)
        {
            _stage = Stage.Over;
            Rest();
            _outputs.Enqueue(new PinOutput(PinWish.GiveUp, null, ""));
            return;
        }
        Say(prompt, Stage.Saying, now);
    }

    private void Say(short[] prompt, Stage stage, MonoTime now)
    {
        Rest();
        _isComplete = false;
        _stage = stage;
        _number++;
        _promptUntil = now.AddMillis(prompt.Length / 8) + s_grace;
        _outputs.Enqueue(new PinOutput(PinWish.Play, new Playback(prompt, _number), ""));
    }

    private void Listen(MonoTime now)
    {
        Rest();
        _stage = Stage.Listening;
        _attemptUntil = now + _how.Total;
        _pauseUntil = _count > 0 ? now + _how.InterDigit : MonoTime.Never;
        SubmitIfComplete();
    }

    private void SubmitIfComplete()
    {
        if (!_isComplete)
        {
            return;
        }
        Rest();
        _stage = Stage.Judging;
        _outputs.Enqueue(new PinOutput(PinWish.Ask, null, new string(_digits, 0, _count)));
        Array.Clear(_digits);
        _count = 0;
    }

    private void Part()
    {
        _stage = Stage.Over;
        Rest();
        _outputs.Enqueue(new PinOutput(PinWish.HangUp, null, ""));
    }

    private void Rest()
    {
        _promptUntil = MonoTime.Never;
        _attemptUntil = MonoTime.Never;
        _pauseUntil = MonoTime.Never;
    }
}
