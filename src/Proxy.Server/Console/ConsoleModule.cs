using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Proxy.Server.Http;

namespace Proxy.Server.Console;

/// <summary>Async world. The page: plain files, <c>/</c> is index.html. With <c>--dev</c> open to all, for it holds no secret; else a token is needed.</summary>
/// <param name="files">As <see cref="PageFiles.Embedded"/> gives them.</param>
public sealed class ConsoleModule(IReadOnlyDictionary<string, byte[]> files, ConsoleAccess access) : IHttpModule
{
    private const string Gzipped = ".gz";

    private const string Policy = "default-src 'self'; media-src 'self' blob: mediastream:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; connect-src 'self' ws://";

    public void Map(WebApplication app)
    {
        foreach ((string name, byte[] content) in files)
        {
            bool isGzipped = name.EndsWith(Gzipped, StringComparison.Ordinal);
            string path = isGzipped ? name[..^Gzipped.Length] : name;
            RequestDelegate write = context => WriteAsync(context, path, content, isGzipped);
            app.MapGet(path == "index.html" ? "/" : "/" + path, access.IsDev ? write : access.Guard(write));
        }
    }

    private static async Task WriteAsync(HttpContext context, string path, byte[] content, bool isGzipped)
    {
        HttpResponse response = context.Response;
        response.ContentType = TypeOf(path);
        response.Headers.CacheControl = "no-cache";
        response.Headers.XContentTypeOptions = "nosniff";
        // Only our own files and addresses; not every browser takes 'self' for the room server's WebSocket too.
        response.Headers.ContentSecurityPolicy = Policy + context.Request.Host.ToUriComponent();
        response.Headers["Referrer-Policy"] = "no-referrer";
        if (isGzipped)
        {
            response.Headers.Vary = "Accept-Encoding";
            if (!TakesGzip(context.Request))
            {
                var plain = new GZipStream(new MemoryStream(content), CompressionMode.Decompress);
                await using (plain.ConfigureAwait(false))
                {
                    await plain.CopyToAsync(response.Body, context.RequestAborted).ConfigureAwait(false);
                }
                return;
            }
            response.Headers.ContentEncoding = "gzip";
        }
        response.ContentLength = content.Length;
        await response.Body.WriteAsync(content, context.RequestAborted).ConfigureAwait(false);
    }

    private static bool TakesGzip(HttpRequest request)
    {
        foreach (string? value in request.Headers.AcceptEncoding)
        {
            foreach (string coding in (value ?? "").Split(','))
            {
                if (coding.Trim().Equals("gzip", StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }
        return false;
    }

    private static string TypeOf(string path) => Path.GetExtension(path) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".txt" => "text/plain; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };
}
