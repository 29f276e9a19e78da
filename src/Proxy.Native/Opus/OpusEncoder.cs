using System;
using System.Runtime.InteropServices;
using Proxy.Core.Diagnostics;

namespace Proxy.Native.Opus;

/// <summary>One owner. A mono speech encoder of libopus, at the rate of its input: no resampler.</summary>
public sealed unsafe class OpusEncoder : SafeHandle
{
    private const int ApplicationVoip = 2048;
    private const int SetBitrate = 4002;
    private const int SetComplexity = 4010;
    private const int SetInbandFec = 4012;
    private const int SetPacketLoss = 4014;
    private const int SetDtx = 4016;
    private const int SetSignal = 4024;
    private const int SignalVoice = 3001;

    /// <param name="rate">8,000, 12,000, 16,000, 24,000 or 48,000 samples a second.</param>
    /// <param name="complexity">0–10.</param>
    /// <param name="bitrate">Bits a second.</param>
    /// <exception cref="InvalidOperationException">libopus refused.</exception>
    public OpusEncoder(int rate, int complexity, int bitrate, bool usesFec, bool usesDtx)
        : base(0, ownsHandle: true)
    {
        int error = 0;
        SetHandle(OpusImports.opus_encoder_create(rate, 1, ApplicationVoip, &error));
        bool isReady = error == 0 && handle != 0
            && Set(SetComplexity, complexity) && Set(SetBitrate, bitrate) && Set(SetSignal, SignalVoice)
            && Set(SetInbandFec, usesFec ? 1 : 0) && Set(SetPacketLoss, usesFec ? 5 : 0) && Set(SetDtx, usesDtx ? 1 : 0);
        if (!isReady)
        {
            Dispose();
            throw new InvalidOperationException("libopus refused the encoder's settings");
        }
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Encodes one frame.</summary>
    /// <param name="pcm">2.5, 5, 10, 20, 40 or 60 ms.</param>
    /// <param name="packet">1,275 bytes hold any frame.</param>
    /// <returns>Bytes, or 0 when libopus refused.</returns>
    [NoAlloc]
    public int Encode(ReadOnlySpan<short> pcm, Span<byte> packet)
    {
        Invariant.Holds(!IsClosed, "an encoder is used before it is disposed");
        fixed (short* pcmPointer = pcm)
        fixed (byte* packetPointer = packet)
        {
            int result = OpusImports.opus_encode(handle, pcmPointer, pcm.Length, packetPointer, packet.Length);
            GC.KeepAlive(this);
            return Math.Max(0, result);
        }
    }

    protected override bool ReleaseHandle()
    {
        OpusImports.opus_encoder_destroy(handle);
        return true;
    }

    private bool Set(int request, int value) => OpusImports.opus_encoder_ctl(handle, request, value) == 0;
}
