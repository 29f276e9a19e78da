using System;
using System.Collections.Concurrent;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Proxy.Server.Dns;

/// <summary>Any thread. Addresses of host names, asked for once however many dials want them: getaddrinfo blocks a pool thread for each question.</summary>
public sealed class DnsCache
{
    private static readonly TimeSpan s_life = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_staleLife = TimeSpan.FromMinutes(10);
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.OrdinalIgnoreCase);
    private readonly TimeProvider _time;
    private readonly Func<string, Task<IPAddress[]>> _lookUp;

    /// <param name="time">Ages the entries.</param>
    /// <param name="lookUp">The system's resolver when null.</param>
    public DnsCache(TimeProvider? time = null, Func<string, Task<IPAddress[]>>? lookUp = null)
    {
        _time = time ?? TimeProvider.System;
        _lookUp = lookUp ?? (host => System.Net.Dns.GetHostAddressesAsync(host));
    }

    /// <summary>Addresses in the resolver's order. An answer up to ten minutes old is used when the resolver fails.</summary>
    /// <exception cref="SocketException">No such name, or no resolver.</exception>
    public async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? literal))
        {
            return [literal];
        }
        Entry entry = _entries.GetOrAdd(host, static _ => new Entry());
        Task<IPAddress[]> asked;
        lock (entry)
        {
            if (entry.Addresses.Length > 0 && _time.GetElapsedTime(entry.At) < s_life)
            {
                return entry.Addresses;
            }
            asked = entry.Asked ??= AskAsync(host, entry);
        }
        return await asked.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Connects to the first address of a name that answers; for the handlers of HTTP.</summary>
    public async ValueTask<Stream> ConnectAsync(DnsEndPoint target, CancellationToken cancellationToken)
    {
        IPAddress[] addresses = await ResolveAsync(target.Host, cancellationToken).ConfigureAwait(false);
        for (int i = 0; ; i++)
        {
            Socket socket = new(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(addresses[i], target.Port), cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (i + 1 < addresses.Length)
            {
                // The next address of the same name may answer.
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private async Task<IPAddress[]> AskAsync(string host, Entry entry)
    {
        // Not under the caller's lock, and not on its thread.
        await Task.Yield();
        try
        {
            IPAddress[] addresses = await _lookUp(host).ConfigureAwait(false);
            lock (entry)
            {
                entry.Addresses = addresses;
                entry.At = _time.GetTimestamp();
                return addresses;
            }
        }
        catch (SocketException)
        {
            lock (entry)
            {
                if (entry.Addresses.Length > 0 && _time.GetElapsedTime(entry.At) < s_staleLife)
                {
                    return entry.Addresses;
                }
            }
            throw;
        }
        finally
        {
            lock (entry)
            {
                entry.Asked = null;
            }
        }
    }

    private sealed class Entry
    {
        public IPAddress[] Addresses { get; set; } = [];

        public long At { get; set; }

        public Task<IPAddress[]>? Asked { get; set; }
    }
}
