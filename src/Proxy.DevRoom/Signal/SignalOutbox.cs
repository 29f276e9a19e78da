using System.Collections.Generic;
using Google.Protobuf;
using Proxy.DevRoom.Rooms;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;

namespace Proxy.DevRoom.Signal;

/// <summary>Room loop. Frames and closes that wait for the runtime, in order over all connections.</summary>
internal sealed class SignalOutbox
{
    private readonly Queue<SignalOutput> _outputs = new();

    public void Send(Participant to, SignalResponse message)
    {
        if (to.Connection is not { } connection)
        {
            return;
        }
        if (to.UsesJson)
        {
            _outputs.Enqueue(new SignalOutput(connection, SignalOutputKind.SendFrame, ProtoJson.Write(message, ProtoJsonStyle.Camel), true, 0));
            return;
        }
        Send(connection, message);
    }

    public void Send(long connection, SignalResponse message) =>
        _outputs.Enqueue(new SignalOutput(connection, SignalOutputKind.SendFrame, message.ToByteArray(), false, 0));

    /// <param name="isText">Protojson instead of protobuf.</param>
    public void Send(long connection, ServerMessage message, bool isText) =>
        _outputs.Enqueue(new SignalOutput(connection, SignalOutputKind.SendFrame, isText ? ProtoJson.Write(message, ProtoJsonStyle.Camel) : message.ToByteArray(), isText, 0));

    /// <summary>Cuts the connection: the other side sees no close frame.</summary>
    public void Abort(long connection) => _outputs.Enqueue(new SignalOutput(connection, SignalOutputKind.Abort, [], false, 0));

    public void Close(long connection, ushort code) =>
        _outputs.Enqueue(new SignalOutput(connection, SignalOutputKind.Close, [], false, code));

    public bool TryTake(out SignalOutput output) => _outputs.TryDequeue(out output);
}
