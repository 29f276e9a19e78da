using System;
using Proxy.LiveKit.Tokens;

namespace Proxy.DevRoom.Signal;

/// <summary>Room loop. Checks a token and says what is wrong in the stock server's words; the token itself is not repeated in them.</summary>
internal static class TokenCheck
{
    /// <param name="refusal">The body of the 401; empty when accepted.</param>
    public static AccessClaims? Verify(string token, TokenKeys keys, long unixSeconds, out string refusal)
    {
        TokenVerdict verdict = AccessToken.TryVerify(token, keys, unixSeconds, out AccessClaims? claims);
        refusal = verdict switch
        {
            TokenVerdict.Ok => "",
            TokenVerdict.Malformed => "invalid authorization token",
            TokenVerdict.UnknownKey => "invalid API key: " + IssuerOf(token),
            TokenVerdict.BadSignature => "invalid token: error: token signature is invalid: signature is invalid",
            TokenVerdict.BadAlgorithm => "invalid token: error: only HS256 is accepted",
            _ => "invalid token: error: token has invalid claims: token is expired or not valid yet",
        };
        return claims;
    }

    // An API key is no secret; naming it helps whoever mixed two of them up.
    private static string IssuerOf(string token)
    {
        try
        {
            string payload = token.Split('.')[1];
            using System.Text.Json.JsonDocument body = System.Text.Json.JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(payload));
            return body.RootElement.TryGetProperty("iss", out System.Text.Json.JsonElement issuer) ? issuer.ToString() : "";
        }
        catch (Exception e) when (e is FormatException or System.Text.Json.JsonException)
        {
            return "";
        }
    }
}
