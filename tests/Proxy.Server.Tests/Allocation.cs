using System;

namespace Proxy.Server.Tests;

/// <summary>Managed bytes of an action on this thread. The JIT itself allocates while a method grows hot: the least of several runs counts.</summary>
internal static class Allocation
{
    public static long LeastOf(int runs, Action action)
    {
        long least = long.MaxValue;
        for (int i = 0; i < runs; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
