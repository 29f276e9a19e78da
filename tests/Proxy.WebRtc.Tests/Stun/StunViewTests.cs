using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Testing;
using Proxy.WebRtc.Stun;
using Xunit;

namespace Proxy.WebRtc.Tests.Stun;

public sealed class StunViewTests
{
    private static readonly JsonElement s_data = JsonDocument.Parse(TestData.Text("stun", "stun_vectors.json")).RootElement;

    public static IEnumerable<object[]> Vectors()
    {
        foreach (JsonElement vector in s_data.GetProperty("vectors").EnumerateArray())
        {
            yield return [vector.GetProperty("name").GetString()!];
        }
    }

    public static IEnumerable<object[]> Negatives()
    {
        foreach (JsonElement vector in s_data.GetProperty("negative").GetProperty("vectors").EnumerateArray())
        {
            yield return [vector.GetProperty("name").GetString()!];
        }
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Vector_of_rfc5769_is_read_and_verified(string name)
    {
        JsonElement vector = Find(s_data.GetProperty("vectors"), name);
        byte[] bytes = Hex(vector);
        Assert.True(StunView.TryParse(bytes, out StunView view, out StunParseError error), error.ToString());
        using StunIntegrity key = new(Key(vector));
        Assert.True(view.VerifyIntegrity(key));
        JsonElement checks = vector.GetProperty("checks");
        Assert.Equal(checks.TryGetProperty("fp", out _), view.VerifyFingerprint());
        if (vector.TryGetProperty("username", out JsonElement username))
        {
            Assert.Equal(username.GetString(), Encoding.UTF8.GetString(view.Username));
        }
        if (vector.TryGetProperty("priority", out JsonElement priority))
        {
            Assert.Equal(priority.GetUInt32(), view.Priority);
        }
        if (vector.TryGetProperty("ice_controlled", out JsonElement controlled))
        {
            Assert.True(view.IsFromControlled);
            Assert.Equal(ulong.Parse(controlled.GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture), view.TieBreaker);
        }
        if (vector.TryGetProperty("xor_mapped", out JsonElement mapped))
        {
            Assert.True(view.TryGetMappedAddress(out NetEndPoint endPoint));
            Assert.Equal(Point(mapped.GetString()!), endPoint);
        }
    }

    [Theory]
    [MemberData(nameof(Negatives))]
    public void Damaged_message_is_refused_or_fails_verification(string name)
    {
        byte[] bytes = Hex(Find(s_data.GetProperty("negative").GetProperty("vectors"), name));
        using StunIntegrity key = new("VOkJxbRl1RmTxUk/WvJxBt");
        bool isTaken = StunView.TryParse(bytes, out StunView view, out _)
            && view.VerifyIntegrity(key) && (!view.HasFingerprint || view.VerifyFingerprint());
        Assert.False(isTaken);
    }

    [Fact]
    public void Unknown_attribute_that_must_be_understood_is_named()
    {
        byte[] bytes = Hex(Find(s_data.GetProperty("negative").GetProperty("vectors"), "unknown-comprehension-required"));
        Assert.True(StunView.TryParse(bytes, out StunView view, out _));
        Assert.NotEqual(0, view.UnknownRequired);
    }

    [Fact]
    public void Random_damage_never_throws()
    {
        SeededRandom random = new(11);
        using StunIntegrity key = new("VOkJxbRl1RmTxUk/WvJxBt");
        JsonElement vectors = s_data.GetProperty("vectors");
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = Hex(vectors[round % vectors.GetArrayLength()]);
            for (int flips = random.Next(6); flips >= 0; flips--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            ReadOnlySpan<byte> message = bytes.AsSpan(0, random.Next(bytes.Length + 1));
            if (StunView.TryParse(message, out StunView view, out _))
            {
                _ = view.VerifyIntegrity(key);
                _ = view.VerifyFingerprint();
                _ = view.TryGetMappedAddress(out _);
                _ = view.ErrorCode + view.Username.Length + (int)view.Priority + (int)view.TieBreaker;
            }
        }
    }

    internal static NetEndPoint Point(string text)
    {
        Assert.True(NetEndPoint.TryParse(text, out NetEndPoint endPoint), text);
        return endPoint;
    }

    private static byte[] Key(JsonElement vector)
    {
        string password = vector.GetProperty("password").GetString()!;
        if (!vector.TryGetProperty("realm", out JsonElement realm))
        {
            return Encoding.UTF8.GetBytes(password);
        }
        string text = $"{vector.GetProperty("username").GetString()}:{realm.GetString()}:{password}";
        return System.Security.Cryptography.MD5.HashData(Encoding.UTF8.GetBytes(text));
    }

    private static byte[] Hex(JsonElement vector) => Convert.FromHexString(vector.GetProperty("hex").GetString()!);

    private static JsonElement Find(JsonElement list, string name)
    {
        foreach (JsonElement vector in list.EnumerateArray())
        {
            if (vector.GetProperty("name").GetString() == name)
            {
                return vector;
            }
        }
        throw new ArgumentException(name);
    }
}
