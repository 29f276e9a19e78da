using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Proxy.Sip.Tests.Sim;

/// <summary>
/// One owner. A caller of one call, written from the RFC without a line of the product: text in, text out, own timers, and
/// whims (cancels, early BYE, lost ACKs, re-INVITEs, offers in PRACK and UPDATE, falling silent).
/// </summary>
internal sealed class SimCaller
{
    private readonly SimNetwork _net;
    private readonly Action<string> _send;
    private readonly string _callId;
    private readonly string _contact;
    private readonly Dictionary<string, string> _acks = [];
    private readonly HashSet<string> _answered = [];
    /// <summary>Whether the 2xx of a request (CSeq and method) has to describe the session.</summary>
    private readonly Dictionary<string, bool> _isDescribed = [];
    private readonly HashSet<string> _acknowledged = [];
    private readonly bool _isOfferless;
    private bool _isAgreedApart;
    private bool _mayBeAgreedApart;
    private string _toTag = "";
    private string _lastRequest = "";
    private int _cseq;
    private int _branch;
    private bool _isOver;

    public SimCaller(SimNetwork net, int number, Action<string> send)
    {
        _net = net;
        _send = send;
        _callId = $"sim-{number}";
        LosesAcks = net.Happens(30);
        IsSilentAfterAnswer = net.Happens(30);
        WantsReliable = net.Happens(250);
        _isOfferless = net.Happens(250);
        _contact = net.Happens(300) ? $"<sip:sim@host{net.Random.Next(4)}.example.com>" : "<sip:sim@192.0.2.10:5062>";
    }

    public string CallId => _callId;

    public bool LosesAcks { get; }

    public bool IsSilentAfterAnswer { get; private set; }

    public bool WantsReliable { get; }

    /// <summary>Final status codes seen, by CSeq of the INVITE.</summary>
    public Dictionary<int, HashSet<int>> Finals { get; } = [];

    public List<string> Complaints { get; } = [];

    public void Start()
    {
        string extra = WantsReliable ? "Require: 100rel\r\n" : "Supported: timer, 100rel\r\nSession-Expires: 120;refresher=" + (_net.Happens(500) ? "uac" : "uas") + "\r\nAllow: UPDATE\r\n";
        SendReliably(Request("INVITE", ++_cseq, NewBranch(), extra, _isOfferless ? "" : "v=0\r\n"), isInvite: true);
        if (_net.Happens(150))
        {
            int cseq = _cseq;
            string cancel = _lastRequest.Replace("INVITE", "CANCEL", StringComparison.Ordinal);
            cancel = cancel[..cancel.IndexOf("Require", StringComparison.Ordinal).OrElse(cancel.IndexOf("Supported", StringComparison.Ordinal))] + "Content-Length: 0\r\n\r\n";
            _net.After(_net.Random.Next(4_000), () => CancelIfPending(cseq, cancel));
        }
    }

    public void Receive(string message)
    {
        if (message.StartsWith("SIP/2.0 ", StringComparison.Ordinal))
        {
            ReceiveResponse(message);
        }
        else
        {
            ReceiveRequest(message);
        }
    }

    private void CancelIfPending(int cseq, string cancel)
    {
        if (_toTag.Length > 0 && !Finals.ContainsKey(cseq))
        {
            SendReliably(cancel, isInvite: false);
        }
    }

    private void ReceiveResponse(string message)
    {
        int status = int.Parse(message.AsSpan(8, 3), CultureInfo.InvariantCulture);
        string[] cseq = Sipside.Header(message, "CSeq").Split(' ');
        string to = Sipside.Header(message, "To");
        string tag = to.Contains(";tag=", StringComparison.Ordinal) ? to[(to.IndexOf(";tag=", StringComparison.Ordinal) + 5)..] : "";
        if (cseq[1] == "INVITE" && cseq[0] == "1" && status is not (>= 500 and < 600 or 481 or 482))
        {
            Check(_toTag.Length == 0 || _toTag == tag, $"To tag changed from {_toTag} to {tag}: {status}");
            _toTag = tag;
        }
        string key = cseq[0] + cseq[1];
        bool isNews = _answered.Add(key + (status >= 200 ? "!" : ""));
        bool hasBody = !message.EndsWith("\r\n\r\n", StringComparison.Ordinal);
        if (status is >= 200 and < 300 && _isDescribed.TryGetValue(key, out bool isDescribed))
        {
            Check(hasBody == isDescribed, $"200 to {key} {(hasBody ? "has" : "lacks")} a description");
        }
        if (cseq[1] == "PRACK" && isNews && status == 200 && _net.Happens(300))
        {
            OfferEarly();
        }
        if (cseq[1] == "INVITE" && status is > 100 and < 200)
        {
            ReceiveProvisional(message, hasBody);
        }
        if (cseq[1] == "INVITE" && status >= 200)
        {
            ReceiveFinal(message, int.Parse(cseq[0], CultureInfo.InvariantCulture), status);
        }
    }

