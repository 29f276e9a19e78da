using System;
using System.Text;
using Proxy.Server.Signal;
using Xunit;

namespace Proxy.Server.Tests.Signal;

public sealed class SipSecretsTests
{
    private const string Head = "INVITE sip:a@b SIP/2.0\r\n";

    private static string Mask(string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        SipSecrets.Mask(bytes);
        return Encoding.Latin1.GetString(bytes);
    }

    [Theory]
    [InlineData("Authorization: Digest username=\"u\", response=\"0123\", uri=\"sip:b\"", "Authorization: Digest username=\"u\", response=\"****\", uri=\"sip:b\"")]
    [InlineData("proxy-authorization : Digest Response = \"0123\",nonce=\"n\"", "proxy-authorization : Digest Response = \"****\",nonce=\"n\"")]
    [InlineData("Proxy-Authorization: Digest username=\"response\", response=abcd, qop=auth", "Proxy-Authorization: Digest username=\"response\", response=****, qop=auth")]
    [InlineData("Authorization: Digest username=\"u\",\r\n response=\"0123\"", "Authorization: Digest username=\"u\",\r\n response=\"****\"")]
    [InlineData("Authorization: Digest response=\"unfinished", "Authorization: Digest response=\"**********")]
    [InlineData("Subject: response=\"0123\"", "Subject: response=\"0123\"")]
    [InlineData("Authorization: Digest response=", "Authorization: Digest response=")]
    public void Digest_responses_are_masked(string field, string masked) =>
        Assert.Equal($"{Head}{masked}\r\nCall-ID: c\r\n\r\n", Mask($"{Head}{field}\r\nCall-ID: c\r\n\r\n"));

    [Theory]
    [InlineData("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:QUJDRA==|2^20|1:4 UNENCRYPTED_SRTCP", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:********|2^20|1:4 UNENCRYPTED_SRTCP")]
    [InlineData("a=crypto:1 X inline:QUJD;inline:REVG", "a=crypto:1 X inline:****;inline:****")]
    [InlineData("k=clear:secret", "k=************")]
    [InlineData("a=rtpmap:0 inline:QUJD", "a=rtpmap:0 inline:QUJD")]
    public void Keys_of_sdp_are_masked(string line, string masked) =>
        Assert.Equal($"{Head}\r\nv=0\r\n{masked}\r\na=x\r\n", Mask($"{Head}\r\nv=0\r\n{line}\r\na=x\r\n"));

    [Theory]
    [InlineData("Content-Type: application/dtmf-relay\r\n\r\nSignal=5\r\nDuration=160\r\n", "Content-Type: application/dtmf-relay\r\n\r\nSignal=*\r\nDuration=160\r\n")]
    [InlineData("c: application/dtmf\r\n\r\n5", "c: application/dtmf\r\n\r\n*")]
    [InlineData("Content-Type: text/plain\r\n\r\nSignal=5\r\n", "Content-Type: text/plain\r\n\r\nSignal=5\r\n")]
    public void Keyed_digits_are_masked(string rest, string masked) => Assert.Equal(Head + masked, Mask(Head + rest));

    [Fact]
    public void Any_bytes_are_taken()
    {
        byte[] bytes = new byte[512];
        for (int seed = 0; seed < 2_000; seed++)
        {
            new Core.Memory.SeededRandom((ulong)seed).Fill(bytes);
            "Authorization: response=\""u8.CopyTo(bytes.AsSpan(seed % 400));
            SipSecrets.Mask(bytes);
        }
    }
}
