using System;
using System.IO;

namespace Proxy.Testing;

/// <summary>Any thread. Finds recorded data below <c>tests/data</c>, wherever the tests are started from.</summary>
public static class TestData
{
    private static readonly Lazy<string> s_root = new(FindRoot);

    /// <summary>The repository's top folder.</summary>
    public static string Repository => s_root.Value;

    /// <summary>An absolute path below <c>tests/data</c>.</summary>
    public static string Path(params string[] parts) =>
        System.IO.Path.Combine([Repository, "tests", "data", .. parts]);

    public static byte[] Bytes(params string[] parts) => File.ReadAllBytes(Path(parts));

    public static string Text(params string[] parts) => File.ReadAllText(Path(parts));

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder, "Proxy.sln")))
        {
            folder = System.IO.Path.GetDirectoryName(folder);
        }
        return folder ?? throw new DirectoryNotFoundException("no Proxy.sln above " + AppContext.BaseDirectory);
    }
}
