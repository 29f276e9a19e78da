using System.Buffers;
using System.Text;
using Proxy.Core.Time;
using Proxy.Server.Metrics;
using Xunit;

namespace Proxy.Server.Tests.Metrics;

public sealed class LoopMeterTests
{
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
