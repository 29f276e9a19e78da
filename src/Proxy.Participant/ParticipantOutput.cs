using System;

namespace Proxy.Participant;

/// <summary>Signal thread. Which of the outputs it is.</summary>
public enum ParticipantOutputKind
{
    /// <summary>Dial <see cref="ParticipantOutput.Url"/> with <c>Authorization: Bearer</c> <see cref="ParticipantOutput.Token"/>; report HandleSocketOpened or HandleSocketRefused with the same <see cref="ParticipantOutput.Socket"/>.</summary>
    OpenSocket,

    /// <summary>Send <see cref="ParticipantOutput.Frame"/> as one binary message.</summary>
    SendFrame,

    /// <summary>Close the WebSocket (1000). Nothing is expected back.</summary>
    CloseSocket,

    /// <summary>Carry <see cref="ParticipantOutput.Media"/> to the shard: <see cref="RoomMedia.Handle"/>.</summary>
    Media,

    /// <summary><see cref="ParticipantOutput.Event"/> for the call.</summary>
    Event,
}

/// <summary>Signal thread. What <see cref="RoomParticipant"/> wants done.</summary>
/// <param name="Kind">Which of the others is set.</param>
/// <param name="Socket">Number of the dial that this belongs to, from 1; inputs about an older socket are ignored.</param>
public readonly record struct ParticipantOutput(ParticipantOutputKind Kind, int Socket)
{
    /// <summary>Holds our ICE password: not logged either.</summary>
    public string? Url { get; init; }

    /// <summary>A secret: never logged.</summary>
    public string? Token { get; init; }

    public ReadOnlyMemory<byte> Frame { get; init; }

    public MediaCommand? Media { get; init; }

    public RoomEvent? Event { get; init; }

    /// <summary>Without address, token and content.</summary>
    public override string ToString() => $"{Kind} on socket {Socket}";
}
