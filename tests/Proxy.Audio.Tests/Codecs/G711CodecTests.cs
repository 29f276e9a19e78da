using System;
using System.Linq;
using System.Text.Json;
using Proxy.Audio.Codecs;
using Proxy.Testing;
using Xunit;

namespace Proxy.Audio.Tests.Codecs;

public sealed class G711CodecTests
{
    private static readonly JsonElement s_data = JsonDocument.Parse(TestData.Text("g711", "g711.json")).RootElement;

    [Theory]
    [InlineData(G711Law.Mu, "mulaw_decode_s16")]
    [InlineData(G711Law.A, "alaw_decode_s16")]
    public void Every_code_decodes_to_the_recommendation(G711Law law, string name)
    {
        short[] expected = s_data.GetProperty(name).EnumerateArray().Select(value => value.GetInt16()).ToArray();
        byte[] codes = Enumerable.Range(0, 256).Select(code => (byte)code).ToArray();
        short[] pcm = new short[256];
        using G711Codec codec = new(law);
        Assert.Equal(256, codec.Decode(codes, pcm));
        Assert.Equal(expected, pcm);
    }

    [Theory]
    [InlineData(G711Law.Mu, "mulaw_encode_65536.bin")]
    [InlineData(G711Law.A, "alaw_encode_65536.bin")]
    public void Every_sample_encodes_to_the_recorded_code(G711Law law, string file)
    {
        byte[] expected = TestData.Bytes("g711", file);
        short[] pcm = Enumerable.Range(-32_768, 65_536).Select(value => (short)value).ToArray();
        byte[] codes = new byte[65_536];
        using G711Codec codec = new(law);
        Assert.Equal(65_536, codec.Encode(pcm, codes));
        Assert.Equal(expected, codes);
    }

    [Theory]
    [InlineData(G711Law.Mu)]
    [InlineData(G711Law.A)]
    public void Decoding_and_encoding_again_changes_nothing(G711Law law)
    {
        using G711Codec codec = new(law);
        byte[] codes = Enumerable.Range(0, 256).Select(code => (byte)code).ToArray();
        short[] pcm = new short[256];
        byte[] again = new byte[256];
        codec.Decode(codes, pcm);
        codec.Encode(pcm, again);
        if (law == G711Law.Mu)
        {
            // µ-law has two zeros; the negative one comes back as the positive.
            codes[0x7F] = 0xFF;
        }
        Assert.Equal(codes, again);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        using G711Codec codec = new(G711Law.Mu);
        Assert.Equal(0, codec.Encode(new short[160], new byte[159]));
        Assert.Equal(0, codec.Decode(new byte[160], new short[159]));
        Assert.Equal(0, codec.Decode(new byte[1200], new short[1200]));
        Assert.Equal(0, codec.Duration(new byte[1200]));
        Assert.Equal(960, codec.Duration(new byte[960]));
    }
}
