using System;
using System.Threading;
using Proxy.Bridge.Records;
using Proxy.Server.Config;
using Proxy.Server.Linux;
using Proxy.Server.Logs;
using Proxy.Server.Node;
using Proxy.Server.Records;

namespace Proxy.Server.Commands;

/// <summary>Main thread. <c>siproom serve</c>: configuration, log and records; the node itself is <see cref="ServeNode"/>.</summary>
internal static class ServeCommand
{
    public static int Run(ConfigOverrides overrides)
    {
        ConfigResult read = new ConfigLoader(overrides).Load();
        if (read.Config is not { } config)
        {
            Terminal.Lines(read.Errors);
            return ExitCode.BadInput;
        }
        StderrLog log = new(StderrLog.ParseLevel(config.LogLevel), config.LogJson);
        foreach (string notice in read.Notices)
        {
            Log.ConfigNotice(log, notice);
        }
        PrepareProcess(config);
        return Serve(config, overrides, log);
    }

    private static int Serve(ServerConfig config, ConfigOverrides overrides, StderrLog log)
    {
        ConfigResult Again() => new ConfigLoader(overrides).Load();
        void Apply(ServerConfig read) => log.Least = StderrLog.ParseLevel(read.LogLevel);
        string? file = config.RecordsFile ?? (config.IsDev && overrides.IsVerbose ? "-" : null);
        if (file is null)
        {
            return ServeNode.Run(config, log, static _ => { }, Again, Apply);
        }
        RecordWriter records = new(file, log);
        try
        {
            return ServeNode.Run(config, log, records.Write, Again, Apply);
        }
        finally
        {
            records.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static void PrepareProcess(ServerConfig config)
    {
        // A burst of dials must not wait for the pool to grow by two threads a second.
        ThreadPool.GetMinThreads(out int workers, out int completions);
        ThreadPool.SetMinThreads(Math.Max(workers, 16), Math.Max(completions, 16));
        if (config.CaFile is not null)
        {
            ProcessEnvironment.Set("SSL_CERT_FILE", config.CaFile);
        }
    }
}
