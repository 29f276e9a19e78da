using System;
using System.Collections.Generic;

namespace Proxy.Server.WebSockets;

/// <summary>Any thread. The room servers of <c>ws_url</c>: tried in order, but one that failed goes to the end for a while.</summary>
public sealed class SignalServers
{
    /// <summary>How long a server that failed is asked last: every call would wait for it otherwise.</summary>
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(10);
    private readonly string[] _bases;
    private readonly long[] _failedAt;
    private readonly TimeProvider _time;

    /// <param name="urls">As configured; participants write their address from the first one.</param>
    public SignalServers(IReadOnlyList<string> urls, TimeProvider? time = null)
    {
        _bases = new string[urls.Count];
        _failedAt = new long[urls.Count];
        _time = time ?? TimeProvider.System;
        for (int i = 0; i < urls.Count; i++)
        {
            // Participants dial ws where http is configured.
            string url = urls[i].TrimEnd('/');
            _bases[i] = url.StartsWith("http", StringComparison.OrdinalIgnoreCase) ? string.Concat("ws", url.AsSpan(4)) : url;
            _failedAt[i] = long.MinValue;
        }
    }

    /// <summary>The same request at every server, the one to try first at the front.</summary>
    /// <param name="url">Begins with the first server's address.</param>
    public IReadOnlyList<(int Server, string Url)> InOrder(string url)
    {
        if (_bases.Length < 2 || !url.StartsWith(_bases[0], StringComparison.Ordinal))
        {
            return [(-1, url)];
        }
        var good = new List<(int, string)>(_bases.Length);
        var resting = new List<(int, string)>();
        for (int i = 0; i < _bases.Length; i++)
        {
            (IsResting(i) ? resting : good).Add((i, _bases[i] + url[_bases[0].Length..]));
        }
        good.AddRange(resting);
        return good;
    }

    internal void Failed(int server)
    {
        if (server >= 0)
        {
            System.Threading.Volatile.Write(ref _failedAt[server], _time.GetTimestamp());
        }
    }

    private bool IsResting(int server)
    {
        long at = System.Threading.Volatile.Read(ref _failedAt[server]);
        return at != long.MinValue && _time.GetElapsedTime(at) < s_rest;
    }
}
