using System;
using System.Linq;
using System.Text;
using System.Text.Json;
using Proxy.Sip.Auth;
using Proxy.Testing;
using Xunit;

namespace Proxy.Sip.Tests.Auth;

public sealed class DigestTests
{
    public static TheoryData<string> Names => [.. Vectors().Select(v => v.GetProperty("name").GetString()!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Vector_is_computed(string name)
    {
        JsonElement v = Vectors().Single(x => x.GetProperty("name").GetString() == name);
        string header = $"Digest username=\"{v.GetProperty("user")}\", realm=\"{v.GetProperty("realm")}\", nonce=\"{v.GetProperty("nonce")}\", uri=\"{v.GetProperty("uri")}\", response=\"{v.GetProperty("response")}\", algorithm={v.GetProperty("alg")}";
        if (v.TryGetProperty("qop", out JsonElement qop))
        {
            header += $", qop={qop}, nc={v.GetProperty("nc")}, cnonce=\"{v.GetProperty("cnonce")}\"";
        }
        Assert.True(DigestCredentialsView.TryParse(Encoding.UTF8.GetBytes(header), out DigestCredentialsView credentials));
        byte[] ha1 = new byte[64];
        int length = DigestResponse.ComputeHa1(credentials.Algorithm, Utf8(v, "user"), Utf8(v, "realm"), Utf8(v, "pw"), ha1);
        if (!credentials.IsSession)
        {
            Assert.Equal(v.GetProperty("ha1").GetString(), Encoding.ASCII.GetString(ha1, 0, length));
        }
        byte[] response = new byte[64];
        byte[] body = v.TryGetProperty("body_text", out _) ? Utf8(v, "body_text") : [];
        int n = DigestResponse.Compute(in credentials, ha1.AsSpan(0, length), Utf8(v, "method"), body, response);
        Assert.Equal(v.GetProperty("response").GetString(), Encoding.ASCII.GetString(response, 0, n));
        if (body.Length == 0 || credentials.Qop.IsEmpty || !credentials.Qop.SequenceEqual("auth-int"u8))
        {
            Assert.True(DigestResponse.Verify(in credentials, ha1.AsSpan(0, length), Utf8(v, "method")) || credentials.Qop.SequenceEqual("auth-int"u8));
            Assert.False(DigestResponse.Verify(in credentials, ha1.AsSpan(0, length), "BYE"u8));
        }
    }

    [Theory]
    [InlineData("Digest username=bob,realm=biloxi.com,nonce=abc,uri=sip:b@x,response=00000000000000000000000000000000", true)]
    [InlineData("Digest username=\"bo\\\"b\", realm=\"biloxi.com\", nonce=\"abc\", uri=\"sip:b@x\", response=\"00000000000000000000000000000000\"", true)]
    [InlineData("Digest username=\"bob\", realm=\"biloxi.com\", nonce=\"abc\", uri=\"sip:b@x\"", false)]
    [InlineData("Digest username=\"bob\", username=\"root\", realm=\"biloxi.com\", nonce=\"abc\", uri=\"sip:b@x\", response=\"00000000000000000000000000000000\"", false)]
    [InlineData("Digest username=\"bob\", realm=\"biloxi.com\", nonce=\"abc\", uri=\"sip:b@x\", response=\"00\"", true)]
    [InlineData("Digest username=\"bob\", realm=\"biloxi.com\", nonce=\"\", uri=\"sip:b@x\", response=\"00\"", false)]
    [InlineData("digest USERNAME=\"bob\", realm=\"biloxi.com\", nonce=\"a\", uri=\"sip:b@x\", response=\"00\", algorithm=\"md5\"", true)]
    [InlineData("Digest username=\"bob\", realm=\"biloxi.com\", nonce=\"a\", uri=\"sip:b@x\", response=\"00\", algorithm=ROT13", false)]
    [InlineData("Bearer xyz", false)]
    [InlineData("Digest", false)]
    [InlineData("Digest username=\"bob", false)]
    public void Credentials_are_read_or_refused(string header, bool isRead)
    {
        Assert.Equal(isRead, DigestCredentialsView.TryParse(Encoding.ASCII.GetBytes(header), out DigestCredentialsView view));
        if (isRead)
        {
            Assert.False(DigestResponse.Verify(in view, "00000000000000000000000000000000"u8, "INVITE"u8));
        }
    }

    [Fact]
    public void Challenge_is_one_line_that_names_its_algorithm()
    {
        byte[] buffer = new byte[200];
        int n = DigestChallenge.Write(buffer, "Live\"Kit"u8, "n0nce"u8, DigestAlgorithm.Sha256, withQop: true, isStale: true);
        Assert.Equal("Digest realm=\"Live\\\"Kit\",nonce=\"n0nce\",algorithm=SHA-256,qop=\"auth\",stale=true", Encoding.ASCII.GetString(buffer, 0, n));
        Assert.Equal(0, DigestChallenge.Write(buffer.AsSpan(0, 20), "LiveKit"u8, "n"u8, DigestAlgorithm.Md5, false, false));
    }

    private static byte[] Utf8(JsonElement v, string name) => Encoding.UTF8.GetBytes(v.GetProperty(name).GetString()!);

    private static JsonElement[] Vectors() =>
        [.. JsonDocument.Parse(TestData.Text("digest", "digest_vectors.json")).RootElement.GetProperty("vectors").EnumerateArray()];
}
