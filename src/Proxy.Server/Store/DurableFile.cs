using System;
using System.IO;

namespace Proxy.Server.Store;

/// <summary>Any thread. Replaces a file so that a crash at any moment leaves the old or the new one, never half of one.</summary>
internal static class DurableFile
{
    /// <summary>Files being written end in this; a store reads only <c>*.json</c>.</summary>
    public const string Unfinished = ".new";

    /// <summary>Writes beside the file, brings it to the disk, then renames over it.</summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string unfinished = path + Unfinished;
        using (var stream = new FileStream(unfinished, FileMode.Create, FileAccess.Write, FileShare.None, 4096))
        {
            stream.Write(bytes);
            stream.Flush(flushToDisk: true);
        }
        File.Move(unfinished, path, overwrite: true);
    }
}
