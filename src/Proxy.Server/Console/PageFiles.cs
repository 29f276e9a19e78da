using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;

namespace Proxy.Server.Console;

/// <summary>Any thread. The page's files that are embedded in the binary: ours from <c>Console/Page</c>, livekit-client where <c>tools/page</c> has fetched it.</summary>
public static class PageFiles
{
    private const string Prefix = "page/";

    /// <summary>Name (<c>index.html</c>) to bytes; a name that ends in <c>.gz</c> is served without it, by Content-Encoding.</summary>
    public static IReadOnlyDictionary<string, byte[]> Embedded()
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        Assembly assembly = typeof(PageFiles).Assembly;
        foreach (string name in assembly.GetManifestResourceNames())
        {
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && assembly.GetManifestResourceStream(name) is { } stream)
            {
                using (stream)
                {
                    byte[] content = new byte[stream.Length];
                    stream.ReadExactly(content);
                    files[name[Prefix.Length..].Replace('\\', '/')] = content;
                }
            }
        }
        return files;
    }
}
