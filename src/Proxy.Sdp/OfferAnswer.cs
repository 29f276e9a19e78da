using System;
using System.Buffers.Binary;
using Proxy.Core.Memory;
using Proxy.Core.Net;

namespace Proxy.Sdp;

/// <summary>
/// Signal thread. Offer and answer of one SIP leg for its whole life: the first INVITE, holds, refreshes and offers of our
/// own. A refused offer changes nothing: the audio of before goes on.
/// </summary>
/// <remarks>RFC 3264; RFC 4568 for the keys; RFC 8643 for keys under plain AVP.</remarks>
public sealed class OfferAnswer
{
    /// <summary>A buffer of this many bytes holds every answer and offer.</summary>
    public const int MaxLocalBytes = 6 * 1024;

    private readonly SipMediaCapabilities _capabilities;
    private readonly IRandom _random;
    private readonly ulong _sessionId;
    private byte[] _local = [];
    private ulong _version;
    private PendingOffer? _pending;

    /// <param name="capabilities">What this leg may use.</param>
    /// <param name="random">Source of the session id and of SRTP keys: the system's generator in the product.</param>
    public OfferAnswer(SipMediaCapabilities capabilities, IRandom random)
    {
        _capabilities = capabilities;
        _random = random;
        Span<byte> id = stackalloc byte[8];
        random.Fill(id);
        // 62 bits and never 0: some peers read a signed number.
        _sessionId = (BinaryPrimitives.ReadUInt64BigEndian(id) >> 2) | 1;
    }

    /// <summary>What is agreed now; null before the first agreement and after the stream was removed.</summary>
    public NegotiatedAudio? Current { get; private set; }

    /// <summary>The last description of ours that counts, for a repeated answer; empty before the first.</summary>
    public ReadOnlySpan<byte> LocalDescription => _local;

    /// <summary>True between <see cref="WriteOffer"/> and <see cref="TakeAnswer"/>.</summary>
    public bool IsOfferPending => _pending is not null;

    /// <summary>Answers the peer's offer: of the first INVITE, or of a later one.</summary>
    /// <param name="offer">The SDP body, borrowed.</param>
    /// <param name="destination">At least <see cref="MaxLocalBytes"/>.</param>
    /// <param name="written">Bytes of the answer; 0 unless accepted.</param>
    /// <param name="audio">What is agreed now; null unless the verdict is Accepted.</param>
    /// <returns>
    /// Accepted; AudioRemoved (a later offer only); else the refusal with its SIP status and Warning, and nothing changed.
    /// </returns>
    public AnswerVerdict Answer(ReadOnlySpan<byte> offer, Span<byte> destination, out int written, out NegotiatedAudio? audio)
    {
        written = 0;
        audio = null;
        if (SdpView.TryParse(offer, out SdpView view) != SdpVerdict.Ok)
        {
            return new AnswerVerdict(AnswerCode.Unparsable);
        }
        AudioLine line = Choose(view, _capabilities);
        NegotiatedAudio? agreed = null;
        if (line.Code == AnswerCode.Accepted)
        {
            agreed = Agree(line, KeysFor(line));
        }
        else if (line.Code != AnswerCode.AudioRemoved)
        {
            return new AnswerVerdict(line.Code);
        }
        NetAddress address = agreed?.Local.Address ?? Current?.Local.Address ?? _capabilities.Local.Address;
        SdpWriter writer = new(destination);
        LocalText.Answer(ref writer, view, agreed, _capabilities, address, _sessionId, _version + 1);
        if (writer.Length == 0)
        {
            return new AnswerVerdict(AnswerCode.TooLong);
        }
        written = Keep(destination, writer.Length);
        Current = agreed;
        _pending = null;
        audio = agreed;
        return new AnswerVerdict(line.Code);
    }

    /// <summary>Answers an offer that was judged unusable where it cannot be refused otherwise (PRACK): every line with port 0. What is agreed stays.</summary>
    /// <param name="offer">The SDP body, borrowed.</param>
    /// <param name="destination">At least <see cref="MaxLocalBytes"/>.</param>
    /// <returns>Bytes written; 0 when the offer cannot be read or the answer does not fit.</returns>
    /// <remarks>RFC 3264 §6, RFC 6337 §2.3.</remarks>
    public int Refuse(ReadOnlySpan<byte> offer, Span<byte> destination)
    {
        if (SdpView.TryParse(offer, out SdpView view) != SdpVerdict.Ok)
        {
            return 0;
        }
        SdpWriter writer = new(destination);
        LocalText.Answer(ref writer, view, null, _capabilities, _capabilities.Local.Address, _sessionId, ++_version);
        return writer.Length;
    }

    /// <summary>Writes an offer of ours: for an INVITE that came without one, or to change a running call.</summary>
    /// <param name="destination">At least <see cref="MaxLocalBytes"/>.</param>
    /// <returns>Bytes written, the same again until the answer comes; 0 when it does not fit.</returns>
    public int WriteOffer(Span<byte> destination)
    {
        if (_pending is not null)
        {
            return _local.AsSpan().TryCopyTo(destination) ? _local.Length : 0;
        }
        PendingOffer pending = new(_capabilities, Current, _random);
        SdpWriter writer = new(destination);
        pending.Write(ref writer, _local, _sessionId, _version + 1);
        if (writer.Length == 0)
        {
            return 0;
        }
        _pending = pending;
        return Keep(destination, writer.Length);
    }