    private void ReceiveProvisional(string message, bool hasBody)
    {
        string rseq = Sipside.Header(message, "RSeq");
        Check(rseq.Length > 0 || !_isOfferless || !hasBody, "an offer that nobody acknowledges");
        Check(rseq.Length == 0 || !_isOfferless || hasBody || _isAgreedApart, "a first reliable response without an offer");
        if (_net.Happens(20))
        {
            // Too early, or not: whatever comes back, the call goes on.
            _mayBeAgreedApart = true;
            InDialog("UPDATE", "v=0\r\n");
        }
        if (rseq.Length == 0 || !_acknowledged.Add(rseq))
        {
            return;
        }
        bool isAnswer = _isOfferless && !_isAgreedApart;
        bool isOffer = !isAnswer && hasBody && _net.Happens(300);
        _isAgreedApart |= isAnswer || isOffer;
        int cseq = ++_cseq;
        _isDescribed[cseq + "PRACK"] = isOffer;
        SendReliably(Request("PRACK", cseq, NewBranch(), $"RAck: {rseq} 1 INVITE\r\n", isAnswer || isOffer ? "v=0\r\n" : ""), isInvite: false);
    }

    /// <summary>The first exchange is over, and its PRACK is answered: now an UPDATE may offer (RFC 3311 §5.1).</summary>
    private void OfferEarly()
    {
        if (_isOver || Finals.Count > 0)
        {
            return;
        }
        _mayBeAgreedApart = true;
        _isDescribed[_cseq + 1 + "UPDATE"] = true;
        InDialog("UPDATE", "v=0\r\n");
    }

    private void ReceiveFinal(string message, int cseq, int status)
    {
        if (!Finals.TryGetValue(cseq, out HashSet<int>? statuses))
        {
            Finals[cseq] = statuses = [];
        }
        bool isNew = statuses.Add(status);
        bool hasBody = !message.EndsWith("\r\n\r\n", StringComparison.Ordinal);
        Check(status >= 300 || cseq > 1 || _mayBeAgreedApart || hasBody != _isAgreedApart, $"200 to the INVITE {(hasBody ? "has" : "lacks")} a description");
        Check(statuses.Count == 1, $"CSeq {cseq} has finals {string.Join(',', statuses)}");
        if (status < 300 && LosesAcks)
        {
            return;
        }
        string key = cseq + "/" + status;
        if (!_acks.TryGetValue(key, out string? ack))
        {
            string branch = status < 300 ? NewBranch() : Sipside.Header(message, "Via").Split("branch=")[1].Split(';')[0];
            _acks[key] = ack = Request("ACK", cseq, branch, "", cseq == 1 && status < 300 && _isOfferless && !_isAgreedApart ? "v=0\r\n" : "");
        }
        _send(ack);
        if (isNew && status < 300 && cseq == 1)
        {
            BeConnected();
        }
    }

    private void BeConnected()
    {
        if (IsSilentAfterAnswer)
        {
            return;
        }
        int whim = _net.Random.Next(1000);
        if (whim < 300)
        {
            _net.After(_net.Random.Next(20_000), () => InDialog("INVITE", "v=0\r\n", isInvite: true));
        }
        if (whim is > 200 and < 400)
        {
            _net.After(_net.Random.Next(20_000), () => InDialog("UPDATE", ""));
            _net.After(_net.Random.Next(20_000), () => InDialog("INFO", "x"));
        }
        if (whim < 700)
        {
            _net.After(_net.Random.Next(30_000), HangUp);
        }
    }

    private void HangUp()
    {
        if (!_isOver)
        {
            InDialog("BYE", "");
            _isOver = true;
        }
    }

    private void InDialog(string method, string body, bool isInvite = false)
    {
        if (!_isOver)
        {
            SendReliably(Request(method, ++_cseq, NewBranch(), body == "x" ? "Content-Type: text/plain\r\n" : "", body), isInvite);
        }
    }

    private void ReceiveRequest(string message)
    {
        string method = message[..message.IndexOf(' ')];
        if (method == "ACK" || IsSilentAfterAnswer)
        {
            return;
        }
        string status = method switch
        {
            "INVITE" when _net.Happens(200) => "488 No",
            "REFER" => "202 Accepted",
            _ => "200 OK",
        };
        // A call that was refused or never answered has no dialog that its peer could speak in.
        _isOver |= method == "BYE";
        _send(Sipside.Answer(message, status, $"Contact: {_contact}\r\n", method == "INVITE" && status[0] == '2' ? "v=0\r\n" : ""));
    }

    /// <summary>Timers A/B and E/F.</summary>
    private void SendReliably(string request, bool isInvite)
    {
        _lastRequest = request;
        string key = Sipside.Header(request, "CSeq").Replace(" ", "", StringComparison.Ordinal);
        Repeat(request, key, isInvite, 500, _net.Now + 32_000);
    }

    private void Repeat(string request, string key, bool isInvite, long interval, long until)
    {
        if (_net.Now >= until || _answered.Contains(key + "!") || (isInvite && _answered.Contains(key)))
        {
            return;
        }
        _send(request);
        _net.After(interval, () => Repeat(request, key, isInvite, isInvite ? interval * 2 : Math.Min(interval * 2, 4_000), until));
    }

    private string Request(string method, int cseq, string branch, string extra = "", string body = "") =>
        Sipside.Invite(branch, _callId, "sim", _toTag, cseq, extra, body, contact: _contact, method: method);

    private string NewBranch() => $"z9hG4bKsim{_callId}{++_branch}";

    private void Check(bool holds, string complaint)
    {
        if (!holds)
        {
            Complaints.Add($"{_callId}: {complaint}");
        }
    }
}

internal static class SimIntegers
{
    /// <summary>The first index that is one.</summary>
    public static int OrElse(this int index, int other) => index >= 0 ? index : other;
}
