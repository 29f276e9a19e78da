using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Proxy.Server.Http;

namespace Proxy.Server.Console;

/// <summary>Async world. The page: plain files of <c>Console/Page</c> that are embedded in the binary. <c>/</c> is index.html.</summary>
public sealed class ConsoleModule : IHttpModule
{
    private const string Prefix = "page/";
    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);

    public ConsoleModule()
    {
        Assembly assembly = typeof(ConsoleModule).Assembly;
        foreach (string name in assembly.GetManifestResourceNames())
        {
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && assembly.GetManifestResourceStream(name) is { } stream)
            {
                using (stream)
                {
                    byte[] content = new byte[stream.Length];
                    stream.ReadExactly(content);
                    _files["/" + name[Prefix.Length..].Replace('\\', '/')] = content;
                }
            }
        }
    }

    public void Map(WebApplication app)
    {
        foreach ((string path, byte[] content) in _files)
        {
            app.MapGet(path == "/index.html" ? "/" : path, context => WriteAsync(context, path, content));
        }
    }

    private static Task WriteAsync(HttpContext context, string path, byte[] content)
    {
        context.Response.ContentType = Path.GetExtension(path) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".js" or ".mjs" => "text/javascript; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".svg" => "image/svg+xml",
            ".json" => "application/json",
            ".wasm" => "application/wasm",
            _ => "application/octet-stream",
        };
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.ContentLength = content.Length;
        return context.Response.Body.WriteAsync(content, context.RequestAborted).AsTask();
    }
}
