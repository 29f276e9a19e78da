using System;
using Proxy.Native;

namespace Proxy.Server;

/// <summary>Main thread. The executable.</summary>
public static class Program
{
    public static int Main(string[] args)
    {
        if (args is ["rooms", ..])
        {
            return Rooms.RoomsCommand.Run(args.AsSpan(1));
        }
        System.Console.Out.WriteLine("siproom 0.1.0");
        System.Console.Out.WriteLine(LinkedVersions.OpenSsl);
        System.Console.Out.WriteLine(LinkedVersions.Opus);
        return args is ["version"] or ["--version"] ? 0 : 2;
    }
}
