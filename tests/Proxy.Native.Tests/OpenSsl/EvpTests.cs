using System;
using System.Security.Cryptography;
using Proxy.Core.Memory;
using Proxy.Native.OpenSsl;
using Xunit;

namespace Proxy.Native.Tests.OpenSsl;

public sealed class EvpTests
{
    [Fact]
    public void Tags_equal_the_runtimes_for_any_length_and_split()
    {
        SeededRandom random = new(1);
        for (int i = 0; i < 500; i++)
        {
            byte[] key = Bytes(random, random.Next(65));
            byte[] message = Bytes(random, random.Next(1500));
            int split = random.Next(message.Length + 1);
            byte[] tag = new byte[20];
            using EvpHmacSha1 hmac = new(key);
            hmac.Compute(message.AsSpan(0, split), message.AsSpan(split), tag);
            Assert.Equal(HMACSHA1.HashData(key, message), tag);
            hmac.Compute(message, default, tag);
            Assert.Equal(HMACSHA1.HashData(key, message), tag);
        }
    }

    [Theory]
    [InlineData(EvpAlgorithm.Aes128Gcm, 16)]
    [InlineData(EvpAlgorithm.Aes256Gcm, 32)]
    public void Sealed_packets_equal_the_runtimes_with_one_context(EvpAlgorithm algorithm, int keyBytes)
    {
        SeededRandom random = new(2);
        byte[] key = Bytes(random, keyBytes);
        using EvpCipher seal = new(algorithm, key, encrypts: true);
        using EvpCipher open = new(algorithm, key, encrypts: false);
        using AesGcm reference = new(key, 16);
        for (int i = 0; i < 500; i++)
        {
            byte[] iv = Bytes(random, 12);
            byte[] associated = Bytes(random, random.Next(40));
            byte[] plain = Bytes(random, random.Next(300));
            byte[] expected = new byte[plain.Length];
            byte[] expectedTag = new byte[16];
            reference.Encrypt(iv, plain, expected, expectedTag, associated);
            byte[] data = (byte[])plain.Clone();
            byte[] tag = new byte[16];
            Assert.True(seal.Seal(iv, associated, data, tag));
            Assert.Equal(expected, data);
            Assert.Equal(expectedTag, tag);
            byte[] forged = (byte[])data.Clone();
            tag[i % 16] ^= 0x80;
            Assert.False(open.Open(iv, associated, forged, tag));
            tag[i % 16] ^= 0x80;
            Assert.True(open.Open(iv, associated, data, tag));
            Assert.Equal(plain, data);
        }
    }

    [Theory]
    [InlineData(EvpAlgorithm.Aes128Ctr, 16)]
    [InlineData(EvpAlgorithm.Aes256Ctr, 32)]
    public void The_counter_starts_anew_with_each_packet(EvpAlgorithm algorithm, int keyBytes)
    {
        SeededRandom random = new(3);
        byte[] key = Bytes(random, keyBytes);
        using Aes aes = Aes.Create();
        aes.Key = key;
        using EvpCipher cipher = new(algorithm, key, encrypts: true);
        for (int i = 0; i < 100; i++)
        {
            byte[] iv = Bytes(random, 16);
            byte[] stream = new byte[40];
            Assert.True(cipher.Transform(iv, stream));
            Assert.Equal(aes.EncryptEcb(iv, PaddingMode.None), stream[..16]);
            Assert.True(cipher.Transform(iv, stream));
            Assert.All(stream, value => Assert.Equal(0, value));
        }
    }

    [Fact]
    public void Wrong_keys_are_refused_and_nothing_leaks()
    {
        Assert.Throws<ArgumentException>(() => new EvpCipher(EvpAlgorithm.Aes128Gcm, new byte[32], true));
        Assert.Throws<ArgumentException>(() => new EvpHmacSha1(new byte[65]));
        EvpCipher cipher = new(EvpAlgorithm.Aes128Ctr, new byte[16], true);
        cipher.Dispose();
        Assert.True(cipher.IsClosed);
        Assert.ThrowsAny<Exception>(() => cipher.Transform(new byte[16], new byte[16]));
    }

    private static byte[] Bytes(SeededRandom random, int count)
    {
        byte[] bytes = new byte[count];
        random.Fill(bytes);
        return bytes;
    }
}
