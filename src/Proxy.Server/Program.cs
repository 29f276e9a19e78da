using System;
using Microsoft.AspNetCore.Builder;
using Proxy.Native;

namespace Proxy.Server;

/// <summary>Main thread. The executable.</summary>
public static class Program
{
    public static int Main(string[] args)
    {
        if (args is ["version"])
        {
            Console.Out.WriteLine("siproom 0.1.0");
            Console.Out.WriteLine(LinkedVersions.OpenSsl);
            Console.Out.WriteLine(LinkedVersions.Opus);
            return 0;
        }
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
        WebApplication app = builder.Build();
        app.UseWebSockets();
        app.MapGet("/healthz", () => "ok");
        app.Run("http://127.0.0.1:7999");
        return 0;
    }
}
