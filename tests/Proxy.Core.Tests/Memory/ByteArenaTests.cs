using System;
using System.Collections.Generic;
using Proxy.Core.Memory;
using Xunit;

namespace Proxy.Core.Tests.Memory;

public sealed class ByteArenaTests
{
    [Fact]
    public void Nobody_gets_bytes_of_another()
    {
        var arena = new ByteArena();
        var random = new SeededRandom(5);
        List<Memory<byte>> taken = [];
        for (int i = 0; i < 5_000; i++)
        {
            Memory<byte> one = arena.Take(i % 500 == 499 ? 300_000 : (int)(random.Next() % 900));
            one.Span.Fill((byte)i);
            taken.Add(one);
        }
        for (int i = 0; i < taken.Count; i++)
        {
            Assert.Equal(-1, taken[i].Span.IndexOfAnyExcept((byte)i));
        }
        Assert.Equal(0, arena.Take(0).Length);
    }
}
