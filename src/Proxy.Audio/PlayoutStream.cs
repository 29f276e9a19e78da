using System;
using Proxy.Audio.Codecs;
using Proxy.Core;
using Proxy.Core.Diagnostics;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Rtp.Jitter;
using Proxy.Rtp.Packets;

namespace Proxy.Audio;

/// <summary>What 20 ms of a <see cref="PlayoutStream"/> are made of.</summary>
public enum PullResult
{
    /// <summary>Decoded samples, at least in part.</summary>
    Audio,

    /// <summary>Made up for a loss.</summary>
    Concealed,

    /// <summary>Zeros: the sender pauses, or nothing came yet. Need not be mixed.</summary>
    Silence,
}

/// <summary>Shard. One received stream on our clock: jitter buffer, decoder, concealment; 160 samples every 20 ms whatever its packet time.</summary>
public sealed class PlayoutStream : IDisposable
{
    /// <summary>Samples of one <see cref="Pull"/>: 20 ms at 8,000 Hz.</summary>
    public const int FrameSamples = 160;

    private const int Rate = 8000;
    private const int MaxCodecs = 4;
    private const int LongestPacketSamples = 960;
    private const int ReadySamples = FrameSamples + LongestPacketSamples + TimeScale.MaxStepSamples + FrameSamples;

    /// <summary>Pauses between two changes of the speed, so that they cannot be heard: 100 ms, or none when the delay is far off.</summary>
    private const int StepPauseFrames = 5;
    private const long FarOffMicros = 60_000;

    /// <summary>Pops of one pull; more would mean packets of no length, which are left for the next one.</summary>
    private const int MaxPops = 32;

    private readonly JitterBuffer _jitter;
    private readonly Conceal _conceal = new();
    private readonly IAudioCodec?[] _codecs = new IAudioCodec?[MaxCodecs];
    private readonly byte[] _payloadTypes = new byte[MaxCodecs];
    private readonly short[] _ready = new short[ReadySamples];
    private readonly byte[] _payload;
    private IAudioCodec? _current;
    private int _count;
    private int _sinceStep;

    /// <param name="limits">Gives the bounds of the jitter buffer.</param>
    /// <param name="slab">The shard's packet memory.</param>
    public PlayoutStream(Limits limits, PacketSlab slab)
    {
        _jitter = new JitterBuffer(limits, slab, Rate);
        _payload = new byte[slab.SlotSize];
    }

    /// <summary>The packets that wait; for statistics.</summary>
    public JitterBuffer Jitter => _jitter;

    /// <summary>Pulls that were made up for a loss, at least in part.</summary>
    public long ConcealedFrames { get; private set; }

    /// <summary>Samples that were taken out to give back delay, and put in to win some.</summary>
    public long ShortenedSamples { get; private set; }

    public long StretchedSamples { get; private set; }

    /// <summary>Says which codec decodes a payload type; at most four. The stream disposes the codec.</summary>
    /// <returns>False when four are set already.</returns>
    public bool SetCodec(byte payloadType, IAudioCodec codec)
    {
        for (int i = 0; i < MaxCodecs; i++)
        {
            if (_codecs[i] is not null && _payloadTypes[i] != payloadType)
            {
                continue;
            }
            if (_codecs[i] is { } old && old != codec)
            {
                old.Dispose();
                _current = _current == old ? null : _current;
            }
            _codecs[i] = codec;
            _payloadTypes[i] = payloadType;
            return true;
        }
        return false;
    }

    /// <summary>Takes a packet in.</summary>
    [NoAlloc]
    public PushVerdict Push(in RtpView packet, MonoTime now)
    {
        if (CodecOf(packet.PayloadType) is not { } codec)
        {
            return PushVerdict.UnknownPayload;
        }
        int samples = codec.Duration(packet.Payload);
        if (samples == 0)
        {
            // An empty packet keeps a path open; it takes part in the numbering and plays nothing.
            return packet.Payload.IsEmpty ? TakeOut(packet, now) : PushVerdict.Malformed;
        }
        if (codec.ClockHz != _jitter.ClockHz)
        {
            _jitter.Reset(codec.ClockHz);
        }
        return _jitter.Push(packet, samples * (codec.ClockHz / Rate), now);
    }

    /// <summary>Says that a packet of the same numbering is not to be played (comfort noise, telephone-event): it is not lost.</summary>
    [NoAlloc]
    public PushVerdict TakeOut(in RtpView packet, MonoTime now) => _jitter.TakeOut(packet, now);

