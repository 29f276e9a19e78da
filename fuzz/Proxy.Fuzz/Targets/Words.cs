using System;
using System.Linq;
using System.Text;

namespace Proxy.Fuzz.Targets;

/// <summary>Any thread. Dictionaries: what a blind mutation would not hit upon.</summary>
internal static class Words
{
    public static byte[][] Sip { get; } = Texts(
        "\r\n", "\r\n ", "\r\n\r\n", "\n", " ", "\t", ":", ";", ",", "\"", "\\", "<", ">", "[", "]", "@", "?", "&", "%", "%00", "=", "*", "SIP/2.0", "SIP/2.0 200 OK\r\n",
        "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "PRACK", "UPDATE", "REFER", "NOTIFY", "REGISTER", "sip:", "sips:", "tel:", "sip:a@b", "<sip:a@b;lr>",
        "Via: SIP/2.0/UDP h;branch=z9hG4bK1;rport\r\n", "Via: ", "v: ", "From: ", "f: ", "To: ", "t: ", "Call-ID: x\r\n", "i: ", "CSeq: 1 INVITE\r\n", "CSeq: ", "Contact: ", "m: ",
        "Contact: <sip:a@b>\r\n", "Record-Route: <sip:p;lr>\r\n", "Route: ", "Content-Length: 0\r\n", "l: ", "Content-Type: application/sdp\r\n", "Content-Type: multipart/mixed;boundary=x\r\n",
        "--x\r\n", "--x--", "c: ", "Max-Forwards: ", "Require: 100rel\r\n", "Supported: timer\r\n", "Session-Expires: 90;refresher=uas\r\n", "Min-SE: ", "RAck: 1 1 INVITE\r\n", "Replaces: ",
        "Refer-To: ", "Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:a@b\", response=\"0123456789abcdef0123456789abcdef\"\r\n", "Proxy-Authorization: ", "Event: ",
        "Subscription-State: active", ";tag=", ";branch=z9hG4bK", ";received=", ";rport=", ";transport=tcp", ";maddr=", "[::1]", "[::ffff:1.2.3.4]", "127.0.0.1", "255.255.255.255", ":5060", ":0", ":65536",
        "4294967295", "4294967296", "99999999999999999999", "\0", "\u00ff");

    public static byte[][] Sdp { get; } = Texts(
        "\r\n", "\n", " ", "v=0\r\n", "o=- 1 1 IN IP4 1.2.3.4\r\n", "s=-\r\n", "c=IN IP4 1.2.3.4\r\n", "c=IN IP6 ::1\r\n", "c=IN IP4 0.0.0.0\r\n", "t=0 0\r\n", "m=audio 4000 RTP/AVP 0 8 101\r\n",
        "m=audio 0 RTP/SAVP 0\r\n", "m=audio 4000/2 RTP/AVP 0\r\n", "m=video 1 RTP/AVP 96\r\n", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", "UDP/TLS/RTP/SAVPF", "a=rtpmap:0 PCMU/8000\r\n",
        "a=rtpmap:101 telephone-event/8000\r\n", "a=rtpmap:111 opus/48000/2\r\n", "a=fmtp:101 0-16\r\n", "a=ptime:20\r\n", "a=maxptime:", "a=sendrecv\r\n", "a=sendonly\r\n", "a=inactive\r\n", "a=rtcp-mux\r\n", "a=rtcp:4001\r\n",
        "a=rtcp:4001 IN IP4 1.2.3.4\r\n", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n", "a=crypto:2 AEAD_AES_128_GCM inline:", "|2^31|1:1", "a=setup:actpass\r\n", "a=fingerprint:sha-256 ",
        "a=ice-ufrag:abcd\r\n", "a=ice-pwd:", "a=candidate:1 1 udp 2130706431 127.0.0.1 17002 typ host\r\n", " tcptype passive", "a=mid:0\r\n", "a=msid:a b\r\n", "a=ssrc:1 cname:x\r\n", "a=extmap:1 urn:x\r\n", "a=ice-lite\r\n",
        "a=group:BUNDLE 0\r\n", "b=AS:64\r\n", "a=", "65535", "65536", "4294967296", "-1", "0", "127", "128", "255");

    public static byte[][] Bytes { get; } =
    [
        [0], [0xFF], [0x80], [0x90, 0xBE], [0xBE, 0xDE, 0, 1], [0x10, 0x00], [0x80, 200, 0, 6], [0x81, 201, 0, 7], [0x81, 202, 0, 1], [0x81, 203, 0, 1], [0, 0], [0xFF, 0xFF], [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF],
        [0x21, 0x12, 0xA4, 0x42], [0, 1, 0, 0], [1, 1, 0, 0], [0, 6, 0, 4], [0, 8, 0, 20], [0, 9, 0, 4], [0, 0x20, 0, 8], [0, 0x24, 0, 4], [0, 0x25, 0, 0], [0x80, 0x28, 0, 4], [0x80, 0x29, 0, 8], [0x80, 0x2A, 0, 8],
    ];

    public static byte[][] Sctp { get; } =
    [
        .. Bytes, [0, 3, 0, 20], [0, 7, 0, 17], [0, 1, 0, 17], [0, 2, 0, 17], [0, 0, 0, 17], [1, 0, 0, 20], [2, 0, 0, 20], [3, 0, 0, 16], [4, 0, 0, 8], [5, 0, 0, 8], [6, 0, 0, 4], [7, 0, 0, 8], [8, 0, 0, 4],
        [9, 0, 0, 8], [10, 0, 0, 8], [11, 0, 0, 4], [14, 0, 0, 4], [130, 0, 0, 20], [192, 0, 0, 8], [0, 13, 0, 16], [0, 16, 0, 12], [0xC0, 0, 0, 4], [0x80, 8, 0, 6],
        [0, 0, 0, 50, 3, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 116, 101, 115, 116], [0, 0, 0, 50, 2], [0, 0, 0, 51], [0, 0, 0, 53],
    ];

    public static byte[][] Json { get; } = Texts(
        "{", "}", "[", "]", ":", ",", "\"", "\\u0000", "\\ud800", "\\n", "null", "true", "false", "0", "-1", "1e309", "1.5", "9223372036854775808", "\"1s\"", "\"-1.5s\"", "\"AA==\"", "{}", "[]", "\"trunk\":", "\"name\":",
        "\"numbers\":", "\"metadata\":", "\"attributes\":{\"a\":\"b\"}", "\"rule\":", "\"dispatchRuleDirect\":{\"roomName\":\"r\"}", "\"dispatch_rule_individual\":", "\"roomConfig\":", "\"agents\":[{}]", "\"emptyTimeout\":", "\"ringingTimeout\":\"30s\"",
        "\"updateMask\":\"a,b\"", "[[[[[[[[", "{\"a\":{\"a\":{\"a\":");

    private static byte[][] Texts(params string[] words) => [.. words.Select(Encoding.Latin1.GetBytes)];
}
