using System.Collections.Generic;
using System.Linq;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Xunit;

namespace Proxy.Core.Tests.Time;

public sealed class TimerQueueTests
{
    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    public void Expires_in_the_order_of_the_deadlines_whatever_is_set_moved_and_cancelled(ulong seed)
    {
        var random = new SeededRandom(seed);
        var queue = new TimerQueue(8);
        var model = new Dictionary<int, long>();
        for (int step = 0; step < 20_000; step++)
        {
            int key = random.Next(200);
            switch (random.Next(4))
            {
                case 0:
                    queue.Cancel(key);
                    model.Remove(key);
                    break;
                case 1:
                    long now = random.Next(1000);
                    while (queue.TryExpire(new MonoTime(now), out int due))
                    {
                        Assert.Equal(model.Values.Min(), model[due]);
                        Assert.True(model[due] <= now);
                        model.Remove(due);
                    }
                    Assert.DoesNotContain(model.Values, d => d <= now);
                    break;
                default:
                    long deadline = random.Next(1000);
                    queue.Set(key, new MonoTime(deadline));
                    model[key] = deadline;
                    break;
            }
            Assert.Equal(model.Count, queue.Count);
            Assert.Equal(model.Count == 0 ? MonoTime.Never : new MonoTime(model.Values.Min()), queue.NextDeadline);
        }
    }
}
