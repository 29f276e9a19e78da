using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Proxy.Bridge.Records;
using Proxy.Core;
using Proxy.Server.Records;
using Xunit;

namespace Proxy.Server.Tests.Records;

public sealed class CallHistoryTests
{
    private static readonly DateTimeOffset s_start = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private static CallRecord Record(int number, string from = "+15550100", string to = "+15550199", int status = 404, string code = "no_trunk") => new()
    {
        CallId = "SCL_" + number,
        SipCallId = $"sip-{number}@caller",
        ProviderCallId = "CA" + number,
        FromUser = from,
        ToUser = to,
        StartedAt = s_start.AddSeconds(number),
        SipStatus = status,
        Code = code,
        EndedBy = status == 200 ? "caller" : "us",
        AnsweredMs = status == 200 ? 500 : -1,
        EndedMs = status == 200 ? 10_000 : 0,
    };

    private static string[] Ids(IEnumerable<byte[]> lines) => [.. lines.Select(l => JsonDocument.Parse(l).RootElement.GetProperty("call_id").GetString()!)];

    private static string[] Ids(CallHistory history, CallQuery query) => Ids(history.List(query, 100, out _));

    [Fact]
    public void Attempt_is_found_by_each_of_its_ids()
    {
        var history = new CallHistory(new Limits());
        for (int i = 0; i < 10; i++)
        {
            history.Add(Record(i));
        }
        foreach (string id in (string[])["SCL_7", "sip-7@caller", "CA7"])
        {
            Assert.Equal(["SCL_7"], Ids(history.Find(id, 5)));
        }
        Assert.Empty(history.Find("SCL_10", 5));
        Assert.Empty(history.Find("", 0));
    }

    [Fact]
    public void Number_is_found_however_it_is_written_on_either_side()
    {
        var history = new CallHistory(new Limits());
        history.Add(Record(1, from: "+15550111"));
        history.Add(Record(2, to: "15550111"));
        history.Add(Record(3, from: "Alice", to: "echo"));
        Assert.Equal(["SCL_2", "SCL_1"], Ids(history, new CallQuery { Number = "+1 (555) 0111" }));
        Assert.Equal(["SCL_3"], Ids(history, new CallQuery { Number = "alice" }));
        Assert.Equal(["SCL_3"], Ids(history, new CallQuery { Number = "ECHO" }));
        Assert.Empty(Ids(history, new CallQuery { Number = "555" }));
    }

    [Fact]
    public void Refused_are_those_that_we_refused()
    {
        var history = new CallHistory(new Limits());
        history.Add(Record(1));
        history.Add(Record(2, status: 200, code: "hangup"));
        history.Add(Record(3, status: 407, code: "challenged"));
        CallRecord cancelled = Record(4, status: 487, code: "cancelled");
        cancelled.EndedBy = "caller";
        history.Add(cancelled);
        Assert.Equal(["SCL_1"], Ids(history, new CallQuery { IsRefused = true }));
        Assert.Equal(4, history.Count);
    }

    [Fact]
    public void Newest_comes_first_and_the_rest_is_counted()
    {
        var history = new CallHistory(new Limits());
        for (int i = 0; i < 50; i++)
        {
            history.Add(Record(i));
        }
        Assert.Equal(["SCL_49", "SCL_48"], Ids(history.List(new CallQuery(), 2, out int more)));
        Assert.Equal(48, more);
        Assert.Equal(["SCL_49", "SCL_48"], Ids(history, new CallQuery { SinceMs = s_start.AddSeconds(48).ToUnixTimeMilliseconds() }));
    }

    [Fact]
    public void Number_age_and_bytes_are_limited()
    {
        var few = new CallHistory(new Limits { HistoryRecords = 5 });
        var small = new CallHistory(new Limits { HistoryBytes = 2 << 20 });
        var young = new CallHistory(new Limits { HistoryAge = TimeSpan.FromSeconds(10) });
        for (int i = 0; i < 20_000; i++)
        {
            few.Add(Record(i));
            small.Add(Record(i));
            young.Add(Record(i));
        }
        Assert.Equal(5, few.Count);
        Assert.Equal(["SCL_19999", "SCL_19998", "SCL_19997", "SCL_19996", "SCL_19995"], Ids(few, default(CallQuery) with { Id = "", Number = "" }));
        Assert.InRange(small.Count, 2_000, 10_000);
        Assert.Equal(small.Count, small.List(new CallQuery(), 20_000, out _).Count);
        Assert.InRange(young.Count, 10, 12);
        young.Forget(s_start.AddSeconds(30_000).ToUnixTimeMilliseconds());
        Assert.Equal(0, young.Count);
    }

    [Fact]
    public void Hundred_thousand_attempts_fit()
    {
        var history = new CallHistory(new Limits());
        for (int i = 0; i < 100_010; i++)
        {
            CallRecord record = Record(i % 80_000, status: 200, code: "hangup");
            record.Sentence = "the caller hung up";
            record.TrunkId = "ST_abcdefghijkl";
            record.RuleId = "SDR_abcdefghijkl";
            record.Room = "call-_+15550100_abcdefghijkl";
            record.RoomSid = "RM_abcdefghijkl";
            record.Identity = "sip_+15550100";
            record.ParticipantSid = "PA_abcdefghijkl";
            record.SipCodec = "PCMU/8000";
            record.RoomCodec = "pcmu";
            history.Add(record);
        }
        Assert.Equal(100_000, history.Count);
        Assert.Single(history.List(new CallQuery(), 1, out int more));
        Assert.Equal(99_999, more);
    }

    [Fact]
    public async Task Archive_answers_after_what_was_written_before()
    {
        using var archive = new CallArchive(new Limits());
        for (int i = 0; i < 100; i++)
        {
            archive.Write(Record(i));
        }
        Assert.Equal(100, await archive.AskAsync(history => history.Count, default));
        await Assert.ThrowsAsync<InvalidOperationException>(() => archive.AskAsync<int>(_ => throw new InvalidOperationException(), default));
        Assert.Equal(100, await archive.AskAsync(history => history.Count, default));
    }
}
