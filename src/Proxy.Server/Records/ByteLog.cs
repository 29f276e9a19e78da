using System;

namespace Proxy.Server.Records;

/// <summary>
/// One owner. Bytes in the order they came, up to a size; the oldest make room. Chunks without references, taken as they are needed,
/// so that the collector neither walks nor moves them.
/// </summary>
public sealed class ByteLog
{
    private readonly byte[]?[] _chunks;
    private readonly int _chunkBytes;
    private long _end;

    /// <param name="bytes">At most kept; at least one chunk.</param>
    /// <param name="chunkBytes">Size of a chunk, and the longest entry.</param>
    public ByteLog(int bytes, int chunkBytes = 1 << 20)
    {
        _chunkBytes = chunkBytes;
        _chunks = new byte[]?[Math.Max(2, bytes / chunkBytes)];
    }

    /// <summary>Entries that begin before this position are gone.</summary>
    public long Start => Math.Max(0, ((_end / _chunkBytes) - _chunks.Length + 1) * _chunkBytes);

    /// <summary>Keeps a copy.</summary>
    /// <returns>Its position; -1 for an entry longer than a chunk.</returns>
    public long Add(ReadOnlySpan<byte> entry)
    {
        if (entry.Length > _chunkBytes)
        {
            return -1;
        }
        int at = (int)(_end % _chunkBytes);
        if (at + entry.Length > _chunkBytes)
        {
            // An entry does not cross chunks: the rest of this one stays empty.
            _end += _chunkBytes - at;
            at = 0;
        }
        ref byte[]? chunk = ref _chunks[_end / _chunkBytes % _chunks.Length];
        chunk ??= GC.AllocateUninitializedArray<byte>(_chunkBytes);
        entry.CopyTo(chunk.AsSpan(at));
        long position = _end;
        _end += entry.Length;
        return position;
    }

    /// <summary>An entry in place.</summary>
    /// <returns>Empty when it is gone.</returns>
    public ReadOnlySpan<byte> Read(long position, int length)
    {
        if (position < Start || position + length > _end || _chunks[position / _chunkBytes % _chunks.Length] is not { } chunk)
        {
            return default;
        }
        return chunk.AsSpan((int)(position % _chunkBytes), length);
    }
}
