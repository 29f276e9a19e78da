using System;
using System.Collections.Generic;
using System.Threading;
using Microsoft.Extensions.Logging;
using Proxy.Bridge.Records;
using Proxy.Policy;
using Proxy.Server.Metrics;

namespace Proxy.Server.Node;

/// <summary>Signal thread notes; a scrape reads. Lenient acceptances: counted each, logged once an hour for each trunk and kind.</summary>
internal sealed class LeniencyLog(ILogger log)
{
    private const int MostRemembered = 10_000;
    private static readonly TimeSpan s_interval = TimeSpan.FromHours(1);
    private static readonly (CompatUse Use, string Name)[] s_kinds =
    [
        (CompatUse.NoTrunk, "no_trunk"),
        (CompatUse.UnreadableAddresses, "unreadable_addresses"),
        (CompatUse.FromHost, "from_host"),
        (CompatUse.HalfCredentials, "half_credentials"),
        (CompatUse.SecureInClear, "secure_in_clear"),
    ];

    private readonly long[] _counts = new long[s_kinds.Length];
    private readonly Dictionary<(string Trunk, int Kind), DateTimeOffset> _told = [];

    public void Note(CallRecord record, CompatUse what)
    {
        for (int kind = 0; kind < s_kinds.Length; kind++)
        {
            if ((what & s_kinds[kind].Use) == 0)
            {
                continue;
            }
            Interlocked.Increment(ref _counts[kind]);
            if (IsDue((record.TrunkId, kind), record.StartedAt))
            {
                NodeLog.Lenient(log, s_kinds[kind].Name, record.TrunkId, record.RuleId, record.CallId);
            }
        }
    }

    public void Write(MetricsWriter writer)
    {
        for (int kind = 0; kind < s_kinds.Length; kind++)
        {
            writer.Counter("siproom_compat_total", "Calls that only LiveKit's lenient meaning let pass.",
                MetricsWriter.Label("what", s_kinds[kind].Name), Interlocked.Read(ref _counts[kind]));
        }
    }

    private bool IsDue((string Trunk, int Kind) key, DateTimeOffset at)
    {
        if (_told.TryGetValue(key, out DateTimeOffset last) && at - last < s_interval)
        {
            return false;
        }
        if (_told.Count >= MostRemembered)
        {
            _told.Clear();
        }
        _told[key] = at;
        return true;
    }
}
