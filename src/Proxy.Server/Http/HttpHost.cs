using System;
using System.Collections.Generic;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Proxy.Core.Net;

namespace Proxy.Server.Http;

/// <summary>Async world. The one HTTP listener: Kestrel without configuration files, console logs or a hand on the signals. ADR 0007.</summary>
public sealed class HttpHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpOptions _options;

    private HttpHost(WebApplication app, HttpOptions options)
    {
        _app = app;
        _options = options;
    }

    /// <summary>Where it listens, once started.</summary>
    public NetEndPoint Local { get; private set; }

    /// <summary>Builds the host; nothing listens yet.</summary>
    public static HttpHost Build(HttpOptions options, IReadOnlyList<IHttpModule> modules)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "siproom" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, options));
        builder.Services.AddRoutingCore();
        // The host's own lifetime would stop HTTP on SIGTERM; drain needs /readyz and /healthz until the last call is gone.
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.StopTimeout);
        WebApplication app = builder.Build();
        app.Use(next => context => GuardAsync(next, context, options));
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
        foreach (IHttpModule module in modules)
        {
            module.Map(app);
        }
        return new HttpHost(app, options);
    }

    /// <summary>Listens.</summary>
    /// <exception cref="System.IO.IOException">The address is taken or not ours.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _app.StartAsync(cancellationToken).ConfigureAwait(false);
        Local = _options.Listen;
        if (_options.UnixSocket is null && _options.Listen.Port == 0)
        {
            IServer server = _app.Services.GetRequiredService<IServer>();
            foreach (string address in server.Features.Get<IServerAddressesFeature>()!.Addresses)
            {
                Local = _options.Listen with { Port = (ushort)new Uri(address).Port };
            }
        }
    }

    /// <summary>Stops listening, waits <see cref="HttpOptions.StopTimeout"/>, then closes what is open.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void Configure(KestrelServerOptions kestrel, HttpOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestLineSize = options.RequestLineBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = 64 * 1024;
        kestrel.Limits.MaxRequestBodySize = options.BodyBytes;
        kestrel.Limits.MaxConcurrentConnections = options.Connections;
        kestrel.Limits.MaxConcurrentUpgradedConnections = options.Connections;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        if (options.UnixSocket is { } path)
        {
            kestrel.ListenUnixSocket(path);
            return;
        }
        kestrel.Listen(new IPEndPoint(options.Listen.Address.ToIPAddress(), options.Listen.Port));
    }

    private static async Task GuardAsync(RequestDelegate next, HttpContext context, HttpOptions options)
    {
        try
        {
            await next(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone: nobody is there to be answered.
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException e)
        {
            Answer(context, e.StatusCode);
        }
        catch (Exception e)
        {
            if (options.Log is { } log)
            {
                Logs.Log.RequestFailed(log, context.Request.Method, context.Request.Path.Value ?? "", e);
            }
            Answer(context, StatusCodes.Status500InternalServerError);
        }
    }

    private static void Answer(HttpContext context, int status)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.Clear();
            context.Response.StatusCode = status;
        }
    }

    /// <summary>Neither waits nor listens to signals: Program does both.</summary>
    private sealed class SilentLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
