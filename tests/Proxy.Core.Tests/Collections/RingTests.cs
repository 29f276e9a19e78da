using System.Threading;
using Proxy.Core.Collections;
using Xunit;

namespace Proxy.Core.Tests.Collections;

public sealed class RingTests
{
    [Fact]
    public void A_full_ring_refuses_and_counts()
    {
        var ring = new Ring<int>(4, RingFull.DropNewest);
        for (int i = 0; i < 4; i++)
        {
            Assert.True(ring.TryWrite(i));
        }
        Assert.False(ring.TryWrite(9));
        Assert.Equal(1, ring.Refused);
        Assert.True(ring.TryRead(out int first));
        Assert.Equal(0, first);
        Assert.True(ring.TryWrite(10));
    }

    [Fact]
    public void Four_writers_lose_nothing_and_keep_their_own_order()
    {
        const int perWriter = 50_000;
        var ring = new Ring<(int Writer, int Number)>(1024, RingFull.DropNewest);
        var writers = new Thread[4];
        for (int w = 0; w < writers.Length; w++)
        {
            int writer = w;
            writers[w] = new Thread(() =>
            {
                for (int n = 0; n < perWriter; n++)
                {
                    while (!ring.TryWrite((writer, n)))
                    {
                        Thread.Yield();
                    }
                }
            });
            writers[w].Start();
        }
        var next = new int[writers.Length];
        for (int got = 0; got < writers.Length * perWriter;)
        {
            if (ring.TryRead(out (int Writer, int Number) item))
            {
                Assert.Equal(next[item.Writer]++, item.Number);
                got++;
            }
            else
            {
                Thread.Yield();
            }
        }
        Assert.False(ring.TryRead(out _));
    }
}
