using System;
using Proxy.Core.Diagnostics;
using Proxy.Sip.Parsing;

namespace Proxy.Sip.Auth;

/// <summary>Any thread. Hashes of RFC 7616 / RFC 8760.</summary>
public enum DigestAlgorithm : byte
{
    Md5,
    Sha256,
    Sha512_256,
}

/// <summary>Any thread. Names of the hashes on the wire.</summary>
public static class DigestAlgorithms
{
    /// <summary>Longest hash in hex digits.</summary>
    public const int HexMax = 64;

    [NoAlloc]
    public static ReadOnlySpan<byte> Name(DigestAlgorithm algorithm) => algorithm switch
    {
        DigestAlgorithm.Md5 => "MD5"u8,
        DigestAlgorithm.Sha256 => "SHA-256"u8,
        _ => "SHA-512-256"u8,
    };

    /// <returns>False for an unknown name; the session variants are found with <paramref name="isSession"/>.</returns>
    [NoAlloc]
    public static bool TryFind(ReadOnlySpan<byte> name, out DigestAlgorithm algorithm, out bool isSession)
    {
        isSession = name.Length > 5 && SipText.Same(name[^5..], "-sess"u8);
        name = isSession ? name[..^5] : name;
        algorithm = SipText.Same(name, "MD5"u8) ? DigestAlgorithm.Md5
            : SipText.Same(name, "SHA-256"u8) ? DigestAlgorithm.Sha256
            : DigestAlgorithm.Sha512_256;
        return algorithm != DigestAlgorithm.Sha512_256 || SipText.Same(name, "SHA-512-256"u8);
    }
}
