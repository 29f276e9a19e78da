using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using Proxy.Native.OpenSsl;
using Proxy.Rtp.Srtp;
using Proxy.Testing;
using Xunit;

namespace Proxy.Rtp.Tests.Srtp;

public sealed class SrtpVectorTests
{
    private static readonly JsonElement s_vectors = JsonDocument.Parse(TestData.Text("srtp", "srtp_vectors.json")).RootElement;

    public static IEnumerable<object[]> Packets() =>
        s_vectors.GetProperty("libsrtp_reference_packets").EnumerateArray()
            .Concat(s_vectors.GetProperty("derived").GetProperty("vectors").EnumerateArray())
            .Select(vector => new object[] { vector.GetProperty("name").GetString()! });

    [Fact]
    public void Key_derivation_of_RFC_3711_B3()
    {
        JsonElement b3 = s_vectors.GetProperty("rfc3711").GetProperty("B3");
        byte[] key = Hex(b3, "master_key");
        byte[] salt = Hex(b3, "master_salt");
        AssertDerived(key, salt, SrtpKeys.RtpEncryption, Hex(b3, "cipher_key"));
        AssertDerived(key, salt, SrtpKeys.RtpSalt, Hex(b3, "cipher_salt"));
        AssertDerived(key, salt, SrtpKeys.RtpAuthentication, Hex(b3, "auth_key_94_octets"));
    }

    [Fact]
    public void Key_derivation_of_RFC_6188()
    {
        JsonElement kdf = s_vectors.GetProperty("rfc6188").GetProperty("kdf256");
        byte[] key = Hex(kdf, "master_key");
        byte[] salt = Hex(kdf, "master_salt");
        AssertDerived(key, salt, SrtpKeys.RtpEncryption, Hex(kdf, "cipher_key"));
        AssertDerived(key, salt, SrtpKeys.RtpSalt, Hex(kdf, "cipher_salt"));
        AssertDerived(key, salt, SrtpKeys.RtpAuthentication, Hex(kdf, "auth_key"));
    }

    [Fact]
    public void Key_stream_of_RFC_3711_B2()
    {
        JsonElement b2 = s_vectors.GetProperty("rfc3711").GetProperty("B2");
        using EvpCipher cipher = new(EvpAlgorithm.Aes128Ctr, Hex(b2, "session_key"), encrypts: true);
        foreach (JsonElement pair in b2.GetProperty("keystream").EnumerateArray())
        {
            byte[] stream = new byte[16];
            Assert.True(cipher.Transform(Convert.FromHexString(pair[0].GetString()!), stream));
            Assert.Equal(pair[1].GetString(), Convert.ToHexStringLower(stream));
        }
    }

    [Theory]
    [MemberData(nameof(Packets))]
    public void Packet_is_protected_and_unprotected(string name)
    {
        JsonElement vector = s_vectors.GetProperty("libsrtp_reference_packets").EnumerateArray()
            .Concat(s_vectors.GetProperty("derived").GetProperty("vectors").EnumerateArray())
            .Single(one => one.GetProperty("name").GetString() == name);
        if (vector.TryGetProperty("rtp", out _))
        {
            CheckRtp(vector);
        }
        if (vector.TryGetProperty("rtcp", out _))
        {
            CheckRtcp(vector);
        }
    }

    [Fact]
    public void Rollover_is_guessed_as_appendix_A_does()
    {
        foreach (JsonElement vector in s_vectors.GetProperty("index_estimation").GetProperty("vectors").EnumerateArray())
        {
            uint guess = SrtpSession.GuessRollover(
                vector.GetProperty("s_l").GetUInt16(), vector.GetProperty("roc").GetUInt32(), vector.GetProperty("seq").GetUInt16());
            Assert.Equal(vector.GetProperty("guess_roc").GetUInt32(), guess);
        }
    }

