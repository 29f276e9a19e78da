using System;
using System.Runtime.InteropServices;
using Proxy.Core.Diagnostics;

namespace Proxy.Native.Opus;

/// <summary>One owner. A decoder of libopus that gives mono at the rate asked for, whatever the packet holds.</summary>
public sealed unsafe class OpusDecoder : SafeHandle
{
    /// <param name="rate">8,000, 12,000, 16,000, 24,000 or 48,000 samples a second.</param>
    /// <exception cref="InvalidOperationException">libopus refused.</exception>
    public OpusDecoder(int rate)
        : base(0, ownsHandle: true)
    {
        int error = 0;
        SetHandle(OpusImports.opus_decoder_create(rate, 1, &error));
        if (error != 0 || handle == 0)
        {
            Dispose();
            throw new InvalidOperationException("libopus refused the decoder");
        }
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Decodes one packet.</summary>
    /// <param name="packet">Not empty; an empty packet would ask for concealment.</param>
    /// <param name="pcm">120 ms hold any packet.</param>
    /// <returns>Samples, or 0 for a packet that libopus refused.</returns>
    [NoAlloc]
    public int Decode(ReadOnlySpan<byte> packet, Span<short> pcm) =>
        packet.IsEmpty ? 0 : Run(packet, pcm, useFec: 0);

    /// <summary>Makes up a loss, from the redundancy in the next packet where it has some.</summary>
    /// <param name="next">The packet behind the loss, or empty.</param>
    /// <param name="pcm">The lost time: a multiple of 2.5 ms, filled as a whole.</param>
    /// <returns>Samples, or 0 when libopus refused.</returns>
    [NoAlloc]
    public int Conceal(ReadOnlySpan<byte> next, Span<short> pcm) => Run(next, pcm, next.IsEmpty ? 0 : 1);

    protected override bool ReleaseHandle()
    {
        OpusImports.opus_decoder_destroy(handle);
        return true;
    }

    private int Run(ReadOnlySpan<byte> packet, Span<short> pcm, int useFec)
    {
        Invariant.Holds(!IsClosed, "a decoder is used before it is disposed");
        fixed (byte* packetPointer = packet)
        fixed (short* pcmPointer = pcm)
        {
            int result = OpusImports.opus_decode(handle, packetPointer, packet.Length, pcmPointer, pcm.Length, useFec);
            GC.KeepAlive(this);
            return Math.Max(0, result);
        }
    }
}
