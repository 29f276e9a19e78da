using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Proxy.Testing;

namespace Proxy.Fuzz;

/// <summary>One thread. The committed inputs: one file a target, one input a line in base64.</summary>
internal static class Corpus
{
    public static IEnumerable<byte[]> Read(string target)
    {
        string file = PathOf(target);
        return File.Exists(file) ? File.ReadLines(file).Where(line => line.Length > 0).Select(Convert.FromBase64String) : [];
    }

    public static void Write(string target, IEnumerable<byte[]> inputs)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(target))!);
        File.WriteAllLines(PathOf(target), inputs.Select(Convert.ToBase64String));
    }

    private static string PathOf(string target) => Path.Combine(TestData.Repository, "fuzz", "corpus", target + ".txt");
}
