using System.Collections.Generic;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. What the machine wants done, in order.</summary>
internal sealed class Outbox
{
    private readonly Queue<ParticipantOutput> _outputs = new();

    /// <summary>Number of the current dial; every output carries it.</summary>
    public int Socket { get; set; }

    public bool TryTake(out ParticipantOutput output) => _outputs.TryDequeue(out output);

    public void Dial(string url, string token) =>
        _outputs.Enqueue(new ParticipantOutput(ParticipantOutputKind.OpenSocket, Socket) { Url = url, Token = token });

    public void Send(byte[] frame) => _outputs.Enqueue(new ParticipantOutput(ParticipantOutputKind.SendFrame, Socket) { Frame = frame });

    public void CloseSocket() => _outputs.Enqueue(new ParticipantOutput(ParticipantOutputKind.CloseSocket, Socket));

    public void Command(MediaCommand command) => _outputs.Enqueue(new ParticipantOutput(ParticipantOutputKind.Media, Socket) { Media = command });

    public void Tell(RoomEvent roomEvent) => _outputs.Enqueue(new ParticipantOutput(ParticipantOutputKind.Event, Socket) { Event = roomEvent });
}
