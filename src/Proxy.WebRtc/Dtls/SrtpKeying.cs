using System;
using System.Security.Cryptography;
using Proxy.Rtp.Srtp;

namespace Proxy.WebRtc.Dtls;

/// <summary>Any thread. Makes an SRTP session of a finished DTLS handshake.</summary>
/// <remarks>RFC 5764 §4.2: client key, server key, client salt, server salt; profile numbers of §4.1.2 and RFC 7714 §14.2.</remarks>
internal static class SrtpKeying
{
    private const int MaterialMax = 2 * (32 + 14);

    /// <returns>Null when the peer agreed to no profile that we know, or the export failed.</returns>
    public static SrtpSession? TryCreate(IDtls dtls, bool isClient)
    {
        if (!TryGetProfile(dtls.SrtpProfileId, out SrtpProfile profile))
        {
            return null;
        }
        SrtpParameters parameters = SrtpParameters.Of(profile);
        int key = parameters.KeyBytes;
        int salt = parameters.SaltBytes;
        Span<byte> material = stackalloc byte[MaterialMax];
        material = material[..(2 * (key + salt))];
        if (!dtls.TryExportSrtpKeys(material))
        {
            return null;
        }
        Span<byte> client = stackalloc byte[key + salt];
        Span<byte> server = stackalloc byte[key + salt];
        material[..key].CopyTo(client);
        material.Slice(key, key).CopyTo(server);
        material.Slice(2 * key, salt).CopyTo(client[key..]);
        material.Slice((2 * key) + salt, salt).CopyTo(server[key..]);
        SrtpSession session = isClient ? new SrtpSession(profile, client, server) : new SrtpSession(profile, server, client);
        CryptographicOperations.ZeroMemory(material);
        CryptographicOperations.ZeroMemory(client);
        CryptographicOperations.ZeroMemory(server);
        return session;
    }

    private static bool TryGetProfile(int id, out SrtpProfile profile)
    {
        (bool isKnown, profile) = id switch
        {
            1 => (true, SrtpProfile.AesCm128HmacSha1_80),
            7 => (true, SrtpProfile.AeadAes128Gcm),
            8 => (true, SrtpProfile.AeadAes256Gcm),
            _ => (false, default),
        };
        return isKnown;
    }
}