    [Fact]
    public void Gcm_packets_of_RFC_7714()
    {
        JsonElement root = JsonDocument.Parse(TestData.Text("srtp", "rfc7714_vectors.json")).RootElement;
        int checkedVectors = 0;
        foreach (JsonElement vector in root.GetProperty("vectors").EnumerateArray())
        {
            byte[] key = Hex(vector, "key");
            byte[] iv = Hex(vector, "iv");
            byte[] associated = Hex(vector, "aad");
            byte[] plain = HexOrEmpty(vector, "pt", "pt_calc");
            byte[] sealedText = HexOrEmpty(vector, "ct", "ct_calc");
            if (sealedText.Length == 0)
            {
                sealedText = HexOrEmpty(vector, "tag_calc", "tag_calc");
            }
            EvpAlgorithm algorithm = key.Length == 16 ? EvpAlgorithm.Aes128Gcm : EvpAlgorithm.Aes256Gcm;
            byte[] work = [.. plain, .. new byte[16]];
            using EvpCipher seal = new(algorithm, key, encrypts: true);
            Assert.True(seal.Seal(iv, associated, work.AsSpan(0, plain.Length), work.AsSpan(plain.Length)));
            Assert.Equal(sealedText, work);
            using EvpCipher open = new(algorithm, key, encrypts: false);
            Assert.True(open.Open(iv, associated, work.AsSpan(0, plain.Length), work.AsSpan(plain.Length)));
            Assert.Equal(plain, work[..plain.Length]);
            checkedVectors++;
        }
        Assert.Equal(12, checkedVectors);
    }

    private static void CheckRtp(JsonElement vector)
    {
        byte[] plain = Hex(vector, "rtp");
        byte[] wire = Hex(vector, "srtp");
        uint roc = vector.GetProperty("roc").GetUInt32();
        using SrtpSession session = Session(vector);
        if (roc > 0)
        {
            ushort sequence = (ushort)((plain[2] << 8) | plain[3]);
            uint ssrc = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(plain.AsSpan(8));
            session.SeedForTest(ssrc, (((ulong)roc << 16) | sequence) - 1, 0);
        }
        byte[] buffer = new byte[plain.Length + SrtpSession.MaxOverheadBytes];
        plain.CopyTo(buffer, 0);
        int length = session.ProtectRtp(buffer, plain.Length);
        Assert.Equal(Convert.ToHexStringLower(wire), Convert.ToHexStringLower(buffer.AsSpan(0, length)));
        Assert.Equal(SrtpVerdict.Ok, session.UnprotectRtp(buffer.AsSpan(0, length), out int plainLength));
        Assert.Equal(plain, buffer[..plainLength]);
    }

    private static void CheckRtcp(JsonElement vector)
    {
        byte[] plain = Hex(vector, "rtcp");
        byte[] wire = Hex(vector, "srtcp");
        using SrtpSession session = Session(vector);
        uint ssrc = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(plain.AsSpan(4));
        session.SeedForTest(ssrc, 1, vector.GetProperty("srtcp_index").GetUInt32());
        byte[] buffer = new byte[plain.Length + SrtpSession.MaxOverheadBytes];
        plain.CopyTo(buffer, 0);
        int length = session.ProtectRtcp(buffer, plain.Length);
        Assert.Equal(Convert.ToHexStringLower(wire), Convert.ToHexStringLower(buffer.AsSpan(0, length)));
        Assert.Equal(SrtpVerdict.Ok, session.UnprotectRtcp(buffer.AsSpan(0, length), out int plainLength));
        Assert.Equal(plain, buffer[..plainLength]);
    }

    private static SrtpSession Session(JsonElement vector)
    {
        SrtpProfile profile = vector.GetProperty("suite").GetString() switch
        {
            "AES_CM_128_HMAC_SHA1_80" => SrtpProfile.AesCm128HmacSha1_80,
            "AES_CM_128_HMAC_SHA1_32" => SrtpProfile.AesCm128HmacSha1_32,
            "AES_CM_256_HMAC_SHA1_80" => SrtpProfile.AesCm256HmacSha1_80,
            "AEAD_AES_128_GCM" => SrtpProfile.AeadAes128Gcm,
            "AEAD_AES_256_GCM" => SrtpProfile.AeadAes256Gcm,
            string other => throw new InvalidOperationException(other),
            null => throw new InvalidOperationException(),
        };
        byte[] keys = [.. Hex(vector, "master_key"), .. Hex(vector, "master_salt")];
        return new SrtpSession(profile, keys, keys);
    }

    private static void AssertDerived(byte[] key, byte[] salt, byte label, byte[] expected)
    {
        byte[] derived = new byte[expected.Length];
        using EvpCipher master = SrtpKeys.Open(key);
        SrtpKeys.Derive(master, salt, label, derived);
        Assert.Equal(expected, derived);
    }

    private static byte[] Hex(JsonElement element, string name) => Convert.FromHexString(element.GetProperty(name).GetString()!);

    private static byte[] HexOrEmpty(JsonElement element, string name, string other) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? Convert.FromHexString(value.GetString()!)
        : element.TryGetProperty(other, out value) && value.ValueKind == JsonValueKind.String ? Convert.FromHexString(value.GetString()!)
        : [];
}
