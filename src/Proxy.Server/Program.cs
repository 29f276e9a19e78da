using Proxy.Server.Commands;

namespace Proxy.Server;

/// <summary>Main thread. The executable.</summary>
public static class Program
{
    public const string Version = "0.1.0";

    public static int Main(string[] args) => SiproomCommand.Run(args);
}
