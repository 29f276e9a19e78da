using System;
using System.Buffers.Text;
using System.Collections.Generic;
using System.Text;
using Proxy.Core.Net;
using Proxy.WebRtc;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. Copies out of an SDP answer what this participant needs (RFC 8866, RFC 8829 §5.3).</summary>
internal static class AnswerReader
{
    private const int LongestSdp = 256 * 1024;
    private const int SectionsMax = 128;
    private const int CandidatesMax = 16;
    private const int CodecsMax = 16;

    /// <returns>False when it is no SDP at all, or larger than any answer.</returns>
    public static bool TryRead(string sdp, out Answer answer)
    {
        answer = new Answer(null, []);
        if (sdp.Length > LongestSdp || !sdp.StartsWith("v=0", StringComparison.Ordinal))
        {
            return false;
        }
        ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(sdp);
        var transport = new Transport();
        var sections = new List<AnswerSection>();
        Section? section = null;
        while (!rest.IsEmpty)
        {
            ReadOnlySpan<byte> line = NextLine(ref rest);
            if (line.StartsWith("m="u8))
            {
                Finish(section, sections);
                if (sections.Count >= SectionsMax)
                {
                    return false;
                }
                section = Section.Begin(line[2..]);
            }
            else if (line.StartsWith("a="u8))
            {
                transport.Read(line[2..], section is { IsRejected: true });
                section?.Read(line[2..]);
            }
        }
        Finish(section, sections);
        answer = new Answer(transport.ToRemote(), sections);
        return true;
    }

    private static void Finish(Section? section, List<AnswerSection> sections)
    {
        if (section is not null)
        {
            sections.Add(section.ToAnswer());
        }
    }

    private static ReadOnlySpan<byte> NextLine(ref ReadOnlySpan<byte> rest)
    {
        int end = rest.IndexOf((byte)'\n');
        ReadOnlySpan<byte> line = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[(end + 1)..];
        return line.EndsWith("\r"u8) ? line[..^1] : line;
    }

    private static bool TryCut(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        bool holds = line.StartsWith(name);
        value = holds ? line[name.Length..] : default;
        return holds;
    }

    private static ReadOnlySpan<byte> Word(ref ReadOnlySpan<byte> text)
    {
        int space = text.IndexOf((byte)' ');
        ReadOnlySpan<byte> word = space < 0 ? text : text[..space];
        text = space < 0 ? default : text[(space + 1)..].TrimStart((byte)' ');
        return word;
    }

    private static bool TryNumber(ReadOnlySpan<byte> text, uint max, out uint value) =>
        Utf8Parser.TryParse(text, out value, out int used) && used == text.Length && value <= max;

    /// <summary>Transport attributes: all bundled sections repeat the same ones, so the first that stands counts.</summary>
    private sealed class Transport
    {
        private readonly List<NetEndPoint> _candidates = [];
        private readonly byte[] _fingerprint = new byte[32];
        private string _ufrag = "";
        private string _pwd = "";
        private bool _hasFingerprint;
        private bool _isLite;
        private SetupRole? _setup;

        public void Read(ReadOnlySpan<byte> line, bool isRejected)
        {
            if (isRejected)
            {
                return;
            }
            if (_ufrag.Length == 0 && TryCut(line, "ice-ufrag:"u8, out ReadOnlySpan<byte> value))
            {
                _ufrag = Encoding.ASCII.GetString(value);
            }
            else if (_pwd.Length == 0 && TryCut(line, "ice-pwd:"u8, out value))
            {
                _pwd = Encoding.ASCII.GetString(value);
            }
            else if (TryCut(line, "fingerprint:"u8, out value))
            {
                _hasFingerprint = _hasFingerprint || TryReadFingerprint(value);
            }
            else if (line.SequenceEqual("ice-lite"u8))
            {
                _isLite = true;
            }
            else if (_setup is null && TryCut(line, "setup:"u8, out value))
            {
                _setup = value.SequenceEqual("passive"u8) ? SetupRole.Passive : value.SequenceEqual("actpass"u8) ? SetupRole.ActPass : SetupRole.Active;
            }
            else if (_candidates.Count < CandidatesMax && CandidateReader.TryRead(line, out NetEndPoint candidate) && !_candidates.Contains(candidate))
            {
                _candidates.Add(candidate);
            }
        }

        public RemoteDescription? ToRemote() => _ufrag.Length is >= 4 and <= 256 && _pwd.Length is >= 22 and <= 256 && _hasFingerprint
            ? new RemoteDescription(new IceCredentials(_ufrag, _pwd), _isLite, _fingerprint, _setup ?? SetupRole.Active, _candidates)
            : null;

        private bool TryReadFingerprint(ReadOnlySpan<byte> value)
        {
            ReadOnlySpan<byte> hash = Word(ref value);
            if (!Ascii.EqualsIgnoreCase(hash, "sha-256"u8) || value.Length != (32 * 3) - 1)
            {
                return false;
            }
            for (int i = 0; i < 32; i++)
            {
                bool isSeparated = i == 0 || value[(i * 3) - 1] == (byte)':';
                if (!isSeparated || !Utf8Parser.TryParse(value.Slice(i * 3, 2), out _fingerprint[i], out int used, 'x') || used != 2)
                {
                    return false;
                }
            }
            return true;
        }
    }

