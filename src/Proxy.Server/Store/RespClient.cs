using System;
using System.Buffers.Text;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Core.Memory;

namespace Proxy.Server.Store;

/// <summary>
/// One owner. The few commands of Redis that the store needs, over one TCP connection, one after the other. ADR 0013.
/// Where the server can (Redis 6), it speaks RESP3 and says when a key that was read here is changed by anybody: client tracking.
/// </summary>
public sealed class RespClient : IDisposable
{
    private const int LongestReply = 256 * 1024 * 1024;
    private const int MostElements = 4_000_000;
    private const int DeepestReply = 8;

    private readonly TcpClient _tcp;
    private readonly Stream _stream;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    private RespClient(TcpClient tcp)
    {
        _tcp = tcp;
        _stream = tcp.GetStream();
    }

    /// <summary>Whether the server says when a key that was read over this connection changes.</summary>
    public bool Tracks { get; private set; }

    /// <summary>Something that was read was changed since; whoever reads anew sets it back before.</summary>
    public bool IsStale { get; set; }

    /// <exception cref="SocketException">Nobody listens.</exception>
    /// <exception cref="RespException">The server refused user, password or database.</exception>
    public static async Task<RespClient> ConnectAsync(RedisAddress address, CancellationToken cancellation)
    {
        var tcp = new TcpClient { NoDelay = true };
        try
        {
            await tcp.ConnectAsync(address.Host, address.Port, cancellation).ConfigureAwait(false);
            var client = new RespClient(tcp);
            if (address.Password.Length > 0)
            {
                string[] login = address.User.Length > 0 ? ["AUTH", address.User, address.Password] : ["AUTH", address.Password];
                await client.CallAsync(cancellation, Texts(login)).ConfigureAwait(false);
            }
            if (address.Database != 0)
            {
                await client.CallAsync(cancellation, Texts("SELECT", address.Database.ToString(System.Globalization.CultureInfo.InvariantCulture))).ConfigureAwait(false);
            }
            client.Tracks = await client.TryTrackAsync(cancellation).ConfigureAwait(false);
            return client;
        }
        catch
        {
            tcp.Dispose();
            throw;
        }
    }

    /// <summary>Hears what the server has said since, above all of keys that changed.</summary>
    public Task PingAsync(CancellationToken cancellation) => CallAsync(cancellation, Texts("PING"));

    /// <summary>Every field of a hash.</summary>
    /// <param name="values">Takes the values' bytes.</param>
    public async Task<Dictionary<string, ReadOnlyMemory<byte>>> HashAsync(string key, ByteArena values, CancellationToken cancellation)
    {
        await SendAsync(cancellation, Texts("HGETALL", key)).ConfigureAwait(false);
        byte[] head = await ReadHeadAsync(cancellation).ConfigureAwait(false);
        long count = head[0] switch
        {
            (byte)'%' => Number(head),
            (byte)'*' => Number(head) / 2,
            _ => throw Unwanted(head),
        };
        var fields = new Dictionary<string, ReadOnlyMemory<byte>>((int)Bounded(count, MostElements), StringComparer.Ordinal);
        for (long i = 0; i < count; i++)
        {
            Memory<byte> field = new byte[await ReadLengthAsync(cancellation).ConfigureAwait(false)];
            await ReadBytesAsync(field, cancellation).ConfigureAwait(false);
            Memory<byte> value = values.Take(await ReadLengthAsync(cancellation).ConfigureAwait(false));
            await ReadBytesAsync(value, cancellation).ConfigureAwait(false);
            fields[Encoding.UTF8.GetString(field.Span)] = value;
        }
        return fields;
    }

    /// <summary>Sets one field of a hash.</summary>
    public Task SetAsync(string key, string field, byte[] value, CancellationToken cancellation) =>
        CallAsync(cancellation, [.. Texts("HSET", key, field), value]);

    /// <summary>Removes one field of a hash.</summary>
    public Task DeleteAsync(string key, string field, CancellationToken cancellation) => CallAsync(cancellation, Texts("HDEL", key, field));

    public void Dispose() => _tcp.Dispose();

    // An old server, a proxy or an ACL may refuse either; then everything is read each time.
    private async Task<bool> TryTrackAsync(CancellationToken cancellation)
    {
        try
        {
            await CallAsync(cancellation, Texts("HELLO", "3")).ConfigureAwait(false);
            await CallAsync(cancellation, Texts("CLIENT", "TRACKING", "ON")).ConfigureAwait(false);
            return true;
        }
        catch (RespException e) when (e.IsRefusal)
        {
            return false;
        }
    }

    private static byte[][] Texts(params string[] texts) => Array.ConvertAll(texts, Encoding.UTF8.GetBytes);

    private async Task<object?> CallAsync(CancellationToken cancellation, params byte[][] parts)
    {
        await SendAsync(cancellation, parts).ConfigureAwait(false);
        byte[] head = await ReadHeadAsync(cancellation).ConfigureAwait(false);
        return await ReadValueAsync(head, DeepestReply, cancellation).ConfigureAwait(false);
    }

