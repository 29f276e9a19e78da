using System;
using Proxy.Audio.Tones;
using Xunit;

namespace Proxy.Audio.Tests.Tones;

public sealed class ToneTests
{
    [Theory]
    [InlineData(440, -10)]
    [InlineData(1000, -3)]
    [InlineData(1000, -30)]
    public void The_level_of_a_tone_is_found_and_no_other(double hz, double dbfs)
    {
        short[] pcm = new short[8000];
        new SineWave(hz, dbfs).Fill(pcm);
        Assert.InRange(Goertzel.LevelDbfs(pcm, hz), dbfs - 0.05, dbfs + 0.05);
        Assert.True(Goertzel.LevelDbfs(pcm, hz + 200) < dbfs - 40);
        Assert.Equal(Goertzel.Floor, Goertzel.LevelDbfs(new short[800], hz));
    }

    [Fact]
    public void The_longest_gap_is_measured_in_samples()
    {
        short[] pcm = new short[8000];
        new SineWave(1000, -10).Fill(pcm);
        Assert.True(ToneGaps.LongestMs(pcm, 1000, -16) < 5);
        Array.Clear(pcm, 2000, 480);
        Array.Clear(pcm, 5000, 160);
        Assert.InRange(ToneGaps.LongestMs(pcm, 1000, -16), 50, 65);
        Array.Clear(pcm);
        Assert.Equal(1000, ToneGaps.LongestMs(pcm, 1000, -16));
    }

    [Fact]
    public void A_WAV_file_is_read_whatever_chunks_it_has_and_never_throws()
    {
        byte[] wav = [.. "RIFF\0\0\0\0WAVELIST"u8, 3, 0, 0, 0, 1, 2, 3, 0, .. "fmt "u8, 16, 0, 0, 0, 7, 0, 1, 0, 0x40, 0x1F, 0, 0, 0x40, 0x1F, 0, 0, 1, 0, 8, 0, .. "data"u8, 2, 0, 0, 0, 0xFF, 0x00];
        Assert.True(WavReader.TryRead(wav, 1, out short[] samples, out string error), error);
        Assert.Equal([0, -32_124], samples);
        for (int length = 0; length < wav.Length - 2; length++)
        {
            Assert.False(WavReader.TryRead(wav.AsSpan(0, length), 1, out _, out error));
            Assert.NotEmpty(error);
        }
        wav[32] = 2;
        Assert.False(WavReader.TryRead(wav, 1, out _, out error));
    }
}
