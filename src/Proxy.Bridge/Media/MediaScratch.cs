using Proxy.Audio;

namespace Proxy.Bridge.Media;

/// <summary>Shard. Working memory that all calls of a shard share; its content means nothing between two calls.</summary>
public sealed class MediaScratch
{
    /// <summary>A packet being built or polled.</summary>
    public byte[] Packet { get; } = new byte[2048];

    /// <summary>A payload being moved from one leg to the other.</summary>
    public byte[] Payload { get; } = new byte[2048];

    public short[] Pcm { get; } = new short[PlayoutStream.FrameSamples];

    public Mixer Mixer { get; } = new();
}
