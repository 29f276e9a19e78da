using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Core.Time;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;

namespace Proxy.Sip.Tests.Sim;

/// <summary>One owner. Plays the bridge with whims: rejects, rings, answers late, hangs up, re-INVITEs, transfers.</summary>
internal sealed class SimOwner(SimNetwork net)
{
    /// <summary>A maximum duration as the bridge has one: also an early dialog comes to its end.</summary>
    private const long LongestCallMs = 400_000;
    private readonly HashSet<string> _calls = [];
    private readonly Dictionary<SipDialog, int> _ends = [];

    public List<string> Complaints { get; } = [];

    public int Calls => _calls.Count;

    /// <summary>Calls that have had exactly one end.</summary>
    public int Ended => _ends.Values.Count(n => n == 1);

    private MonoTime Now => MonoTime.FromMillis(net.Now);

    public void Handle(in SipEvent e)
    {
        SipDialog dialog = e.Dialog;
        Check(e.Kind == SipEventKind.Invite || _ends.ContainsKey(dialog), $"event {e.Kind} of an unknown call");
        Check(e.Kind is SipEventKind.Invite || _ends[dialog] == 0, $"event {e.Kind} after the end");
        switch (e.Kind)
        {
            case SipEventKind.Invite:
                SipMessageView.TryParse(e.RequestBytes, out SipMessageView view, out _);
                Check(_calls.Add(System.Text.Encoding.ASCII.GetString(view.CallId)), "a second call of one INVITE");
                _ends[dialog] = 0;
                Decide(dialog);
                net.After(LongestCallMs, () => HangUp(dialog));
                break;
            case SipEventKind.Cancelled or SipEventKind.ByeReceived or SipEventKind.ByeFinished or SipEventKind.PrackTimeout:
                End(dialog);
                break;
            case SipEventKind.Confirmed:
                BeConnected(dialog);
                break;
            case SipEventKind.AckTimeout or SipEventKind.SessionExpired:
                dialog.Bye("SIP;cause=408"u8, default, Now);
                break;
            case SipEventKind.ReInvite or SipEventKind.Update or SipEventKind.Info or SipEventKind.Prack when !e.Request.IsNone:
                Answer(dialog, e.Request, e.Kind);
                break;
        }
    }

    private void Answer(SipDialog dialog, Proxy.Core.Collections.SlotId request, SipEventKind kind)
    {
        int status = kind != SipEventKind.Prack && net.Happens(100) ? 488 : 200;
        net.After(net.Random.Next(800), () => dialog.Respond(request, status, kind == SipEventKind.Info || status != 200 ? default : "v=0\r\n"u8, default, Now));
    }

    private void Decide(SipDialog dialog)
    {
        int whim = net.Random.Next(1000);
        if (whim < 100)
        {
            Reject(dialog);
        }
        else if (whim < 200)
        {
            net.After(net.Random.Next(6_000), () => Reject(dialog));
        }
        else if (whim < 400)
        {
            dialog.Accept("v=0\r\n"u8, default, Now);
        }
        else
        {
            dialog.Ring(Now, "v=0\r\n"u8);
            net.After(1_000, () => dialog.Ring(Now, "v=0\r\n"u8));
            if (whim < 500)
            {
                net.After(net.Random.Next(2_000), () => dialog.Progress("v=0\r\n"u8, Now));
            }
            net.After(net.Random.Next(8_000), () => dialog.Accept("v=0\r\n"u8, default, Now));
        }
    }

    private void Reject(SipDialog dialog)
    {
        if (dialog.Reject(486, default, default, Now))
        {
            End(dialog);
        }
    }

    private void HangUp(SipDialog dialog)
    {
        bool isEarly = dialog.State == SipDialogState.Early;
        if (dialog.Bye(default, default, Now) && isEarly)
        {
            End(dialog);
        }
    }

    private void BeConnected(SipDialog dialog)
    {
        if (net.Happens(300))
        {
            net.After(net.Random.Next(10_000), () => dialog.Invite("v=1\r\n"u8, default, Now));
        }
        if (net.Happens(100))
        {
            net.After(net.Random.Next(10_000), () => dialog.Refer("tel:+1555"u8, default, Now));
        }
        if (net.Happens(500))
        {
            net.After(net.Random.Next(25_000), () => dialog.Bye("Q.850;cause=16"u8, default, Now));
        }
    }

    private void End(SipDialog dialog)
    {
        Check(++_ends[dialog] == 1, "a second end");
    }

    private void Check(bool holds, string complaint)
    {
        if (!holds)
        {
            Complaints.Add(complaint);
        }
    }
}
