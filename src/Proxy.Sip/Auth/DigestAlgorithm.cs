namespace Proxy.Sip.Auth;

/// <summary>Any thread. Hashes of RFC 7616 / RFC 8760.</summary>
public enum DigestAlgorithm : byte
{
    Md5,
    Sha256,
    Sha512_256,
}
