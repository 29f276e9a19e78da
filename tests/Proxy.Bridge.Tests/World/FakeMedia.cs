using System.Collections.Generic;
using Proxy.Bridge.Media;
using Proxy.Bridge.Records;
using Proxy.Core.Collections;

namespace Proxy.Bridge.Tests.World;

/// <summary>Test double of the runtime's media host: hands out numbers, remembers commands, answers Close.</summary>
internal sealed class FakeMedia : IMediaHost
{
    private int _next;

    /// <summary>Every call's media, in order.</summary>
    public List<CallMedia> All { get; } = [];

    public int Capacity { get; set; } = 100_000;

    public int Out { get; private set; }

    public List<(SlotId Call, CallCommand Command)> Commands { get; } = [];

    /// <summary>Calls whose Close waits to be answered.</summary>
    public Queue<SlotId> Closing { get; } = new();

    public List<bool> ReleasedClean { get; } = [];

    public ReserveVerdict TryReserve(int listener, out MediaReservation reservation)
    {
        reservation = default;
        if (Out >= Capacity)
        {
            return ReserveVerdict.NoPort;
        }
        Out++;
        int n = _next++;
        reservation = new MediaReservation(0, n * 2, 20_000 + (n % 10_000), (n * 2) + 1, 40_000 + (n % 10_000));
        return ReserveVerdict.Ok;
    }

    public void Release(in MediaReservation reservation, bool isRoomPortClean)
    {
        Out--;
        ReleasedClean.Add(isRoomPortClean);
    }

    public void Open(SlotId call, CallMedia media) => All.Add(media);

    public void Command(SlotId call, CallMedia media, in CallCommand command)
    {
        Commands.Add((call, command));
        if (command.Kind == CallCommandKind.Close)
        {
            Closing.Enqueue(call);
        }
    }

    public void AnswerCloses(CallTable calls, Proxy.Core.Time.MonoTime now)
    {
        while (Closing.TryDequeue(out SlotId call))
        {
            calls.HandleMedia(call, new CallEvent(CallEventKind.Closed, 0, new MediaReport()), now);
        }
    }
}
