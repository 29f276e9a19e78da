using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;

namespace Proxy.Load;

internal enum CallStage
{
    Waiting,
    Inviting,
    Up,
    Ending,
    Done,
}

/// <summary>One call of the generator: a deliberately small caller that shares no code with the product.</summary>
internal sealed class LoadCall
{
    private readonly LoadOptions _options;
    private readonly int _sipPort;
    private readonly int _rtpPort;
    private readonly string _branch = "z9hG4bK" + Guid.NewGuid().ToString("N")[..16];
    private readonly string _tag = Guid.NewGuid().ToString("N")[..10];
    private string _toTag = "";
    private string _contact = "";
    private long _nextSend;
    private uint? _lastEvent;
    private long _interval;

    public LoadCall(LoadOptions options, int number, int sipPort, int rtpPort)
    {
        _options = options;
        Number = number;
        _sipPort = sipPort;
        _rtpPort = rtpPort;
        CallId = $"load-{number}-{Guid.NewGuid():N}";
        Uri = $"sip:{options.To.Replace("{n}", number.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)}@{options.Target}";
        Tone = new ToneMeter(options.HearHz, options.PayloadType);
        Echo = new ToneMeter(options.SendHz, options.PayloadType);
    }

    public int Number { get; }

    public string CallId { get; }

    public string Uri { get; }

    public CallStage Stage { get; private set; }

    public long InvitedAt { get; private set; }

    public long TryingAt { get; private set; }

    public long RingingAt { get; private set; }

    public long AnsweredAt { get; private set; }

    public int FinalStatus { get; private set; }

    public string FinalReason { get; private set; } = "";

    public bool EndedByPeer { get; private set; }

    public string EndReason { get; private set; } = "";

    public IPEndPoint? Media { get; private set; }

    public ToneMeter Tone { get; }

    /// <summary>Our own tone, should somebody send it back.</summary>
    public ToneMeter Echo { get; }

    /// <summary>Interarrival jitter of what came, milliseconds (RFC 3550 §6.4.1).</summary>
    public double JitterMs { get; set; }

    public long PacketsOut { get; set; }

    public long PacketsIn { get; set; }

    public long FirstPacketAt { get; set; }

    public long LastPacketAt { get; set; }

    public string Codec { get; private set; } = "";

    public long LongestGap { get; set; }

    public int NextSequence { get; set; } = -1;

    public long Lost { get; set; }

    /// <summary>Digits that came back as RFC 4733 events, one for each timestamp.</summary>
    public string Digits { get; private set; } = "";

    public Action<string, string>? Ladder { get; set; }

    public void HearEvent(uint timestamp, int code)
    {
        if (timestamp != _lastEvent && code < 16)
        {
            _lastEvent = timestamp;
            Digits += "0123456789*#ABCD"[code];
        }
    }

    public void Invite(long now, Action<byte[]> send)
    {
        Stage = CallStage.Inviting;
        InvitedAt = now;
        _interval = Stopwatch.Frequency / 2;
        _nextSend = now + _interval;
        Ladder?.Invoke("->", "INVITE " + Uri);
        send(BuildInvite());
    }

    /// <summary>Somebody else signals: the call is up as soon as its first packet shows where its media is.</summary>
    public void Adopt(IPEndPoint media, long now)
    {
        Media = media;
        AnsweredAt = now;
        FinalStatus = 200;
        Stage = CallStage.Up;
    }

    public void Tick(long now, Action<byte[]> send)
    {
        bool retransmits = (Stage == CallStage.Inviting && TryingAt == 0) || Stage == CallStage.Ending;
        if (!retransmits || now < _nextSend)
        {
            return;
        }
        _interval *= 2;
        _nextSend = now + _interval;
        send(Stage == CallStage.Inviting ? BuildInvite() : BuildBye());
    }

    public void Bye(long now, Action<byte[]> send)
    {
        if (Stage != CallStage.Up)
        {
            return;
        }
        Stage = CallStage.Ending;
        _interval = Stopwatch.Frequency / 2;
        _nextSend = now + _interval;
        Ladder?.Invoke("->", "BYE");
        send(BuildBye());
    }

    public void GiveUp(string why)
    {
        FinalReason = FinalStatus == 0 ? why : FinalReason;
        Stage = CallStage.Done;
    }

