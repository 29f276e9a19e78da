using System;
using System.Collections.Generic;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Bridge;
using Proxy.Bridge.Records;
using Proxy.Server.Records;
using Proxy.Server.Signal;

namespace Proxy.Server.Node;

/// <summary>Any thread. What an operator may see of calls that run and of attempts that are over, and the one thing to be done to them: hang up.</summary>
public sealed class NodeCalls(SiproomNode node, CallArchive archive)
{
    /// <summary>Attempts of one id that are shown.</summary>
    private const int AttemptsMax = 20;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>Live calls that match, the newest first. Of the query, <see cref="CallQuery.IsRefused"/> matches none.</summary>
    public async Task<IReadOnlyList<LiveCall>> LiveAsync(CallQuery query, CancellationToken cancellation)
    {
        if (query.IsRefused)
        {
            return [];
        }
        return await node.Ask((loop, now) =>
        {
            List<LiveCall> calls = [];
            loop.Calls.Visit(call =>
            {
                if (Matches(call.Record, query))
                {
                    calls.Add(LiveCall.Of(call, now));
                }
            });
            calls.Sort(static (a, b) => a.Age.CompareTo(b.Age));
            return calls;
        }).WaitAsync(s_patience, cancellation).ConfigureAwait(false);
    }

    /// <summary>Attempts that are over, as JSON objects, the newest first.</summary>
    /// <returns>At most <paramref name="most"/>, and how many more match.</returns>
    public Task<(List<byte[]> Records, int More)> EndedAsync(CallQuery query, int most, CancellationToken cancellation)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        return archive.AskAsync(
            history =>
            {
                history.Forget(now);
                return (history.List(query, most, out int more), more);
            },
            cancellation);
    }

    /// <summary>All attempts of an id.</summary>
    public Task<(List<byte[]> Records, int More)> FindAsync(string id, CancellationToken cancellation) => EndedAsync(new CallQuery { Id = id }, AttemptsMax, cancellation);

    /// <summary>The SIP messages of a call.</summary>
    /// <param name="id">Any of its ids.</param>
    /// <returns>The SIP Call-ID, the messages (none kept: empty), and the wall clock of the first.</returns>
    public async Task<(string SipCallId, SipTraceCopy Copy, DateTimeOffset Utc)> SipAsync(string id, CancellationToken cancellation)
    {
        string sipCallId = await SipCallIdAsync(id, cancellation).ConfigureAwait(false);
        SipTraceCopy copy = await node.Ask((loop, _) => loop.Trace.Copy(Encoding.UTF8.GetBytes(sipCallId))).WaitAsync(s_patience, cancellation).ConfigureAwait(false);
        return (sipCallId, copy, copy.Messages.Count > 0 ? node.UtcAt(copy.Messages[0].At) : default);
    }

    /// <summary>Ends a call: BYE, or 480 where it was not answered.</summary>
    /// <returns>Our id; null when no such call runs.</returns>
    public async Task<string?> HangUpAsync(string id, CancellationToken cancellation) =>
        await node.Ask((loop, now) =>
            loop.Calls.HangUp(id, new Outcome(EndedBy.Us, "hangup", "an operator hung up", 480, 16), now)?.CallId).WaitAsync(s_patience, cancellation).ConfigureAwait(false);

    private static bool Matches(CallRecord record, CallQuery query)
    {
        if (query.Id.Length > 0 && record.CallId != query.Id && record.SipCallId != query.Id && record.ProviderCallId != query.Id)
        {
            return false;
        }
        ulong number = CallHistory.NumberKey(query.Number);
        return (number == 0 || CallHistory.NumberKey(record.FromUser) == number || CallHistory.NumberKey(record.ToUser) == number)
            && record.StartedAt.ToUnixTimeMilliseconds() >= query.SinceMs;
    }

    private async Task<string> SipCallIdAsync(string id, CancellationToken cancellation)
    {
        IReadOnlyList<LiveCall> live = await LiveAsync(new CallQuery { Id = id }, cancellation).ConfigureAwait(false);
        if (live.Count > 0)
        {
            return live[0].SipCallId;
        }
        (List<byte[]> ended, _) = await FindAsync(id, cancellation).ConfigureAwait(false);
        if (ended.Count == 0)
        {
            return id;
        }
        using JsonDocument record = JsonDocument.Parse(ended[0]);
        return record.RootElement.GetProperty("sip_call_id").GetString() ?? id;
    }
}
