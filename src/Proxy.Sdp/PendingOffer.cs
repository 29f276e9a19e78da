using System;
using Proxy.Core.Memory;
using Proxy.Core.Net;

namespace Proxy.Sdp;

/// <summary>Signal thread. An offer of ours that waits for its answer, with the keys it promised.</summary>
internal sealed class PendingOffer
{
    private const byte EventPayloadType = 101;

    private readonly SipMediaCapabilities _capabilities;
    private readonly NegotiatedAudio? _current;
    private readonly SrtpSuites[] _suites;
    private readonly byte[][] _keys;
    private readonly uint _firstTag;
    private readonly NetEndPoint _local;
    private readonly int _mediaIndex;
    private int _mediaCount = 1;

    internal PendingOffer(SipMediaCapabilities capabilities, NegotiatedAudio? current, IRandom random)
    {
        _capabilities = capabilities;
        _current = current;
        _local = current?.Local ?? capabilities.Local;
        _mediaIndex = current?.MediaIndex ?? 0;
        _firstTag = current?.Srtp?.Tag ?? 1;
        _suites = SuitesToOffer(capabilities, current);
        _keys = new byte[_suites.Length][];
        for (int i = 0; i < _suites.Length; i++)
        {
            _keys[i] = new byte[_suites[i].KeySaltBytes()];
            if (current?.Srtp is not null)
            {
                current.Srtp.LocalKeySalt.CopyTo(_keys[i]);
            }
            else
            {
                random.Fill(_keys[i]);
            }
        }
    }

    /// <param name="previous">Our last description: its other m= lines stay in place, refused (RFC 3264 §8).</param>
    internal void Write(ref SdpWriter writer, ReadOnlySpan<byte> previous, ulong sessionId, ulong version)
    {
        writer.SessionHead(sessionId, version, LocalText.SessionName, _local.Address, "0 0"u8);
        if (previous.IsEmpty || SdpView.TryParse(previous, out SdpView view) != SdpVerdict.Ok || view.MediaCount == 0)
        {
            AudioSection(ref writer);
            return;
        }
        _mediaCount = view.MediaCount;
        foreach (SdpMedia media in view.Media)
        {
            if (media.Index == _mediaIndex)
            {
                AudioSection(ref writer);
            }
            else
            {
                LocalText.RefusedLine(ref writer, media);
            }
        }
    }

    /// <summary>Judges the answer.</summary>
    /// <returns>Accepted, BadAnswer, NoAudio, or what is wrong with the audio line.</returns>
    internal AnswerCode Read(in SdpView view, out AudioLine line)
    {
        line = default;
        if (view.MediaCount != _mediaCount)
        {
            return AnswerCode.BadAnswer;
        }
        foreach (SdpMedia media in view.Media)
        {
            if (media.Index != _mediaIndex)
            {
                continue;
            }
            if (!media.IsAudio || media.Port == 0)
            {
                return media.IsAudio ? AnswerCode.NoAudio : AnswerCode.BadAnswer;
            }
            line = AudioLine.Evaluate(view, media, AsOffered());
            return line.Code == AnswerCode.Accepted && _suites.Length != 0 && IndexOf(line) < 0 ? AnswerCode.SrtpRequired : line.Code;
        }
        return AnswerCode.BadAnswer;
    }

    internal SrtpKeys? KeysFor(in AudioLine line)
    {
        int at = IndexOf(line);
        if (at < 0)
        {
            return null;
        }
        byte[] remote = new byte[_keys[at].Length];
        line.Crypto.ReadKeySalt(remote);
        return new SrtpKeys(line.Crypto.Suite, line.Crypto.Tag, _keys[at], remote);
    }

    private static SrtpSuites[] SuitesToOffer(SipMediaCapabilities capabilities, NegotiatedAudio? current)
    {
        if (current is not null)
        {
            return current.Srtp is null ? [] : [current.Srtp.Suite];
        }
        if (capabilities.Srtp != SrtpPolicy.Require)
        {
            return [];
        }
        SrtpSuites strong = capabilities.Suites & ~SrtpSuiteFacts.ShortTags;
        SrtpSuites wanted = strong != SrtpSuites.None ? strong : capabilities.Suites;
        Span<SrtpSuites> found = stackalloc SrtpSuites[6];
        int count = 0;
        for (int bit = 0; bit < 6; bit++)
        {
            SrtpSuites suite = (SrtpSuites)(1 << bit);
            if ((wanted & suite) != 0)
            {
                found[count++] = suite;
            }
        }
        return found[..count].ToArray();
    }

    private SipMediaCapabilities AsOffered() => _capabilities with
    {
        PreferTheirOrder = true,
        Srtp = _suites.Length != 0 ? SrtpPolicy.Require : SrtpPolicy.Disable,
        AnswerSecureOfferInClear = false,
    };

    private int IndexOf(in AudioLine line)
    {
        for (int i = 0; i < _suites.Length; i++)
        {
            if (line.IsEncrypted && line.Crypto.Suite == _suites[i] && line.Crypto.Tag == _firstTag + (uint)i)
            {
                return i;
            }
        }
        return -1;
    }

    private byte PayloadTypeOf(SipAudioCodec codec) => _current is not null && _current.Codec == codec ? _current.PayloadType : codec.OfferedPayloadType();

    private ReadOnlySpan<byte> ProfileText()
    {
        if (_current is null || _current.IsSecureOfferInClear)
        {
            return _suites.Length != 0 ? "RTP/SAVP"u8 : "RTP/AVP"u8;
        }
        return _current.Profile switch
        {
            SdpProfile.RtpAvpf => "RTP/AVPF"u8,
            SdpProfile.RtpSavp => "RTP/SAVP"u8,
            SdpProfile.RtpSavpf => "RTP/SAVPF"u8,
            _ => "RTP/AVP"u8,
        };
    }

    private void AudioSection(ref SdpWriter writer)
    {
        byte eventType = _current?.DtmfPayloadType ?? EventPayloadType;
        writer.Raw("m=audio "u8);
        writer.Number(_local.Port);
        writer.Space();
        writer.Raw(ProfileText());
        foreach (SipAudioCodec codec in _capabilities.Codecs)
        {
            writer.Space();
            writer.Number(PayloadTypeOf(codec));
        }
        if (_capabilities.TelephoneEvent)
        {
            writer.Space();
            writer.Number(eventType);
        }
        writer.EndLine();
        foreach (SipAudioCodec codec in _capabilities.Codecs)
        {
            LocalText.Map(ref writer, PayloadTypeOf(codec), codec);
        }
        if (_capabilities.TelephoneEvent)
        {
            LocalText.Events(ref writer, eventType, (_current?.Codec ?? _capabilities.Codecs[0]).ClockHz(), "0-15"u8);
        }
        for (int i = 0; i < _suites.Length; i++)
        {
            LocalText.Crypto(ref writer, _firstTag + (uint)i, _suites[i], _keys[i]);
        }
        writer.Attribute("ptime"u8, _capabilities.PtimeMs);
        // We never hold. Repeating what we answered to a hold would keep it for ever: an exchange resumes by an INVITE without SDP.
        writer.Attribute(SdpDirection.SendRecv.Text());
        if (_capabilities.RtcpMux)
        {
            writer.Attribute("rtcp-mux"u8);
        }
        writer.Attribute("rtcp"u8, _local.Port);
    }
}
