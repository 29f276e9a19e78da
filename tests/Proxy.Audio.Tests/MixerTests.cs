using System;
using Proxy.Core.Memory;
using Xunit;

namespace Proxy.Audio.Tests;

public sealed class MixerTests
{
    [Fact]
    public void The_sum_is_exact_and_cut_once()
    {
        SeededRandom random = new(5);
        Mixer mixer = new();
        int[] expected = new int[160];
        for (int stream = 0; stream < 5; stream++)
        {
            short[] pcm = new short[160];
            for (int i = 0; i < pcm.Length; i++)
            {
                pcm[i] = (short)random.Next(65_536);
                expected[i] += pcm[i];
            }
            mixer.Add(pcm);
        }
        short[] mixed = new short[160];
        mixer.Write(mixed);
        Assert.Equal(5, mixer.Streams);
        for (int i = 0; i < mixed.Length; i++)
        {
            Assert.Equal(Math.Clamp(expected[i], short.MinValue, short.MaxValue), mixed[i]);
        }
        mixer.Clear();
        mixer.Write(mixed);
        Assert.All(mixed, sample => Assert.Equal(0, sample));
    }

    [Fact]
    public void One_stream_passes_unchanged()
    {
        short[] pcm = new short[160];
        pcm[0] = short.MinValue;
        pcm[159] = short.MaxValue;
        Mixer mixer = new();
        mixer.Add(pcm);
        short[] mixed = new short[160];
        mixer.Write(mixed);
        Assert.Equal(pcm, mixed);
    }
}
