using System;

namespace Proxy.Policy.Trunks;

/// <summary>Any thread. SRTP on the carrier's side (SIPMediaEncryption).</summary>
public enum MediaEncryption
{
    Disable = 0,
    Allow = 1,
    Require = 2,
}

/// <summary>Any thread. What the caller's track is in the room.</summary>
public enum Passthrough
{
    /// <summary>G.711 untouched where the room server takes it, else Opus.</summary>
    Auto = 0,
    Opus = 1,
    G711 = 2,
}

/// <summary>Any thread. One codec of SIPMediaConfig.</summary>
/// <param name="Name">Encoding name as in SDP: PCMU, PCMA, G722.</param>
/// <param name="ClockHz">RTP clock rate; 0 means the codec's own.</param>
public readonly record struct CodecChoice(string Name, uint ClockHz);

/// <summary>Any thread. SIPMediaConfig and the passthrough switch, trunk and rule merged.</summary>
public sealed record MediaPolicy
{
    public static MediaPolicy Default { get; } = new();

    /// <summary>Codecs in order of wish; they are added to the defaults unless <see cref="OnlyListedCodecs"/>.</summary>
    public CodecChoice[] Codecs { get; init; } = [];

    public bool OnlyListedCodecs { get; init; }

    /// <summary>Null when not set.</summary>
    public MediaEncryption? Encryption { get; init; }

    /// <summary>Silence that ends the call, at most 10 minutes; null means the node's default.</summary>
    public TimeSpan? MediaTimeout { get; init; }

    public Passthrough Passthrough { get; init; }
}
