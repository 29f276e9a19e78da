using System.Collections.Generic;
using System.IO;
using System.Linq;
using Xunit;
using Xunit.Abstractions;

namespace Proxy.DevRoom.Tests.Agents;

/// <summary>The recorded conversations of real workers with the stock server, replayed against ours.</summary>
public sealed class AgentsGoldenTests(ITestOutputHelper output)
{
    /// <summary>Everything that differs from the stock server, and why nobody is harmed.</summary>
    private static readonly Dictionary<string, string> s_accepted = new()
    {
        ["availability: availability.job.room.enabledCodecs"] = Codecs,
        ["assignment: assignment.job.room.enabledCodecs"] = Codecs,
        ["ListDispatch: state.jobs.room.enabledCodecs"] = Codecs,
        ["DeleteDispatch: state.jobs.room.enabledCodecs"] = Codecs,
        ["availability: availability.job.room.numParticipants"] = Counts,
        ["availability: availability.job.room.numPublishers"] = Counts,
        ["assignment: assignment.job.room.numParticipants"] = Counts,
        ["assignment: assignment.job.room.numPublishers"] = Counts,
        ["ListDispatch: state.jobs.room.numParticipants"] = Counts,
        ["ListDispatch: state.jobs.room.numPublishers"] = Counts,
        ["availability: availability.job.participant.state"] = "a participant job says JOINED where the stock server still says JOINING; workers do not look at it",
        ["token: identity"] = "the claim repeats sub, which is what both SDKs read",
        ["ListDispatch: number of jobs (ours knows more)"] = Query,
        ["DeleteDispatch: number of jobs (ours knows more)"] = Query,
        ["termination: sent although the stock server sent none"] = Query + "; a worker ignores one for a job that it does not know, and one that came back with its jobs (migrate_job) is told too",
        ["ListDispatch: state.jobs.state.status"] = Snapshot,
        ["ListDispatch: state.jobs.state.endedAt"] = Snapshot,
        ["DeleteDispatch: state.jobs.state.endedAt"] = Snapshot,
        ["ListDispatch: state.jobs.state.workerId"] = Migrated,
        ["DeleteDispatch: state.jobs.state.workerId"] = Migrated,
        ["leave to a participant: ParticipantRemoved instead of RoomDeleted"] = "DeleteDispatch removes the agent of a worker that reconnected too, where the stock server forgets it and it stays until its room ends",
        ["DeleteDispatch: state.deletedAt"] = "set, as the stock server does with Redis (api/DeleteDispatch.jsonl); without Redis it leaves it 0",
    };

    private const string Codecs = "the room has the three codecs that are forwarded; workers take theirs from the SDP";
    private const string Counts = "the stock server writes the counts into the room some seconds late; ours are right at once";
    private const string Query = "the stock server knows of a job and its agent only after a bus query of up to 5 s; ours knows at once";
    private const string Snapshot = "the stock server shows the job as it was assigned for ever; ours shows how it went";
    private const string Migrated = "a worker that reconnects and names its jobs owns them again; the stock server ignores migrate_job";

    [Fact]
    public void Every_difference_from_the_stock_server_is_listed_with_its_reason()
    {
        SortedSet<string> differences = [];
        int compared = 0;
        foreach (string file in AgentsReplay.Files())
        {
            AgentsReplay replay = AgentsReplay.Run(file);
            compared += replay.Compared;
            output.WriteLine($"{Path.GetFileName(file)}: {replay.Compared} compared; {string.Join(" | ", replay.Differences)}");
            differences.UnionWith(replay.Differences);
        }
        output.WriteLine($"{compared} messages and answers compared");
        Assert.Empty(differences.Except(s_accepted.Keys));
        Assert.Empty(s_accepted.Keys.Except(differences));
        Assert.True(compared > 500, compared + " compared");
    }
}
