using System;
using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Proxy.LiveKit.Tokens;

/// <summary>What became of a token.</summary>
public enum TokenVerdict : byte
{
    Ok,

    /// <summary>Not three base64url parts of JSON, or longer than <see cref="AccessToken.MaxLength"/>, or a claim of the wrong type.</summary>
    Malformed,

    /// <summary>Not HS256, or a header that asks for more than we know (crit).</summary>
    BadAlgorithm,

    /// <summary>No such API key.</summary>
    UnknownKey,

    BadSignature,

    Expired,

    NotYetValid,
}

/// <summary>Any thread. LiveKit's access tokens: JWT, HS256 and nothing else.</summary>
/// <remarks>RFC 7519, RFC 7515 §5. The algorithm is fixed by us, never taken from the token (RFC 8725 §3.1).</remarks>
public static class AccessToken
{
    /// <summary>Longest token, characters: one that carries a whole room configuration is a few thousand.</summary>
    public const int MaxLength = 32 * 1024;

    /// <summary>How far clocks may differ, seconds.</summary>
    public const long LeewaySeconds = 60;

    private const int SignatureBytes = 32;
    private const string Header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

    private static readonly SearchValues<char> s_alphabet = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>Signs claims.</summary>
    /// <param name="secret">UTF-8 bytes of the API secret.</param>
    public static string Mint(AccessClaims claims, ReadOnlySpan<byte> secret)
    {
        string body = Header + "." + Base64Url.EncodeToString(ClaimsJson.Write(claims));
        Span<byte> signature = stackalloc byte[SignatureBytes];
        HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(body), signature);
        return body + "." + Base64Url.EncodeToString(signature);
    }

    /// <summary>Checks signature and times, and reads the claims.</summary>
    /// <param name="token">Without <c>Bearer</c>.</param>
    /// <param name="nowSeconds">Seconds since 1970.</param>
    /// <param name="claims">Null unless Ok.</param>
    /// <returns>Ok, or the first thing that is wrong. A token without exp never expires, as with LiveKit.</returns>
    public static TokenVerdict TryVerify(ReadOnlySpan<char> token, TokenKeys keys, long nowSeconds, out AccessClaims? claims)
    {
        claims = null;
        int first = token.IndexOf('.');
        int last = token.LastIndexOf('.');
        if (token.Length > MaxLength || first <= 0 || last <= first || token[(first + 1)..last].Contains('.')
            || !TryDecode(token[..first], out byte[] header) || !TryDecode(token[(first + 1)..last], out byte[] payload))
        {
            return TokenVerdict.Malformed;
        }
        TokenVerdict headerVerdict = ClaimsJson.ReadHeader(header);
        if (headerVerdict != TokenVerdict.Ok)
        {
            return headerVerdict;
        }
        if (!TryDecode(token[(last + 1)..], out byte[] signature) || !ClaimsJson.TryRead(payload, out AccessClaims? read))
        {
            return TokenVerdict.Malformed;
        }
        if (!keys.TryGetSecret(read!.ApiKey, out ReadOnlySpan<byte> secret))
        {
            return TokenVerdict.UnknownKey;
        }
        if (!IsSigned(token[..last], secret, signature))
        {
            return TokenVerdict.BadSignature;
        }
        if (read.ExpiresAt is long expiresAt && nowSeconds >= Saturated(expiresAt, LeewaySeconds))
        {
            return TokenVerdict.Expired;
        }
        if (read.NotBefore is long notBefore && nowSeconds < Saturated(notBefore, -LeewaySeconds))
        {
            return TokenVerdict.NotYetValid;
        }
        claims = read;
        return TokenVerdict.Ok;
    }

    private static bool IsSigned(ReadOnlySpan<char> body, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> signature)
    {
        byte[] bytes = new byte[body.Length];
        Ascii.FromUtf16(body, bytes, out int _);
        Span<byte> expected = stackalloc byte[SignatureBytes];
        HMACSHA256.HashData(secret, bytes, expected);
        return CryptographicOperations.FixedTimeEquals(expected, signature);
    }

    private static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        if (text.ContainsAnyExcept(s_alphabet))
        {
            return false;
        }
        byte[] decoded = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        // The Try overload throws for a length that base64 cannot have.
        if (Base64Url.DecodeFromChars(text, decoded, out _, out int written) != OperationStatus.Done)
        {
            return false;
        }
        bytes = decoded[..written];
        return true;
    }

    private static long Saturated(long time, long delta) => time > long.MaxValue - 3600 ? long.MaxValue : time < long.MinValue + 3600 ? long.MinValue : time + delta;
}
