using System.Collections.Generic;
using Proxy.LiveKit.Protocol;

namespace Proxy.LiveKit.Tokens;

/// <summary>Any thread. The content of an access token. Times are seconds since 1970; null where the token has none.</summary>
public sealed record AccessClaims
{
    /// <summary>Claim iss: which secret signs.</summary>
    public required string ApiKey { get; init; }

    /// <summary>Claim sub, else jti.</summary>
    public string Identity { get; init; } = "";

    public string Name { get; init; } = "";

    /// <summary><c>standard</c>, <c>ingress</c>, <c>egress</c>, <c>sip</c>, <c>agent</c>, <c>connector</c>, <c>bridge</c>, or empty.</summary>
    public string Kind { get; init; } = "";

    public string Metadata { get; init; } = "";

    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    public long? NotBefore { get; init; }

    public long? IssuedAt { get; init; }

    public long? ExpiresAt { get; init; }

    public VideoGrant? Video { get; init; }

    public SipGrant? Sip { get; init; }

    public AgentGrant? Agent { get; init; }

    public string RoomPreset { get; init; } = "";

    /// <summary>Applied when the join creates the room.</summary>
    public RoomConfiguration? RoomConfig { get; init; }

    /// <summary>Base64 of the SHA-256 of a webhook's body.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary>The kind as the protocol counts it; an unknown name is a standard participant.</summary>
    public ParticipantInfo.Types.Kind ParticipantKind => Kind switch
    {
        "ingress" => ParticipantInfo.Types.Kind.Ingress,
        "egress" => ParticipantInfo.Types.Kind.Egress,
        "sip" => ParticipantInfo.Types.Kind.Sip,
        "agent" => ParticipantInfo.Types.Kind.Agent,
        "connector" => ParticipantInfo.Types.Kind.Connector,
        "bridge" => ParticipantInfo.Types.Kind.Bridge,
        _ => ParticipantInfo.Types.Kind.Standard,
    };
}