    private sealed class Section
    {
        private readonly List<byte> _payloadTypes = [];
        private readonly List<PayloadCodec> _known = [];
        private string _mid = "";
        private string _streamId = "";
        private string _trackId = "";
        private uint _ssrc;
        private byte _audioLevelId;
        private AnswerDirection _direction = AnswerDirection.SendRecv;

        public bool IsRejected { get; private init; }

        private bool IsAudio { get; init; }

        /// <param name="line"><c>audio 9 UDP/TLS/RTP/SAVPF 0 8 111</c></param>
        public static Section Begin(ReadOnlySpan<byte> line)
        {
            ReadOnlySpan<byte> media = Word(ref line);
            ReadOnlySpan<byte> port = Word(ref line);
            Word(ref line);
            var section = new Section { IsAudio = media.SequenceEqual("audio"u8), IsRejected = port.SequenceEqual("0"u8) };
            while (section.IsAudio && !line.IsEmpty && section._payloadTypes.Count < CodecsMax)
            {
                if (TryNumber(Word(ref line), 127, out uint type))
                {
                    section._payloadTypes.Add((byte)type);
                    section.AddStatic((byte)type);
                }
            }
            return section;
        }

        public void Read(ReadOnlySpan<byte> line)
        {
            if (TryCut(line, "mid:"u8, out ReadOnlySpan<byte> value))
            {
                _mid = Encoding.ASCII.GetString(value);
            }
            else if (TryCut(line, "rtpmap:"u8, out value))
            {
                ReadMap(value);
            }
            else if (_ssrc == 0 && TryCut(line, "ssrc:"u8, out value))
            {
                _ = TryNumber(Word(ref value), uint.MaxValue, out _ssrc);
            }
            else if (TryCut(line, "msid:"u8, out value))
            {
                _streamId = Encoding.UTF8.GetString(Word(ref value));
                _trackId = Encoding.UTF8.GetString(Word(ref value));
            }
            else if (TryCut(line, "extmap:"u8, out value))
            {
                ReadExtension(value);
            }
            else
            {
                ReadDirection(line);
            }
        }

        public AnswerSection ToAnswer()
        {
            var codecs = new List<PayloadCodec>(_payloadTypes.Count);
            foreach (byte type in _payloadTypes)
            {
                int at = _known.FindLastIndex(known => known.PayloadType == type);
                if (at >= 0)
                {
                    codecs.Add(_known[at]);
                }
            }
            return new AnswerSection(_mid, IsAudio, IsRejected, _direction, _ssrc, _streamId, _trackId, codecs, _audioLevelId);
        }

        // RFC 3551 §6: 0 and 8 need no rtpmap.
        private void AddStatic(byte type)
        {
            if (type is 0 or 8)
            {
                _known.Add(new PayloadCodec(type, type == 0 ? RoomCodec.Pcmu : RoomCodec.Pcma));
            }
        }

        private void ReadMap(ReadOnlySpan<byte> value)
        {
            if (!TryNumber(Word(ref value), 127, out uint type) || _known.Count >= 2 * CodecsMax)
            {
                return;
            }
            if (Ascii.EqualsIgnoreCase(value, "opus/48000/2"u8))
            {
                _known.Add(new PayloadCodec((byte)type, RoomCodec.Opus));
            }
            else if (Ascii.EqualsIgnoreCase(value, "PCMU/8000"u8) || Ascii.EqualsIgnoreCase(value, "PCMU/8000/1"u8))
            {
                _known.Add(new PayloadCodec((byte)type, RoomCodec.Pcmu));
            }
            else if (Ascii.EqualsIgnoreCase(value, "PCMA/8000"u8) || Ascii.EqualsIgnoreCase(value, "PCMA/8000/1"u8))
            {
                _known.Add(new PayloadCodec((byte)type, RoomCodec.Pcma));
            }
        }

        private void ReadExtension(ReadOnlySpan<byte> value)
        {
            ReadOnlySpan<byte> id = Word(ref value);
            int slash = id.IndexOf((byte)'/');
            id = slash < 0 ? id : id[..slash];
            if (TryNumber(id, 14, out uint number) && number > 0 && Word(ref value).SequenceEqual("urn:ietf:params:rtp-hdrext:ssrc-audio-level"u8))
            {
                _audioLevelId = (byte)number;
            }
        }

        private void ReadDirection(ReadOnlySpan<byte> line)
        {
            if (line.SequenceEqual("sendonly"u8))
            {
                _direction = AnswerDirection.SendOnly;
            }
            else if (line.SequenceEqual("recvonly"u8))
            {
                _direction = AnswerDirection.RecvOnly;
            }
            else if (line.SequenceEqual("inactive"u8))
            {
                _direction = AnswerDirection.Inactive;
            }
            else if (line.SequenceEqual("sendrecv"u8))
            {
                _direction = AnswerDirection.SendRecv;
            }
        }
    }
}
