using Proxy.Core.Collections;
using Xunit;

namespace Proxy.Core.Tests.Collections;

public sealed class SlotMapTests
{
    [Fact]
    public void A_freed_handle_never_finds_the_next_tenant()
    {
        var map = new SlotMap<string>(1);
        Assert.True(map.TryAdd("first", out SlotId first));
        Assert.False(map.TryAdd("second", out _));
        Assert.True(map.Remove(first));
        Assert.False(map.Remove(first));
        Assert.True(map.TryAdd("third", out SlotId third));
        Assert.False(map.TryGet(first, out _));
        Assert.True(map.TryGet(third, out string? item));
        Assert.Equal("third", item);
        Assert.False(map.TryGet(SlotId.None, out _));
    }
}
