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

    /// <param name="slab">The shard's packet memory.</param>
    public PlayoutStream(Limits limits, PacketSlab slab)
    {
    }

    /// <summary>Says which codec decodes a payload type; at most four. The stream disposes the codec.</summary>
    /// <returns>False when four are set already.</returns>
    public bool SetCodec(byte payloadType, IAudioCodec codec) => throw new NotImplementedException();

    [NoAlloc]
    public PushVerdict Push(in RtpView packet, MonoTime now) => throw new NotImplementedException();

    /// <param name="pcm">Exactly <see cref="FrameSamples"/>; always filled.</param>
    [NoAlloc]
    public PullResult Pull(Span<short> pcm, MonoTime now) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
