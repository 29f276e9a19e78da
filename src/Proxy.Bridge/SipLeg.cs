using System;
using Proxy.Audio.Codecs;
using Proxy.Bridge.Media;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Trunks;
using Proxy.Rtp.Srtp;
using Proxy.Sdp;
using Proxy.Sip.Dialogs;

namespace Proxy.Bridge;

/// <summary>Signal thread. One dialog with the caller's side: its offer and answer, its end.</summary>
public sealed class SipLeg
{
    private readonly Limits _limits;
    private readonly Verdict _verdict;
    private OfferAnswer? _sdp;
    private byte[] _description = [];

    public SipLeg(SipDialog dialog, Verdict verdict, Limits limits)
    {
        Dialog = dialog;
        _verdict = verdict;
        _limits = limits;
    }

    public SipDialog Dialog { get; }

    /// <summary>What was agreed; null before.</summary>
    public NegotiatedAudio? Audio { get; private set; }

    /// <summary>The INVITE carried no offer: ours goes out in the 200 and the caller's answer comes in the ACK (RFC 3261 §13.2.1), or in a reliable 18x and its PRACK (RFC 3262 §5).</summary>
    public bool IsLateOffer { get; private set; }

    /// <summary>What describes the session on our side: the answer that was given last, or the offer that waits.</summary>
    public ReadOnlySpan<byte> Description => _description;

    /// <summary>Reads the INVITE's offer and makes the answer, or makes an offer where there was none.</summary>
    /// <param name="offer">The SDP of the INVITE; empty when it had none.</param>
    /// <param name="local">Our media address and port.</param>
    /// <param name="otherFamily">The same in the other address family; unset when there is none.</param>
    public AnswerVerdict Open(ReadOnlySpan<byte> offer, in NetEndPoint local, in NetEndPoint otherFamily, bool answersSecureInClear, IRandom random)
    {
        _sdp = new OfferAnswer(
            new SipMediaCapabilities
            {
                Local = local,
                LocalOtherFamily = otherFamily,
                Codecs = ChooseCodecs(_verdict.Media),
                Srtp = _verdict.Media.Encryption switch
                {
                    MediaEncryption.Require => SrtpPolicy.Require,
                    MediaEncryption.Disable => SrtpPolicy.Disable,
                    _ => SrtpPolicy.Allow,
                },
                AnswerSecureOfferInClear = answersSecureInClear,
                AllowLoopback = Dialog.Flow.Remote.Address.IsLoopback,
                AllowOriginAddress = true,
            },
            random);
        if (offer.IsEmpty)
        {
            IsLateOffer = true;
            Span<byte> ours = stackalloc byte[OfferAnswer.MaxLocalBytes];
            _description = ours[.._sdp.WriteOffer(ours)].ToArray();
            return new AnswerVerdict(_description.Length > 0 ? AnswerCode.Accepted : AnswerCode.TooLong);
        }
        return TakeOffer(offer);
    }

    /// <summary>Answers an offer, the first or a later one; <see cref="Description"/> is the answer when it is accepted.</summary>
    public AnswerVerdict TakeOffer(ReadOnlySpan<byte> offer)
    {
        Span<byte> answer = stackalloc byte[OfferAnswer.MaxLocalBytes];
        AnswerVerdict verdict = _sdp!.Answer(offer, answer, out int written, out NegotiatedAudio? audio);
        if (verdict.IsAccepted)
        {
            _description = answer[..written].ToArray();
            // A stream that is removed is quiet both ways, as on hold.
            Audio = audio ?? (Audio is null ? null : Audio with { TheirDirection = SdpDirection.Inactive });
        }
        return verdict;
    }

    /// <summary>The answer that takes nothing of an offer which may not be refused otherwise; empty for one that cannot be read.</summary>
    public byte[] Refuse(ReadOnlySpan<byte> offer)
    {
        Span<byte> answer = stackalloc byte[OfferAnswer.MaxLocalBytes];
        return answer[.._sdp!.Refuse(offer, answer)].ToArray();
    }

    /// <summary>Makes an offer for a re-INVITE that came without one.</summary>
    public bool TryOffer()
    {
        Span<byte> ours = stackalloc byte[OfferAnswer.MaxLocalBytes];
        int written = _sdp!.WriteOffer(ours);
        if (written > 0)
        {
            _description = ours[..written].ToArray();
            IsLateOffer = true;
        }
        return written > 0;
    }

    /// <summary>Takes the caller's answer to our offer, from an ACK or PRACK.</summary>
    public AnswerVerdict TakeAnswer(ReadOnlySpan<byte> answer)
    {
        AnswerVerdict verdict = _sdp!.TakeAnswer(answer, out NegotiatedAudio? audio);
        if (verdict.IsAccepted)
        {
            IsLateOffer = false;
            Audio = audio ?? Audio;
        }
        return verdict;
    }

    /// <summary>Audio is agreed on and the caller sends it (no hold).</summary>
    public bool IsReceiving => Audio is { } audio && audio.TheirDirection == SdpDirection.SendRecv && !IsMuted(audio);

