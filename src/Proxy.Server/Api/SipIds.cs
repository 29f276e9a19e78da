using System.Security.Cryptography;

namespace Proxy.Server.Api;

/// <summary>Any thread. Ids of stored objects: a prefix and twelve letters or digits, as LiveKit makes them.</summary>
public static class SipIds
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    public static string New(string prefix) => prefix + RandomNumberGenerator.GetString(Letters, 12);
}
