using System;
using System.Buffers;
using System.IO;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Proxy.Bridge.Records;
using Proxy.Server.Logs;
using Proxy.Server.Metrics;

namespace Proxy.Server.Records;

/// <summary>Any thread writes, one task has the disk. Call records as JSON lines; a full queue loses the newest and counts it, no call waits for a disk.</summary>
/// <remarks>The file is opened for each burst and closed after it: moving it away (logrotate) needs no signal.</remarks>
public sealed class RecordWriter : IMetricsSource, IAsyncDisposable
{
    private const int QueueLength = 8_192;
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(1);
    private readonly Channel<CallRecord> _queue = Channel.CreateBounded<CallRecord>(new BoundedChannelOptions(QueueLength) { SingleReader = true });
    private readonly ArrayBufferWriter<byte> _lines = new(64 * 1024);
    private readonly string _file;
    private readonly ILogger _log;
    private readonly Task _writing;
    private volatile bool _isEnding;
    private long _written;
    private long _lost;

    /// <param name="file">Appended to; <c>-</c> is stdout.</param>
    public RecordWriter(string file, ILogger log)
    {
        _file = file;
        _log = log;
        _writing = Task.Run(WriteAllAsync);
    }

    public long Written => Volatile.Read(ref _written);

    /// <summary>Records that found the queue full, or the disk gone at the end.</summary>
    public long Lost => Volatile.Read(ref _lost);

    /// <summary>Any thread. Takes the record over; never blocks.</summary>
    public void Write(CallRecord record)
    {
        if (!_queue.Writer.TryWrite(record))
        {
            long lost = Interlocked.Increment(ref _lost);
            if (long.IsPow2(lost))
            {
                Log.RecordsLost(_log, lost);
            }
        }
    }

    public void Write(MetricsWriter writer)
    {
        writer.Counter("siproom_records_written_total", "Call records written.", Written);
        writer.Counter("siproom_records_lost_total", "Call records lost because the queue was full.", Lost);
    }

    /// <summary>Writes what is queued, then ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _isEnding = true;
        _queue.Writer.TryComplete();
        await _writing.ConfigureAwait(false);
    }

    private async Task WriteAllAsync()
    {
        bool isTold = false;
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            int count = 0;
            _lines.ResetWrittenCount();
            while (count < 256 && _queue.Reader.TryRead(out CallRecord? record))
            {
                RecordJson.Write(_lines, record);
                count++;
            }
            while (!TryAppend(out string reason))
            {
                if (!isTold)
                {
                    Log.RecordsUnwritable(_log, _file, reason);
                    isTold = true;
                }
                if (_isEnding)
                {
                    Interlocked.Add(ref _lost, count);
                    return;
                }
                await Task.Delay(s_retry).ConfigureAwait(false);
            }
            isTold = false;
            Interlocked.Add(ref _written, count);
        }
    }

    private bool TryAppend(out string reason)
    {
        reason = "";
        try
        {
            using Stream stream = _file == "-"
                ? System.Console.OpenStandardOutput()
                : new FileStream(_file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            stream.Write(_lines.WrittenSpan);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reason = e.Message;
            return false;
        }
    }
}
