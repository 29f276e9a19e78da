using System;
using Microsoft.Extensions.Logging;

namespace Proxy.Server.Logs;

/// <summary>Any thread. Every log line of floor 6; event ids 6000–6999.</summary>
public static partial class Log
{
    [LoggerMessage(6001, LogLevel.Error, "request failed: {method} {path}")]
    public static partial void RequestFailed(ILogger log, string method, string path, Exception error);

    [LoggerMessage(6002, LogLevel.Warning, "call records are lost: the queue is full, {lost} so far")]
    public static partial void RecordsLost(ILogger log, long lost);

    [LoggerMessage(6003, LogLevel.Warning, "call records cannot be written to {file}: {reason}")]
    public static partial void RecordsUnwritable(ILogger log, string file, string reason);

    [LoggerMessage(6004, LogLevel.Warning, "{notice}")]
    public static partial void ConfigNotice(ILogger log, string notice);
}