    private async Task SendAsync(CancellationToken cancellation, byte[][] parts)
    {
        using var request = new MemoryStream();
        void Line(char kind, int number) => request.Write(Encoding.ASCII.GetBytes($"{kind}{number}\r\n"));
        Line('*', parts.Length);
        foreach (byte[] part in parts)
        {
            Line('$', part.Length);
            request.Write(part);
            request.Write("\r\n"u8);
        }
        await _stream.WriteAsync(request.ToArray(), cancellation).ConfigureAwait(false);
    }

    /// <summary>The first line of the next reply; what the server says unasked comes between replies.</summary>
    private async Task<byte[]> ReadHeadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            byte[] line = await ReadLineAsync(cancellation).ConfigureAwait(false);
            if (line[0] != '>')
            {
                return line;
            }
            object?[] push = await ReadItemsAsync(Number(line), DeepestReply, cancellation).ConfigureAwait(false);
            IsStale |= push.Length > 0 && push[0] is byte[] kind && kind.AsSpan().SequenceEqual("invalidate"u8);
        }
    }

    private async Task<object?> ReadValueAsync(byte[] line, int depth, CancellationToken cancellation)
    {
        switch ((char)line[0])
        {
            case '+':
                return Encoding.UTF8.GetString(line, 1, line.Length - 1);
            case ':':
                return Number(line);
            case '_':
                return null;
            case '$':
                long length = Number(line);
                if (length < 0)
                {
                    return null;
                }
                var bytes = new byte[(int)Bounded(length, LongestReply)];
                await ReadBytesAsync(bytes, cancellation).ConfigureAwait(false);
                return bytes;
            case '*' or '~':
                return await ReadItemsAsync(Number(line), depth, cancellation).ConfigureAwait(false);
            case '%':
                return await ReadItemsAsync(Bounded(Number(line), MostElements) * 2, depth, cancellation).ConfigureAwait(false);
            default:
                throw Unwanted(line);
        }
    }

    private static RespException Unwanted(byte[] line) => line[0] == '-'
        ? new RespException(Encoding.UTF8.GetString(line, 1, line.Length - 1), isRefusal: true)
        : new RespException("the reply is no RESP");

    private async Task<object?[]> ReadItemsAsync(long count, int depth, CancellationToken cancellation)
    {
        if (depth == 0)
        {
            throw new RespException("the reply is too deep");
        }
        var items = new object?[(int)Bounded(Math.Max(count, 0), MostElements)];
        for (int i = 0; i < items.Length; i++)
        {
            byte[] line = await ReadLineAsync(cancellation).ConfigureAwait(false);
            items[i] = await ReadValueAsync(line, depth - 1, cancellation).ConfigureAwait(false);
        }
        return items;
    }

    private static long Number(byte[] line) => Utf8Parser.TryParse(line.AsSpan(1), out long number, out int used) && used == line.Length - 1
        ? number : throw new RespException("the reply holds no number");

    private static long Bounded(long value, long most) => value <= most ? value : throw new RespException("the reply is too long");

    private async Task<byte[]> ReadLineAsync(CancellationToken cancellation)
    {
        while (true)
        {
            int end = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8);
            if (end > 0)
            {
                byte[] line = _buffer.AsSpan(_start, end).ToArray();
                _start += end + 2;
                return line;
            }
            if (end == 0 || _end - _start == _buffer.Length)
            {
                throw new RespException("the reply is no RESP");
            }
            await FillAsync(cancellation).ConfigureAwait(false);
        }
    }

    private async Task<int> ReadLengthAsync(CancellationToken cancellation)
    {
        byte[] line = await ReadLineAsync(cancellation).ConfigureAwait(false);
        return line[0] == '$' && Number(line) is >= 0 and var length ? (int)Bounded(length, LongestReply) : throw Unwanted(line);
    }

    private async Task ReadBytesAsync(Memory<byte> bytes, CancellationToken cancellation)
    {
        int total = bytes.Length + 2;
        for (int taken = 0; taken < total;)
        {
            if (_start == _end)
            {
                await FillAsync(cancellation).ConfigureAwait(false);
            }
            int step = Math.Min(_end - _start, total - taken);
            int data = Math.Clamp(bytes.Length - taken, 0, step);
            _buffer.AsSpan(_start, data).CopyTo(bytes.Span[Math.Min(taken, bytes.Length)..]);
            _start += step;
            taken += step;
        }
    }

    private async Task FillAsync(CancellationToken cancellation)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        int read = await _stream.ReadAsync(_buffer.AsMemory(_end), cancellation).ConfigureAwait(false);
        _end += read > 0 ? read : throw new RespException("Redis closed the connection");
    }
}

/// <summary>Any thread. Redis answered with an error, or not with RESP.</summary>
public sealed class RespException(string message, bool isRefusal = false) : Exception(message)
{
    /// <summary>The server understood and refused; the connection can be used on.</summary>
    public bool IsRefusal => isRefusal;
}

/// <summary>Any thread. Where Redis is. The password is never printed.</summary>
/// <param name="Host">Name or address.</param>
/// <param name="Port">1–65535.</param>
public sealed record RedisAddress(string Host, int Port)
{
    public string User { get; init; } = "";

    public string Password { get; init; } = "";

    public int Database { get; init; }

    public override string ToString() => $"{Host}:{Port}/{Database}";
}