    public void HandleResponse(int status, string reason, Dictionary<string, string> headers, string body, long now, Action<byte[]> send)
    {
        if (headers["cseq"].EndsWith("BYE", StringComparison.Ordinal))
        {
            if (status >= 200 && Stage == CallStage.Ending)
            {
                Ladder?.Invoke("<-", $"{status} {reason} (BYE)");
                Stage = CallStage.Done;
            }
            return;
        }
        if (Stage == CallStage.Inviting)
        {
            Ladder?.Invoke("<-", $"{status} {reason}");
        }
        if (status == 100)
        {
            TryingAt = TryingAt == 0 ? now : TryingAt;
        }
        else if (status < 200)
        {
            TryingAt = TryingAt == 0 ? now : TryingAt;
            RingingAt = RingingAt == 0 ? now : RingingAt;
        }
        else
        {
            HandleFinal(status, reason, headers, body, now, send);
        }
    }

    public void HandleBye(string reason)
    {
        Ladder?.Invoke("<-", "BYE " + reason);
        EndedByPeer = true;
        EndReason = reason;
        Stage = CallStage.Done;
    }

    private void HandleFinal(int status, string reason, Dictionary<string, string> headers, string body, long now, Action<byte[]> send)
    {
        string to = headers["to"];
        int tag = to.IndexOf("tag=", StringComparison.Ordinal);
        _toTag = tag < 0 ? "" : to[(tag + 4)..].Split(';')[0];
        if (Stage == CallStage.Inviting)
        {
            FinalStatus = status;
            FinalReason = reason;
            if (status < 300)
            {
                AnsweredAt = now;
                ReadAnswer(headers, body);
                Stage = CallStage.Up;
            }
            else
            {
                Stage = CallStage.Done;
            }
            Ladder?.Invoke("->", "ACK");
        }
        send(BuildAck(status));
    }

    private void ReadAnswer(Dictionary<string, string> headers, string body)
    {
        string contact = headers.GetValueOrDefault("contact", Uri);
        int open = contact.IndexOf('<', StringComparison.Ordinal);
        _contact = open < 0 ? contact.Split(';')[0].Trim() : contact[(open + 1)..contact.IndexOf('>', StringComparison.Ordinal)];
        string host = "";
        int port = 0;
        foreach (string line in body.Split('\n', StringSplitOptions.TrimEntries))
        {
            if (line.StartsWith("c=IN IP", StringComparison.Ordinal))
            {
                host = line[9..];
            }
            else if (line.StartsWith("m=audio ", StringComparison.Ordinal))
            {
                port = int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
                Codec = line.Split(' ')[3] == "8" ? "PCMA/8000" : "PCMU/8000";
            }
        }
        Media = new IPEndPoint(IPAddress.Parse(host), port);
    }

    private byte[] BuildInvite()
    {
        string codec = _options.PayloadType == 8 ? "PCMA" : "PCMU";
        string sdp = $"v=0\r\no=load 1 1 IN IP4 {_options.Local}\r\ns=load\r\nc=IN IP4 {_options.Local}\r\nt=0 0\r\n"
            + $"m=audio {_rtpPort} RTP/AVP {_options.PayloadType} 101\r\na=rtpmap:{_options.PayloadType} {codec}/8000\r\n"
            + "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";
        return Request("INVITE", Uri, _branch, 1, "", $"Contact: <sip:load@{_options.Local}:{_sipPort}>\r\nContent-Type: application/sdp\r\n", sdp);
    }

    private byte[] BuildAck(int status) =>
        status < 300
            ? Request("ACK", _contact, "z9hG4bK" + Guid.NewGuid().ToString("N")[..16], 1, _toTag, "", "")
            : Request("ACK", Uri, _branch, 1, _toTag, "", "");

    private byte[] BuildBye() => Request("BYE", _contact, _branch + "b", 2, _toTag, "", "");

    private byte[] Request(string method, string uri, string branch, int cseq, string toTag, string extra, string body)
    {
        string from = _options.From.Replace("{n}", Number.ToString("D4", CultureInfo.InvariantCulture), StringComparison.Ordinal);
        return Encoding.ASCII.GetBytes(
            $"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {_options.Local}:{_sipPort};branch={branch};rport\r\nMax-Forwards: 70\r\n"
            + $"From: <sip:{from}@{_options.Local}>;tag={_tag}\r\nTo: <{Uri}>{(toTag.Length > 0 ? ";tag=" + toTag : "")}\r\n"
            + $"Call-ID: {CallId}\r\nCSeq: {cseq} {method}\r\nUser-Agent: siproom-load\r\n{extra}Content-Length: {body.Length}\r\n\r\n{body}");
    }
}
