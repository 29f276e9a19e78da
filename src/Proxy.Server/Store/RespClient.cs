using System;
using System.Buffers.Text;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Proxy.Server.Store;

/// <summary>
/// One owner. The few commands of Redis that the store needs, over one TCP connection, one after the other (RESP2). ADR 0013.
/// </summary>
public sealed class RespClient : IDisposable
{
    private const int LongestReply = 256 * 1024 * 1024;
    private const int MostElements = 4_000_000;

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
            return client;
        }
        catch
        {
            tcp.Dispose();
            throw;
        }
    }

    /// <summary>Every field of a hash.</summary>
    public async Task<Dictionary<string, byte[]>> HashAsync(string key, CancellationToken cancellation)
    {
        object? reply = await CallAsync(cancellation, Texts("HGETALL", key)).ConfigureAwait(false);
        var fields = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        object?[] flat = reply as object?[] ?? [];
        for (int i = 0; i + 1 < flat.Length; i += 2)
        {
            fields[Encoding.UTF8.GetString((byte[])flat[i]!)] = (byte[])flat[i + 1]!;
        }
        return fields;
    }

    /// <summary>Sets one field of a hash.</summary>
    public Task SetAsync(string key, string field, byte[] value, CancellationToken cancellation) =>
        CallAsync(cancellation, [.. Texts("HSET", key, field), value]);

    /// <summary>Removes one field of a hash.</summary>
    public Task DeleteAsync(string key, string field, CancellationToken cancellation) => CallAsync(cancellation, Texts("HDEL", key, field));

    public void Dispose() => _tcp.Dispose();

    private static byte[][] Texts(params string[] texts) => Array.ConvertAll(texts, Encoding.UTF8.GetBytes);

    private async Task<object?> CallAsync(CancellationToken cancellation, params byte[][] parts)
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
        return await ReadReplyAsync(cancellation).ConfigureAwait(false);
    }

    private async Task<object?> ReadReplyAsync(CancellationToken cancellation)
    {
        byte[] line = await ReadLineAsync(cancellation).ConfigureAwait(false);
        switch ((char)line[0])
        {
            case '+':
                return Encoding.UTF8.GetString(line, 1, line.Length - 1);
            case '-':
                throw new RespException(Encoding.UTF8.GetString(line, 1, line.Length - 1));
            case ':':
                return Number(line);
            case '$':
                long length = Number(line);
                return length < 0 ? null : await ReadBytesAsync((int)Bounded(length, LongestReply), cancellation).ConfigureAwait(false);
            case '*':
                long count = Number(line);
                var items = new object?[(int)Bounded(Math.Max(count, 0), MostElements)];
                for (int i = 0; i < items.Length; i++)
                {
                    items[i] = await ReadReplyAsync(cancellation).ConfigureAwait(false);
                }
                return items;
            default:
                throw new RespException("the reply is no RESP");
        }
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

    private async Task<byte[]> ReadBytesAsync(int length, CancellationToken cancellation)
    {
        var bytes = new byte[length];
        int have = 0;
        int total = length + 2;
        for (int taken = 0; taken < total;)
        {
            if (_start == _end)
            {
                await FillAsync(cancellation).ConfigureAwait(false);
            }
            int step = Math.Min(_end - _start, total - taken);
            int data = Math.Min(step, length - have);
            if (data > 0)
            {
                _buffer.AsSpan(_start, data).CopyTo(bytes.AsSpan(have));
                have += data;
            }
            _start += step;
            taken += step;
        }
        return bytes;
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
public sealed class RespException(string message) : Exception(message);

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
