using System.Collections.Generic;
using Proxy.Server.Config;

namespace Proxy.Server.Commands;

/// <summary>Main thread. What the verbs say to the person who typed them: results on stdout, one sentence a problem on stderr.</summary>
internal static class Terminal
{
    public static int Fail(int code, string sentence)
    {
        System.Console.Error.WriteLine("siproom: " + sentence);
        return code;
    }

    public static void Lines(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            System.Console.Error.WriteLine(line);
        }
    }

    /// <summary>The configuration, or null after its errors were told.</summary>
    public static ServerConfig? Load(ConfigOverrides overrides)
    {
        ConfigResult result = new ConfigLoader(overrides).Load();
        Lines(result.Notices);
        Lines(result.Errors);
        return result.Config;
    }
}
