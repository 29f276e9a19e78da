namespace Proxy.WebRtc.Stun;

/// <summary>The binding messages that ICE uses (RFC 8489 §5: class bits within the type field).</summary>
public enum StunMessageType
{
    BindingRequest = 0x0001,
    BindingIndication = 0x0011,
    BindingSuccess = 0x0101,
    BindingError = 0x0111,
}

/// <summary>Why a datagram is no usable STUN message.</summary>
public enum StunParseError
{
    None,

    /// <summary>Shorter than a header, wrong cookie or first bits.</summary>
    NotStun,

    /// <summary>The length field disagrees with the datagram.</summary>
    BadLength,

    /// <summary>An attribute leaves the message, or one we read has a wrong size.</summary>
    BadAttribute,
}

/// <summary>Attribute numbers (RFC 8489 §18.3, RFC 8445 §16.1).</summary>
internal static class StunAttribute
{
    public const int Username = 0x0006;
    public const int MessageIntegrity = 0x0008;
    public const int ErrorCode = 0x0009;
    public const int UnknownAttributes = 0x000A;
    public const int XorMappedAddress = 0x0020;
    public const int Priority = 0x0024;
    public const int UseCandidate = 0x0025;
    public const int Fingerprint = 0x8028;
    public const int IceControlled = 0x8029;
    public const int IceControlling = 0x802A;

    /// <summary>Below this number an attribute must be understood.</summary>
    public const int FirstOptional = 0x8000;
}
