using Microsoft.Extensions.Logging;
using Proxy.DevRoom;

namespace Proxy.Server.Rooms;

/// <summary>Any thread. Log lines of the built-in room server; event ids 6300–6399.</summary>
internal static partial class RoomsLog
{
    /// <summary>Workers and their jobs are news; who comes and goes stands in the calls' own lines.</summary>
    public static void Notice(ILogger log, in RoomNotice notice)
    {
        switch (notice.Kind)
        {
            case RoomNoticeKind.JobUntaken or RoomNoticeKind.JobOver:
                Trouble(log, notice.ToString(), notice.Room);
                break;
            case RoomNoticeKind.WorkerJoined or RoomNoticeKind.WorkerLeft:
                Worker(log, notice.ToString());
                break;
            case RoomNoticeKind.JobTaken or RoomNoticeKind.AgentJoined:
                Job(log, notice.ToString(), notice.Room);
                break;
            default:
                Coming(log, notice.ToString(), notice.Room);
                break;
        }
    }

    [LoggerMessage(6300, LogLevel.Warning, "{notice} room={room}")]
    private static partial void Trouble(ILogger log, string notice, string room);

    [LoggerMessage(6301, LogLevel.Information, "{notice}")]
    private static partial void Worker(ILogger log, string notice);

    [LoggerMessage(6302, LogLevel.Information, "{notice} room={room}")]
    private static partial void Job(ILogger log, string notice, string room);

    [LoggerMessage(6303, LogLevel.Debug, "{notice} room={room}")]
    private static partial void Coming(ILogger log, string notice, string room);
}
