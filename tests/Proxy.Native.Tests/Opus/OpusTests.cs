using System;
using Proxy.Native.Opus;
using Xunit;

namespace Proxy.Native.Tests.Opus;

public sealed class OpusTests
{
    [Fact]
    public void The_library_names_itself() => Assert.StartsWith("libopus 1.", OpusLibrary.Version, StringComparison.Ordinal);

    [Fact]
    public void Settings_out_of_range_are_refused()
    {
        Assert.Throws<InvalidOperationException>(() => new OpusEncoder(8000, 99, 24_000, false, false));
        Assert.Throws<InvalidOperationException>(() => new OpusEncoder(11_025, 5, 24_000, false, false));
        Assert.Throws<InvalidOperationException>(() => new OpusDecoder(44_100));
    }

    [Fact]
    public void Frames_and_packets_that_libopus_refuses_give_nothing()
    {
        using OpusEncoder encoder = new(8000, 5, 24_000, usesFec: true, usesDtx: false);
        using OpusDecoder decoder = new(8000);
        byte[] packet = new byte[1275];
        short[] pcm = new short[960];
        Assert.Equal(0, encoder.Encode(pcm.AsSpan(0, 161), packet));
        Assert.Equal(0, encoder.Encode(pcm.AsSpan(0, 160), default));
        Assert.Equal(0, decoder.Decode(default, pcm));
        Assert.Equal(0, decoder.Decode([0xFF], pcm));
        int bytes = encoder.Encode(pcm.AsSpan(0, 160), packet);
        Assert.Equal(0, decoder.Decode(packet.AsSpan(0, bytes), pcm.AsSpan(0, 80)));
        Assert.Equal(160, decoder.Decode(packet.AsSpan(0, bytes), pcm));
        Assert.Equal(160, decoder.Conceal(packet.AsSpan(0, bytes), pcm.AsSpan(0, 160)));
        Assert.Equal(0, decoder.Conceal(default, pcm.AsSpan(0, 161)));
    }
}