    /// <summary>Gives the next 20 ms; call once on every step of the grid, also while nothing comes.</summary>
    /// <param name="pcm">Exactly <see cref="FrameSamples"/>; always filled.</param>
    [NoAlloc]
    public PullResult Pull(Span<short> pcm, MonoTime now)
    {
        Invariant.Holds(pcm.Length == FrameSamples, "a pull is 160 samples");
        bool hasAudio = _count > 0 && !_conceal.IsRunning;
        bool hasMadeUp = false;
        for (int pops = 0; _count < FrameSamples && pops < MaxPops; pops++)
        {
            switch (_jitter.Pop(now, Ticks(FrameSamples - _count), _payload, out PoppedFrame frame))
            {
                case PopResult.Frame:
                    hasAudio |= Decode(frame, now);
                    break;
                case PopResult.Lost:
                    MakeUp(_payload.AsSpan(0, frame.Length), Samples(frame.Ticks));
                    hasMadeUp = true;
                    break;
                default:
                    hasMadeUp |= Starve();
                    break;
            }
        }
        _ready.AsSpan(0, FrameSamples).CopyTo(pcm);
        _count = Math.Max(0, _count - FrameSamples);
        _ready.AsSpan(FrameSamples, _count).CopyTo(_ready);
        _sinceStep++;
        ConcealedFrames += hasMadeUp ? 1 : 0;
        return hasAudio ? PullResult.Audio : hasMadeUp ? PullResult.Concealed : PullResult.Silence;
    }

    public void Dispose()
    {
        _jitter.Dispose();
        foreach (IAudioCodec? codec in _codecs)
        {
            codec?.Dispose();
        }
        Array.Clear(_codecs);
    }

    private IAudioCodec? CodecOf(byte payloadType)
    {
        for (int i = 0; i < MaxCodecs; i++)
        {
            if (_payloadTypes[i] == payloadType && _codecs[i] is { } codec)
            {
                return codec;
            }
        }
        return null;
    }

    private int Ticks(int samples) => samples * (_jitter.ClockHz / Rate);

    private int Samples(int ticks) => Math.Clamp(ticks / (_jitter.ClockHz / Rate), 1, LongestPacketSamples);

    private bool Decode(in PoppedFrame frame, MonoTime now)
    {
        Span<short> free = _ready.AsSpan(_count);
        _current = CodecOf(frame.PayloadType);
        int samples = _current is null ? 0 : _current.Decode(_payload.AsSpan(0, frame.Length), free[..LongestPacketSamples]);
        if (samples == 0)
        {
            MakeUp(default, Samples(frame.Ticks));
            return false;
        }
        Span<short> decoded = free[..samples];
        _conceal.Join(decoded);
        _conceal.Note(decoded);
        _count += samples;
        Adapt(now);
        return true;
    }

    /// <summary>Puts made-up samples at the end, by the codec's own concealment where it has one.</summary>
    private void MakeUp(ReadOnlySpan<byte> next, int samples)
    {
        Span<short> madeUp = _ready.AsSpan(_count, samples);
        if (_current is not null && _current.Conceal(next, madeUp))
        {
            _conceal.Note(madeUp);
        }
        else
        {
            _conceal.Fill(madeUp);
        }
        _count += samples;
    }

    /// <summary>Nothing is there to play: made-up sound until it has faded, then silence.</summary>
    /// <returns>False for silence.</returns>
    private bool Starve()
    {
        int samples = FrameSamples - _count;
        bool isSilent = _conceal.HasFaded || _current is null;
        if (isSilent)
        {
            _ready.AsSpan(_count, samples).Clear();
        }
        else
        {
            _conceal.Fill(_ready.AsSpan(_count, samples));
        }
        _count += samples;
        return !isSilent;
    }

    private void Adapt(MonoTime now)
    {
        long surplus = _jitter.SurplusMicros(now);
        bool isFarOff = surplus is > FarOffMicros or < -FarOffMicros;
        if (surplus == 0 || _count < TimeScale.WindowSamples || (!isFarOff && _sinceStep < StepPauseFrames))
        {
            return;
        }
        Span<short> tail = _ready.AsSpan(_count - TimeScale.WindowSamples);
        int step;
        if (surplus > 0)
        {
            step = -TimeScale.Shorten(tail[..TimeScale.WindowSamples]);
            ShortenedSamples -= step;
        }
        else
        {
            step = TimeScale.Stretch(tail, TimeScale.WindowSamples);
            StretchedSamples += step;
        }
        _count += step;
        _sinceStep = 0;
        _jitter.Adjusted(step * 1_000_000L / Rate);
    }
}
