using System;

namespace Proxy.Core.Memory;

/// <summary>
/// One owner. Bytes of many small things that live and die together, cut from blocks so large that the collector neither copies them nor
/// looks into them: a million texts in arrays of their own keep every thread waiting each time they are moved.
/// </summary>
public sealed class ByteArena
{
    private const int FirstBlockBytes = 1 << 10;
    private const int LargestBlockBytes = 1 << 20;
    private byte[] _block = [];
    private int _used;

    /// <summary>Bytes that nobody else has; not zeroed. Small ones share a block, which stays as long as one of them is held.</summary>
    public Memory<byte> Take(int length)
    {
        if (length > LargestBlockBytes / 4)
        {
            return GC.AllocateUninitializedArray<byte>(length);
        }
        if (length > _block.Length - _used)
        {
            int next = Math.Clamp(_block.Length * 4, FirstBlockBytes, LargestBlockBytes);
            _block = GC.AllocateUninitializedArray<byte>(Math.Max(next, length));
            _used = 0;
        }
        Memory<byte> taken = _block.AsMemory(_used, length);
        _used += length;
        return taken;
    }
}
