using System;
using System.Buffers;
using System.IO;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Proxy.Core;
using Proxy.Sip;
using Proxy.Sip.Framing;

namespace Proxy.Server.Signal;

/// <summary>Async world. One SIP stream connection: a reader that cuts messages out, a writer behind a bounded queue.</summary>
internal sealed class TcpConnection
{
    private static readonly byte[] s_pong = "\r\n"u8.ToArray();
    private readonly TcpStreams _owner;
    private readonly Socket _socket;
    private readonly SipStreamFramer _framer;
    private readonly Channel<byte[]> _writes;
    private readonly TimeSpan _first;
    private readonly TimeSpan _idle;
    private long _readDeadline;
    private long _writeDeadline = long.MaxValue;
    private volatile bool _isIdle;
    private bool _hadMessage;
    private int _isClosed;

    /// <param name="isListed">Somebody vouches for the peer's address: it may be silent for longer.</param>
    public TcpConnection(TcpStreams owner, Socket socket, SipFlow flow, Limits limits, bool isListed)
    {
        _idle = isListed ? owner.Options.Idle : owner.Options.IdleStranger;
        _first = isListed ? _idle : owner.Options.FirstMessage;
        _owner = owner;
        _socket = socket;
        _framer = new SipStreamFramer(limits);
        Flow = flow;
        _writes = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(owner.Options.WriteQueue) { SingleReader = true });
        _readDeadline = After(owner.Options.Handshake + owner.Options.Connect);
    }

    public SipFlow Flow { get; }

    /// <summary>Whether a message of it reached the signal thread.</summary>
    public bool HasSpoken { get; private set; }

    /// <summary>Any thread. Queues a message.</summary>
    /// <returns>False when the connection is closing or its queue is full; then it closes.</returns>
    public bool TryWrite(byte[] message)
    {
        if (_writes.Writer.TryWrite(message))
        {
            return true;
        }
        Close();
        return false;
    }

    /// <summary>Any thread. Ends it at once; what runs on it fails and reports.</summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            _writes.Writer.TryComplete();
            _socket.Dispose();
        }
    }

    /// <summary>The sweeper's turn: closes what has taken too long. Whether silence between messages is too long the signal thread knows.</summary>
    public Lateness CloseIfLate(long nowMs)
    {
        bool isWriting = nowMs >= Volatile.Read(ref _writeDeadline);
        if (!isWriting && nowMs < Volatile.Read(ref _readDeadline))
        {
            return Lateness.None;
        }
        if (!isWriting && _isIdle && HasSpoken)
        {
            Volatile.Write(ref _readDeadline, nowMs + (long)_idle.TotalMilliseconds);
            return Lateness.Idle;
        }
        Close();
        return Lateness.Closed;
    }

    /// <summary>Runs until the connection is gone.</summary>
    /// <param name="open">Connects or shakes hands, and gives the stream to read and write.</param>
    public async Task RunAsync(Func<Socket, Task<Stream>> open)
    {
        try
        {
            Stream stream = await open(_socket).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                Volatile.Write(ref _readDeadline, After(_first));
                Task writing = WriteAllAsync(stream);
                await ReadAllAsync(stream).ConfigureAwait(false);
                _writes.Writer.TryComplete();
                await writing.ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException
            or System.Security.Authentication.AuthenticationException or InvalidOperationException)
        {
            // The peer, the network or a deadline ended it; that is what Closed says.
        }
        finally
        {
            Close();
        }
    }

    private static long After(TimeSpan span) => Environment.TickCount64 + (long)span.TotalMilliseconds;

    private async Task ReadAllAsync(Stream stream)
    {
        // Zero-byte reads: an idle connection holds no buffer.
        PipeReader reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 4096, minimumReadSize: 1024, leaveOpen: true, useZeroByteReads: true));
        try
        {
            bool isOpen = true;
            while (isOpen)
            {
                ReadResult read = await reader.ReadAsync().ConfigureAwait(false);
                ReadOnlySequence<byte> buffer = read.Buffer;
                bool wasInMessage = _framer.IsInMessage;
                (SequencePosition consumed, isOpen) = await HandleAsync(buffer).ConfigureAwait(false);
                _isIdle = !_framer.IsInMessage;
                if (_isIdle)
                {
                    Volatile.Write(ref _readDeadline, After(_idle));
                }
                else if (!wasInMessage || !consumed.Equals(buffer.Start))
                {
                    Volatile.Write(ref _readDeadline, After(_owner.Options.WholeMessage));
                }
                isOpen &= !read.IsCompleted;
                reader.AdvanceTo(consumed, buffer.End);
            }
        }
        finally
        {
            await reader.CompleteAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Takes every whole message out of what was read.</summary>
    private async ValueTask<(SequencePosition Consumed, bool IsOpen)> HandleAsync(ReadOnlySequence<byte> buffer)
    {
        while (true)
        {
            SipFrame frame = _framer.Next(buffer);
            ReadOnlySequence<byte> message = buffer.Slice(frame.Skipped, Math.Max(0, frame.Consumed - frame.Skipped));
            buffer = buffer.Slice(frame.Consumed);
            switch (frame.Verdict)
            {
                case SipFrameVerdict.NeedMore:
                    return (buffer.Start, true);
                case SipFrameVerdict.Message:
                    HasSpoken = true;
                    if (!await _owner.PostAsync(Flow, message.ToArray()).ConfigureAwait(false))
                    {
                        return (buffer.Start, false);
                    }
                    _hadMessage = true;
                    break;
                case SipFrameVerdict.Ping:
                    TryWrite(s_pong);
                    break;
                case SipFrameVerdict.RefuseAndClose:
                    HasSpoken = true;
                    await _owner.PostAsync(Flow, message.ToArray()).ConfigureAwait(false);
                    await Task.Delay(_owner.Options.LastAnswer).ConfigureAwait(false);
                    return (buffer.Start, false);
                default:
                    _owner.CountGarbage();
                    if (_hadMessage)
                    {
                        // The messages before the garbage were whole: their answers still go out (RFC 4475, dblreq).
                        await Task.Delay(_owner.Options.LastAnswer).ConfigureAwait(false);
                    }
                    return (buffer.Start, false);
            }
        }
    }

    private async Task WriteAllAsync(Stream stream)
    {
        try
        {
            await foreach (byte[] message in _writes.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                Volatile.Write(ref _writeDeadline, After(_owner.Options.Write));
                await stream.WriteAsync(message).ConfigureAwait(false);
                Volatile.Write(ref _writeDeadline, long.MaxValue);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The reader sees it too, and reports.
            Close();
        }
    }
}

/// <summary>Async world. What the sweeper did with a connection.</summary>
internal enum Lateness : byte
{
    None,

    /// <summary>Silent between messages: the signal thread is asked.</summary>
    Idle,

    Closed,
}
