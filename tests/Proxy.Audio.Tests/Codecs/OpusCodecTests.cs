using System;
using Proxy.Audio.Codecs;
using Proxy.Audio.Tones;
using Proxy.Core.Memory;
using Xunit;

namespace Proxy.Audio.Tests.Codecs;

public sealed class OpusCodecTests
{
    [Theory]
    [InlineData(80)]
    [InlineData(160)]
    [InlineData(320)]
    [InlineData(480)]
    public void The_duration_is_read_without_decoding(int samples)
    {
        using OpusCodec codec = new(new OpusOptions(), CodecUse.Both);
        short[] pcm = new short[samples];
        new SineWave(440, -10).Fill(pcm);
        byte[] packet = new byte[1275];
        int bytes = codec.Encode(pcm, packet);
        Assert.True(bytes > 0);
        Assert.Equal(samples, codec.Duration(packet.AsSpan(0, bytes)));
        Assert.Equal(samples, codec.Decode(packet.AsSpan(0, bytes), new short[960]));
    }

    [Theory]
    [InlineData(440)]
    [InlineData(1000)]
    public void A_tone_keeps_frequency_and_level(double hz)
    {
        using OpusCodec codec = new(new OpusOptions(), CodecUse.Both);
        SineWave sine = new(hz, -10);
        byte[] packet = new byte[1275];
        short[] frame = new short[160];
        short[] heard = new short[160 * 150];
        short[] decoded = new short[960];
        for (int i = 0; i < 150; i++)
        {
            sine.Fill(frame);
            int bytes = codec.Encode(frame, packet);
            Assert.Equal(160, codec.Decode(packet.AsSpan(0, bytes), decoded));
            decoded.AsSpan(0, 160).CopyTo(heard.AsSpan(i * 160));
        }
        double level = Goertzel.LevelDbfs(heard.AsSpan(8000, 8000), hz);
        Assert.InRange(level, -10.5, -9.5);
        Assert.True(ToneGaps.LongestMs(heard.AsSpan(8000), hz, -16) < 10);
    }

    [Theory]
    [InlineData(G711Law.Mu, 440, -10)]
    [InlineData(G711Law.A, 1000, -20)]
    public void From_G711_through_Opus_to_G711_a_tone_keeps_frequency_and_level(G711Law law, double hz, double dbfs)
    {
        using G711Codec g711 = new(law);
        using OpusCodec opus = new(new OpusOptions(), CodecUse.Both);
        SineWave sine = new(hz, dbfs);
        byte[] packet = new byte[1275];
        short[] pcm = new short[960];
        short[] heard = new short[160 * 150];
        for (int i = 0; i < 150; i++)
        {
            sine.Fill(pcm.AsSpan(0, 160));
            g711.Encode(pcm.AsSpan(0, 160), packet);
            g711.Decode(packet.AsSpan(0, 160), pcm);
            int bytes = opus.Encode(pcm.AsSpan(0, 160), packet);
            opus.Decode(packet.AsSpan(0, bytes), pcm);
            g711.Encode(pcm.AsSpan(0, 160), packet);
            g711.Decode(packet.AsSpan(0, 160), heard.AsSpan(i * 160, 160));
        }
        Assert.InRange(Goertzel.LevelDbfs(heard.AsSpan(8000, 8000), hz), dbfs - 0.5, dbfs + 0.5);
        Assert.True(Goertzel.LevelDbfs(heard.AsSpan(8000, 8000), hz + 100) < dbfs - 30);
    }

    [Fact]
    public void Any_packet_is_decoded_or_refused_within_its_duration()
    {
        using OpusCodec codec = new(new OpusOptions(), CodecUse.Decode);
        SeededRandom random = new(3);
        short[] pcm = new short[960];
        for (int i = 0; i < 20_000; i++)
        {
            byte[] packet = new byte[random.Next(60)];
            random.Fill(packet);
            int said = codec.Duration(packet);
            int decoded = codec.Decode(packet, pcm);
            Assert.True(decoded == 0 || decoded == said, $"packet {Convert.ToHexString(packet)}: said {said}, gave {decoded}");
        }
    }

    [Fact]
    public void A_loss_in_a_tone_is_made_up_for()
    {
        using OpusCodec codec = new(new OpusOptions(), CodecUse.Both);
        SineWave sine = new(440, -10);
        byte[] packet = new byte[1275];
        short[] frame = new short[160];
        short[] pcm = new short[160];
        for (int i = 0; i < 50; i++)
        {
            sine.Fill(frame);
            int bytes = codec.Encode(frame, packet);
            Assert.Equal(160, codec.Decode(packet.AsSpan(0, bytes), pcm));
        }
        Assert.True(codec.Conceal(default, pcm));
        Assert.True(Goertzel.LevelDbfs(pcm, 440) > -16);
    }
}
