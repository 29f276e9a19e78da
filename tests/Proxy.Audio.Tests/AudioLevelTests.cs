using System;
using Proxy.Audio.Codecs;
using Proxy.Audio.Tones;
using Xunit;

namespace Proxy.Audio.Tests;

public sealed class AudioLevelTests
{
    [Theory]
    [InlineData(0, 3)]
    [InlineData(-10, 13)]
    [InlineData(-20, 23)]
    [InlineData(-40, 43)]
    public void A_sine_is_three_decibels_below_its_peak(double dbfs, int expected)
    {
        short[] pcm = new short[160];
        new SineWave(1000, dbfs).Fill(pcm);
        Assert.Equal(expected, AudioLevel.OfPcm(pcm));
        foreach (G711Law law in new[] { G711Law.Mu, G711Law.A })
        {
            byte[] payload = new byte[160];
            using G711Codec codec = new(law);
            codec.Encode(pcm, payload);
            Assert.InRange(AudioLevel.OfG711(payload, law), expected - 1, expected + 1);
        }
    }

    [Fact]
    public void Silence_is_127_and_full_scale_is_0()
    {
        short[] pcm = new short[160];
        Assert.Equal(127, AudioLevel.OfPcm(pcm));
        Array.Fill(pcm, short.MinValue);
        Assert.Equal(0, AudioLevel.OfPcm(pcm));
        byte[] payload = new byte[160];
        Array.Fill(payload, (byte)0xFF);
        Assert.Equal(127, AudioLevel.OfG711(payload, G711Law.Mu));
        Assert.Equal(127, AudioLevel.OfG711(default, G711Law.Mu));
    }
}