    /// <summary>Audio is agreed on and the caller hears it.</summary>
    public bool IsSending => Audio is { } audio && audio.OurDirection.Sends() && !IsMuted(audio);

    /// <summary>What the shard has to know of the agreement.</summary>
    /// <param name="isAnswered">Before the answer nobody has to be heard.</param>
    public SipAudio ToMedia(bool isAnswered)
    {
        NegotiatedAudio audio = Audio!;
        bool isMuted = IsMuted(audio);
        return new SipAudio
        {
            Law = audio.Codec == SipAudioCodec.Pcma ? G711Law.A : G711Law.Mu,
            PayloadType = audio.PayloadType,
            DtmfPayloadType = audio.DtmfPayloadType ?? -1,
            NoisePayloadType = audio.ComfortNoisePayloadType ?? -1,
            Remote = audio.RemoteRtp,
            RemoteRtcp = audio.IsRtcpMux || !audio.RemoteRtcp.IsSet ? audio.RemoteRtp : audio.RemoteRtcp,
            Sends = audio.OurDirection.Sends() && !isMuted,
            Receives = audio.TheirDirection.Sends() && !isMuted,
            SignallingSource = Dialog.Flow.Remote.Address,
            Srtp = audio.Srtp is null ? null : ProfileOf(audio.Srtp.Suite),
            LocalKeyAndSalt = audio.Srtp is null ? default : audio.Srtp.LocalKeySalt.ToArray(),
            RemoteKeyAndSalt = audio.Srtp is null ? default : audio.Srtp.RemoteKeySalt.ToArray(),
            MediaTimeout = !isAnswered ? TimeSpan.Zero : _verdict.Media.MediaTimeout is { Ticks: > 0 } own ? own : _limits.MediaTimeout,
            MediaTimeoutInitial = isAnswered ? _limits.MediaTimeoutInitial : TimeSpan.Zero,
        };
    }

    /// <summary>Hangs up where an answer stands, refuses where none does yet.</summary>
    public void End(in Outcome outcome, int status, ReadOnlySpan<byte> extraHeaders, MonoTime now)
    {
        switch (Dialog.State)
        {
            case SipDialogState.Early:
                Dialog.Reject(status, default, extraHeaders, now);
                break;
            case SipDialogState.Confirmed:
                Span<byte> reason = stackalloc byte[128];
                int length = FormatReason(reason, outcome.Q850);
                if (length > 0 && _verdict.MayTellWhy && outcome.Q850 != 16)
                {
                    length += System.Text.Encoding.ASCII.GetBytes($";text=\"{outcome.Code}\"", reason[length..]);
                }
                Dialog.Bye(reason[..length], extraHeaders, now);
                break;
            default:
                break;
        }
    }

    /// <summary>Q.850 cause as a Reason value (RFC 3326); nothing for 0.</summary>
    public static int FormatReason(Span<byte> destination, int cause)
    {
        if (cause == 0)
        {
            return 0;
        }
        "Q.850;cause="u8.CopyTo(destination);
        System.Buffers.Text.Utf8Formatter.TryFormat(cause, destination[12..], out int digits);
        return 12 + digits;
    }

    private static bool IsMuted(NegotiatedAudio audio) => audio.RemoteRtp.Address.IsUnspecified || audio.RemoteRtp.Port == 0;

    private static SipAudioCodec[] ChooseCodecs(MediaPolicy media)
    {
        var codecs = new System.Collections.Generic.List<SipAudioCodec>(2);
        foreach (CodecChoice choice in media.Codecs)
        {
            if (TryMap(choice.Name, out SipAudioCodec codec) && !codecs.Contains(codec))
            {
                codecs.Add(codec);
            }
        }
        if (!media.OnlyListedCodecs)
        {
            if (!codecs.Contains(SipAudioCodec.Pcmu))
            {
                codecs.Add(SipAudioCodec.Pcmu);
            }
            if (!codecs.Contains(SipAudioCodec.Pcma))
            {
                codecs.Add(SipAudioCodec.Pcma);
            }
        }
        return [.. codecs];
    }

    private static bool TryMap(string name, out SipAudioCodec codec)
    {
        codec = string.Equals(name, "PCMA", StringComparison.OrdinalIgnoreCase) ? SipAudioCodec.Pcma : SipAudioCodec.Pcmu;
        return codec == SipAudioCodec.Pcma || string.Equals(name, "PCMU", StringComparison.OrdinalIgnoreCase);
    }

    private static SrtpProfile ProfileOf(SrtpSuites suite) => suite switch
    {
        SrtpSuites.AesCm128HmacSha1Tag32 => SrtpProfile.AesCm128HmacSha1_32,
        SrtpSuites.AesCm256HmacSha1Tag80 => SrtpProfile.AesCm256HmacSha1_80,
        SrtpSuites.AeadAes128Gcm => SrtpProfile.AeadAes128Gcm,
        SrtpSuites.AeadAes256Gcm => SrtpProfile.AeadAes256Gcm,
        _ => SrtpProfile.AesCm128HmacSha1_80,
    };
}
