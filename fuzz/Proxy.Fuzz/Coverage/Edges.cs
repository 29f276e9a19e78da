namespace Proxy.Fuzz.Coverage;

/// <summary>One thread. Counts how often each edge between two basic blocks was taken; the instrumented assemblies call <see cref="Hit"/>.</summary>
public static class Edges
{
    /// <summary>Places in the map; two edges may share one.</summary>
    public const int Size = 1 << 15;

    private static readonly byte[] s_map = new byte[Size];
    private static int s_previous;

    public static byte[] Map => s_map;

    /// <summary>The start of a basic block.</summary>
    /// <param name="block">Its number, spread over the map.</param>
    public static void Hit(int block)
    {
        ref byte count = ref s_map[(block ^ s_previous) & (Size - 1)];
        if (count != byte.MaxValue)
        {
            count++;
        }
        s_previous = block >> 1;
    }

    public static void Clear()
    {
        System.Array.Clear(s_map);
        s_previous = 0;
    }
}
