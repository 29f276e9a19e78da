using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Core.Net;
using Proxy.Server.Config;
using Proxy.Server.Linux;

namespace Proxy.Server.Http;

/// <summary>
/// Main thread. Where the unix socket of the command-line verbs lies, and how a node comes to listen there: mode 0600, an old
/// socket that nobody listens on is taken away, a live one never.
/// </summary>
public static class ControlSocket
{
    /// <summary>Where a node listens unless its configuration says otherwise.</summary>
    public const string Usual = "/run/siproom/control.sock";

    private const uint OwnerOnly = 0x7F; // 0177: what is created is rw for its owner and nothing for others.
    private const int PathBytesMax = 107;

    /// <summary>The folder of the sockets of <c>--dev</c> nodes: they run as anybody, and several at once.</summary>
    public static string DevFolder(Func<string, string?> environment)
    {
        uint user = ProcessEnvironment.User;
        if (user == 0)
        {
            return "/run/siproom";
        }
        return environment("XDG_RUNTIME_DIR") is { Length: > 0 } runtime ? Path.Combine(runtime, "siproom") : $"/tmp/siproom-{user}";
    }

    /// <summary>The path at which the node listens; empty for none.</summary>
    /// <param name="http">Tells the sockets of several <c>--dev</c> nodes apart.</param>
    public static string PathOf(ServerConfig config, NetEndPoint http, Func<string, string?> environment) =>
        config.ControlSocket ?? (config.IsDev ? Path.Combine(DevFolder(environment), $"dev-{http.Address}-{http.Port}.sock") : Usual);

    /// <summary>Sockets that a verb without a configuration looks at: the usual one, else those of <c>--dev</c> nodes that answer.</summary>
    public static IReadOnlyList<string> Found(Func<string, string?> environment)
    {
        if (IsAlive(Usual))
        {
            return [Usual];
        }
        string folder = DevFolder(environment);
        List<string> found = [];
        if (Directory.Exists(folder))
        {
            foreach (string path in Directory.GetFiles(folder, "dev-*.sock"))
            {
                if (IsAlive(path))
                {
                    found.Add(path);
                }
            }
        }
        return found;
    }

    /// <summary>Builds and starts a host on the socket.</summary>
    /// <returns>Null when it cannot listen there; <paramref name="error"/> says why in one sentence.</returns>
    public static async Task<(HttpHost? Host, string Error)> TryStartAsync(string path, HttpOptions options, IReadOnlyList<IHttpModule> modules)
    {
        string error = Prepare(path);
        if (error.Length > 0)
        {
            return (null, error);
        }
        HttpHost host = HttpHost.Build(options with { UnixSocket = path }, modules);
        uint mask = ProcessEnvironment.SetFileModeMask(OwnerOnly);
        try
        {
            await host.StartAsync(CancellationToken.None).ConfigureAwait(false);
            return (host, "");
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException or ArgumentException)
        {
            await host.DisposeAsync().ConfigureAwait(false);
            return (null, $"the control socket {path} cannot be made: {e.Message}");
        }
        finally
        {
            ProcessEnvironment.SetFileModeMask(mask);
        }
    }

    /// <summary>Whether a node listens there.</summary>
    public static bool IsAlive(string path)
    {
        if (!File.Exists(path) || System.Text.Encoding.UTF8.GetByteCount(path) > PathBytesMax)
        {
            return false;
        }
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <returns>What is wrong; empty when the path may be bound.</returns>
    private static string Prepare(string path)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(path) > PathBytesMax)
        {
            return $"control: '{path}' is longer than the {PathBytesMax} bytes of a unix socket's address";
        }
        try
        {
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            if (!Directory.Exists(folder) || folder.StartsWith("/tmp/siproom-", StringComparison.Ordinal))
            {
                // Everybody may make a folder in /tmp; only its owner may change its mode. In another's folder our socket could be swapped.
                ProcessEnvironment.MakePrivateFolder(folder);
            }
            if (!File.Exists(path))
            {
                return "";
            }
            if (IsAlive(path))
            {
                return $"the control socket {path} belongs to a node that runs";
            }
            File.Delete(path);
            return "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"the control socket {path} cannot be made: {e.Message}";
        }
    }
}
