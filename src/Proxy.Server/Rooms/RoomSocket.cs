using System;
using System.Net.WebSockets;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Proxy.DevRoom;

namespace Proxy.Server.Rooms;

/// <summary>Async world. One client's signalling WebSocket: a reader that posts to the room loop, a writer that sends what the loop queued.</summary>
internal sealed class RoomSocket(long connection, RoomLoop loop)
{
    /// <summary>Frames that may wait for a slow client; beyond it the client is cut off.</summary>
    private const int FramesMax = 1_024;

    /// <summary>As the stock server limits incoming messages, bytes.</summary>
    private const int MessageBytesMax = 2 * 1024 * 1024;

    private static readonly TimeSpan s_closePatience = TimeSpan.FromSeconds(5);

    private readonly Channel<SignalOutput> _outputs = Channel.CreateBounded<SignalOutput>(
        new BoundedChannelOptions(FramesMax) { SingleReader = true, SingleWriter = true });

    public long Connection => connection;

    /// <summary>Room loop. Queues a frame or close.</summary>
    public void Enqueue(in SignalOutput output)
    {
        if (!_outputs.Writer.TryWrite(output))
        {
            _outputs.Writer.TryComplete();
        }
    }

    /// <summary>Runs until either side closes; the loop is told at the end.</summary>
    public async Task RunAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task writing = WriteAsync(socket, ending);
        try
        {
            await ReadAsync(socket, ending.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // Gone without a close frame: media may live on, and the client may resume.
        }
        finally
        {
            loop.Post(new RoomInput { Kind = RoomInputKind.Closed, Connection = connection });
            _outputs.Writer.TryComplete();
        }
        await writing.ConfigureAwait(false);
    }

    private async Task ReadAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[16 * 1024];
        int filled = 0;
        while (true)
        {
            ValueWebSocketReceiveResult result = await socket.ReceiveAsync(buffer.AsMemory(filled), cancellationToken).ConfigureAwait(false);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                _outputs.Writer.TryWrite(new SignalOutput(connection, SignalOutputKind.Close, [], false, (ushort)WebSocketCloseStatus.NormalClosure));
                return;
            }
            filled += result.Count;
            if (result.EndOfMessage)
            {
                loop.Post(new RoomInput
                {
                    Kind = RoomInputKind.Frame,
                    Connection = connection,
                    Flag = result.MessageType == WebSocketMessageType.Text,
                    Body = buffer[..filled],
                });
                filled = 0;
            }
            else if (filled == buffer.Length)
            {
                if (filled >= MessageBytesMax)
                {
                    return;
                }
                Array.Resize(ref buffer, filled * 2);
            }
        }
    }

    private async Task WriteAsync(WebSocket socket, CancellationTokenSource ending)
    {
        try
        {
            await foreach (SignalOutput output in _outputs.Reader.ReadAllAsync(ending.Token).ConfigureAwait(false))
            {
                if (output.Kind == SignalOutputKind.Abort)
                {
                    break;
                }
                if (output.Kind == SignalOutputKind.Close)
                {
                    // The client answers with its own close frame, or is cut off.
                    ending.CancelAfter(s_closePatience);
                    await socket.CloseOutputAsync((WebSocketCloseStatus)output.CloseCode, "", ending.Token).ConfigureAwait(false);
                    return;
                }
                WebSocketMessageType type = output.IsText ? WebSocketMessageType.Text : WebSocketMessageType.Binary;
                await socket.SendAsync(output.Frame, type, true, ending.Token).ConfigureAwait(false);
            }
            // Told to, too slow for its frames, or gone already.
            socket.Abort();
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The reader sees the same end and tells the loop.
        }
    }
}
