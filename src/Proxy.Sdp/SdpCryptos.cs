using System;
using System.Buffers;
using System.Buffers.Text;

namespace Proxy.Sdp;

/// <summary>One owner. One <c>a=crypto</c> line that we could use, borrowed. Holds a key: never log it.</summary>
/// <remarks>RFC 4568 §9.1: <c>tag SP suite SP inline:key[|lifetime] [SP session-params]</c>.</remarks>
public readonly ref struct SdpCrypto
{
    private readonly ReadOnlySpan<byte> _key;

    private SdpCrypto(uint tag, SrtpSuites suite, ReadOnlySpan<byte> key)
    {
        Tag = tag;
        Suite = suite;
        _key = key;
    }

    /// <summary>1–9 digits; an answer repeats it.</summary>
    public uint Tag { get; }

    public SrtpSuites Suite { get; }

    /// <summary>Reads the attribute's value.</summary>
    /// <returns>
    /// False for an unknown suite, a key of another length, several keys, an MKI, or a session parameter that we do not
    /// know and may not ignore: such a line must be passed over (RFC 4568 §5.1.2, §6.3).
    /// </returns>
    public static bool TryParse(ReadOnlySpan<byte> value, out SdpCrypto crypto)
    {
        crypto = default;
        ReadOnlySpan<byte> tagText = SdpText.NextWord(ref value);
        if (tagText.Length > 9 || !SdpText.TryNumber(tagText, out uint tag))
        {
            return false;
        }
        SrtpSuites suite = SrtpSuiteFacts.Read(SdpText.NextWord(ref value));
        ReadOnlySpan<byte> key = SdpText.NextWord(ref value);
        if (suite == SrtpSuites.None || !key.StartsWith("inline:"u8) || key.Contains((byte)';') || !AreParametersHarmless(value))
        {
            return false;
        }
        key = key[7..];
        int bar = key.IndexOf((byte)'|');
        if (bar >= 0)
        {
            if (!IsLifetime(key[(bar + 1)..]))
            {
                return false;
            }
            key = key[..bar];
        }
        crypto = new SdpCrypto(tag, suite, key);
        Span<byte> probe = stackalloc byte[SrtpSuiteFacts.MaxKeySaltBytes];
        bool isKey = crypto.ReadKeySalt(probe) != 0;
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(probe);
        return isKey;
    }

    /// <summary>Decodes key and salt.</summary>
    /// <param name="destination">At least <see cref="SrtpSuiteFacts.KeySaltBytes"/> of the suite; the caller zeroes it after use.</param>
    /// <returns>Bytes written; 0 when the text is no key of this suite.</returns>
    public int ReadKeySalt(Span<byte> destination)
    {
        int length = Suite.KeySaltBytes();
        Span<byte> decoded = stackalloc byte[SrtpSuiteFacts.MaxKeySaltBytes + 2];
        bool isKey = length != 0 && _key.Length == (length + 2) / 3 * 4 && destination.Length >= length
            && Base64.DecodeFromUtf8(_key, decoded, out _, out int written) == OperationStatus.Done && written == length;
        if (isKey)
        {
            decoded[..length].CopyTo(destination);
        }
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(decoded);
        return isKey ? length : 0;
    }

    /// <summary>A lifetime is accepted and not enforced: a call of 24 hours sends 2^22 packets. A second bar would be an MKI.</summary>
    private static bool IsLifetime(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("2^"u8))
        {
            return SdpText.TryNumber(text[2..], out uint exponent) && exponent is >= 1 and <= 48;
        }
        return SdpText.TryNumber64(text, out ulong packets) && packets > 0;
    }

    /// <summary>Only WSH (a hint) and KDR=0 (no key derivation) change nothing; a leading minus marks what may be ignored.</summary>
    private static bool AreParametersHarmless(ReadOnlySpan<byte> rest)
    {
        while (true)
        {
            ReadOnlySpan<byte> parameter = SdpText.NextWord(ref rest);
            if (parameter.IsEmpty)
            {
                return true;
            }
            if (parameter[0] != (byte)'-' && !parameter.StartsWith("WSH="u8) && !parameter.SequenceEqual("KDR=0"u8))
            {
                return false;
            }
        }
    }
}

/// <summary>One owner. Walks the usable crypto lines of a section in the order of the sender's preference.</summary>
public ref struct SdpCryptos
{
    private SdpAttributes _attributes;

    internal SdpCryptos(ReadOnlySpan<byte> section) => _attributes = new SdpAttributes(section, "crypto"u8);

    public SdpCrypto Current { get; private set; }

    public readonly SdpCryptos GetEnumerator() => this;

    public bool MoveNext()
    {
        while (_attributes.MoveNext())
        {
            if (SdpCrypto.TryParse(_attributes.Value, out SdpCrypto crypto))
            {
                Current = crypto;
                return true;
            }
        }
        return false;
    }
}