    /// <summary>Takes the peer's answer to <see cref="WriteOffer"/>.</summary>
    /// <returns>Accepted; else why the answer cannot be used: an ACK cannot be refused, so the caller ends the call.</returns>
    public AnswerVerdict TakeAnswer(ReadOnlySpan<byte> answer, out NegotiatedAudio? audio)
    {
        audio = null;
        if (_pending is null)
        {
            return new AnswerVerdict(AnswerCode.BadAnswer);
        }
        PendingOffer pending = _pending;
        _pending = null;
        if (SdpView.TryParse(answer, out SdpView view) != SdpVerdict.Ok)
        {
            return new AnswerVerdict(AnswerCode.Unparsable);
        }
        AnswerCode code = pending.Read(view, out AudioLine line);
        if (code != AnswerCode.Accepted)
        {
            return new AnswerVerdict(code);
        }
        audio = Agree(line, pending.KeysFor(line));
        Current = audio;
        return new AnswerVerdict(AnswerCode.Accepted);
    }

    /// <summary>
    /// Picks the m= line: the one in use, else the first encrypted one that works, else the first that works. When none
    /// works, the reason of the first is the verdict.
    /// </summary>
    private AudioLine Choose(in SdpView view, SipMediaCapabilities capabilities)
    {
        AudioLine best = new() { Code = AnswerCode.NoAudio };
        int bestRank = -1;
        bool isAudioZero = false;
        bool isOtherWanted = false;
        foreach (SdpMedia media in view.Media)
        {
            isAudioZero |= media.IsAudio && media.Port == 0;
            isOtherWanted |= !media.IsAudio && media.Port != 0;
            if (!media.IsAudio || media.Port == 0)
            {
                continue;
            }
            AudioLine line = AudioLine.Evaluate(view, media, capabilities);
            int rank = line.Code != AnswerCode.Accepted ? 0 : Current?.MediaIndex == media.Index ? 3 : line.IsEncrypted ? 2 : 1;
            if (rank > bestRank)
            {
                best = line;
                bestRank = rank;
            }
        }
        // An image line beside it is a fax switch: that we refuse, and the audio goes on.
        if (bestRank < 0 && isAudioZero && !isOtherWanted && _local.Length != 0)
        {
            best.Code = AnswerCode.AudioRemoved;
        }
        return best;
    }

    private NegotiatedAudio Agree(in AudioLine line, SrtpKeys? keys)
    {
        bool isMux = _capabilities.RtcpMux && line.Media.HasRtcpMux;
        uint maxPtime = line.Media.MaxPtimeMs;
        uint theirPtime = line.Media.PtimeMs;
        return new NegotiatedAudio
        {
            Codec = line.Codec,
            PayloadType = line.PayloadType,
            DtmfPayloadType = line.DtmfPayloadType,
            ComfortNoisePayloadType = line.ComfortNoisePayloadType,
            MediaIndex = line.Media.Index,
            Local = line.Local,
            RemoteRtp = line.RemoteRtp,
            RemoteRtcp = line.RemoteRtcp(isMux),
            IsRtcpMux = isMux,
            TheirDirection = line.TheirDirection,
            PtimeMs = maxPtime is >= 10 and < 20 ? (byte)10 : _capabilities.PtimeMs,
            TheirPtimeMs = theirPtime == 0 ? (byte)20 : (byte)Math.Clamp(theirPtime, 10, 120),
            Profile = line.Media.Profile,
            Srtp = keys,
            IsSecureOfferInClear = line.IsSecureOfferInClear,
        };
    }

    /// <summary>Keys for an answer. A refresh with the same key keeps ours; a new one gets a new one (RFC 4568 §7.1.4).</summary>
    private SrtpKeys? KeysFor(in AudioLine line)
    {
        if (!line.IsEncrypted)
        {
            return null;
        }
        byte[] remote = new byte[line.Crypto.Suite.KeySaltBytes()];
        line.Crypto.ReadKeySalt(remote);
        SrtpKeys? now = Current?.Srtp;
        if (now is not null && now.Suite == line.Crypto.Suite && now.Tag == line.Crypto.Tag && now.RemoteKeySalt.SequenceEqual(remote))
        {
            return now;
        }
        byte[] local = new byte[remote.Length];
        _random.Fill(local);
        return new SrtpKeys(line.Crypto.Suite, line.Crypto.Tag, local, remote);
    }

    /// <summary>Keeps what is about to be sent. The same content again keeps its version (RFC 3264 §8).</summary>
    private int Keep(Span<byte> destination, int length)
    {
        if (_local.Length != 0 && BelowOrigin(_local).SequenceEqual(BelowOrigin(destination[..length])))
        {
            _local.CopyTo(destination);
            return _local.Length;
        }
        _version++;
        _local = destination[..length].ToArray();
        return length;
    }

    private static ReadOnlySpan<byte> BelowOrigin(ReadOnlySpan<byte> text) => text[text.IndexOf("\r\ns="u8)..];
}
