using System;
using System.Buffers;
using System.Text;
using Proxy.Core.Time;
using Proxy.Server.Metrics;
using Xunit;

namespace Proxy.Server.Tests.Metrics;

public sealed class LoopMeterTests
{
    private long _at;

    [Fact]
    public void Lateness_and_long_turns_are_stalls_and_the_longest_is_kept()
    {
        LoopMeter meter = new("shard", 1);
        meter.TurnStarted(default, MonoTime.FromMillis(50));
        meter.TurnEnded(MonoTime.FromMillis(51));
        Assert.Equal(1000, meter.LongestStallMicros);
        meter.TurnStarted(MonoTime.FromMillis(100), MonoTime.FromMillis(103));
        meter.TurnEnded(MonoTime.FromMillis(104));
        Assert.Equal(3000, meter.LongestStallMicros);
        meter.TurnStarted(MonoTime.FromMillis(120), MonoTime.FromMillis(110));
        meter.TurnEnded(MonoTime.FromMillis(117));
        Assert.Equal(7000, meter.LongestStallMicros);
        meter.ResetPeak();
        meter.TurnStarted(MonoTime.Never, MonoTime.FromMillis(200));
        Assert.Equal(0, meter.LongestStallMicros);
    }

    [Fact]
    public void A_stall_over_5_ms_is_told_once_with_its_cause_and_only_the_longest_of_its_time()
    {
        int collections = 0;
        LoopMeter meter = new("shard", 2) { Collections = () => collections };
        Turn(late: 0, busy: 4_999);
        Assert.False(meter.TryTakeWorst(out _));
        Turn(late: 12_000, busy: 0);
        Turn(late: 6_000, busy: 0);
        Assert.True(meter.TryTakeWorst(out Stall worst));
        Assert.Equal((12_000, StallCause.Scheduler), (worst.Micros, worst.Cause));
        Assert.Equal(2_012, worst.End.Micros / 1000);
        Assert.False(meter.TryTakeWorst(out _));
        collections++;
        Turn(late: 7_000, busy: 0);
        Assert.True(meter.TryTakeWorst(out worst));
        Assert.Equal(StallCause.Collection, worst.Cause);

        ArrayBufferWriter<byte> text = new();
        meter.Write(new MetricsWriter(text));
        string page = Encoding.UTF8.GetString(text.WrittenSpan);
        Assert.Contains("siproom_loop_stalls_total{world=\"shard\",loop=\"2\",cause=\"collection\"} 1\n", page, StringComparison.Ordinal);
        Assert.Contains("siproom_loop_stalls_total{world=\"shard\",loop=\"2\",cause=\"scheduler\"} 2\n", page, StringComparison.Ordinal);

        void Turn(long late, long busy)
        {
            _at += 1_000_000;
            meter.TurnStarted(new MonoTime(_at), new MonoTime(_at + late));
            meter.TurnEnded(new MonoTime(_at + late + busy));
        }
    }

    [Theory]
    [InlineData(5_001, StallCause.Work, 1)]
    [InlineData(2_147_483_647, StallCause.Collection, 1_073_741_823)]
    [InlineData(12_345, StallCause.Scheduler, 987_654_321)]
    public void Stall_survives_its_packing(long micros, StallCause cause, long endMillis)
    {
        Stall stall = new(micros, cause, MonoTime.FromMillis(endMillis));
        Assert.Equal(stall, Stall.Unpack(stall.Packed));
        Assert.True(stall.Packed > new Stall(micros - 1, StallCause.Scheduler, MonoTime.FromMillis(1_073_741_823)).Packed);
    }

    [Fact]
    public void Histogram_is_cumulative_and_labels_are_quoted()
    {
        ArrayBufferWriter<byte> text = new();
        MetricsWriter writer = new(text);
        writer.Histogram("h", "Help.", "", [0.1, 1], [2, 3, 4], 5.5);
        writer.Counter("c", "Help.", MetricsWriter.Label("reason", "a\"b\\c\nd"), 1);
        Assert.Equal(
            "# HELP h Help.\n# TYPE h histogram\nh_bucket{le=\"0.1\"} 2\nh_bucket{le=\"1\"} 5\nh_bucket{le=\"+Inf\"} 9\nh_sum 5.5\nh_count 9\n"
            + "# HELP c Help.\n# TYPE c counter\nc{reason=\"a\\\"b\\\\c\\nd\"} 1\n",
            Encoding.UTF8.GetString(text.WrittenSpan));
    }

    [Fact]
    public void Measuring_allocates_nothing()
    {
        LoopMeter meter = new("shard", 0);
        Assert.Equal(0, Allocation.LeastOf(5, () => Turn(10_000)));

        void Turn(int count)
        {
            for (int i = 0; i < count; i++)
            {
                meter.TurnStarted(MonoTime.FromMillis(i), MonoTime.FromMillis(i));
                meter.TurnEnded(MonoTime.FromMillis(i + 1));
            }
        }
    }
}
