using System.Threading.Tasks;
using Proxy.DevRoom;
using Proxy.DevRoom.DemoAgent;

namespace Proxy.Server.Rooms;

internal enum RoomInputKind
{
    Open,
    Frame,
    Closed,
    Service,
    DemoAgent,
}

/// <summary>Any thread. Something for the room loop; made in the async world, read once.</summary>
internal sealed class RoomInput
{
    public required RoomInputKind Kind { get; init; }

    public long Connection { get; init; }

    /// <summary>Path of an Open, method of a Service call, room of a DemoAgent.</summary>
    public string Name { get; init; } = "";

    public string Query { get; init; } = "";

    /// <summary>Service: which one, without <c>livekit.</c>.</summary>
    public string ServiceName { get; init; } = "";

    public string? BearerToken { get; init; }

    /// <summary>Open: a WebSocket is asked for. Frame: text. Service: JSON.</summary>
    public bool Flag { get; init; }

    public byte[] Body { get; init; } = [];

    public RoomSocket? Socket { get; init; }

    public DemoAgentOptions? Agent { get; init; }

    /// <summary>Completed by the loop for Open and Service; continuations run on the pool.</summary>
    public TaskCompletionSource<RoomHttpReply>? Reply { get; init; }
}
