using System;
using System.IO;
using System.Net.Http;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Proxy.Bridge.Rooms;
using Proxy.Core.Collections;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;
using Proxy.LiveKit.Twirp;
using Proxy.Server.Signal;
using Proxy.Server.WebSockets;

namespace Proxy.Server.Node;

/// <summary>
/// Signal thread calls, pool threads work. Dispatches a rule's agents by the room server's AgentDispatchService, for calls
/// whose room existed already and whose rule says <c>dispatch_agents: every_call</c>.
/// </summary>
public sealed class AgentDispatcher(SignalDialer dialer, AgentDispatcherOptions options, SignalMailboxes mail, ILogger log) : IAgentDispatcher
{
    /// <summary>Dispatches under way; more fail at once.</summary>
    private const int UnderWayMax = 200;
    private const long TokenSeconds = 60;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
    private int _underWay;

    public void Dispatch(SlotId call, string callId, string room, string roomConfigJson)
    {
        if (Interlocked.Increment(ref _underWay) > UnderWayMax)
        {
            Interlocked.Decrement(ref _underWay);
            Fail(call, callId, "too many dispatches are under way");
            return;
        }
        _ = Task.Run(() => DispatchAllAsync(call, callId, room, roomConfigJson));
    }

    private async Task DispatchAllAsync(SlotId call, string callId, string room, string roomConfigJson)
    {
        try
        {
            if (!ProtoJson.TryRead(Encoding.UTF8.GetBytes(roomConfigJson), ProtoJsonRules.Api, out RoomConfiguration config, out _))
            {
                Fail(call, callId, "the rule's room configuration cannot be read");
                return;
            }
            foreach (RoomAgentDispatch wish in config.Agents)
            {
                string failure = await DispatchAsync(room, wish).ConfigureAwait(false);
                if (failure.Length > 0)
                {
                    Fail(call, callId, failure);
                    return;
                }
            }
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
        }
    }

    /// <returns>One clause when it failed, else empty.</returns>
    private async Task<string> DispatchAsync(string room, RoomAgentDispatch wish)
    {
        CreateAgentDispatchRequest request = new()
        {
            Room = room,
            AgentName = wish.AgentName,
            Metadata = wish.Metadata,
            RestartPolicy = wish.RestartPolicy,
            Deployment = wish.Deployment,
        };
        request.Attributes.Add(wish.Attributes);
        try
        {
            using CancellationTokenSource patience = new(s_patience);
            (int status, byte[] body) = await dialer.PostAsync(
                options.Url.TrimEnd('/') + "/twirp/livekit.AgentDispatchService/CreateDispatch", Token(room), request.ToByteArray(), patience.Token).ConfigureAwait(false);
            return status == 200 ? ""
                : TwirpError.TryRead(body, out TwirpError error) ? $"the room server answered {status} {error.CodeName}: {error.Message}"
                : $"the room server answered {status}";
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or System.Net.Sockets.SocketException)
        {
            return e is OperationCanceledException ? $"the room server did not answer within {s_patience.TotalSeconds:0} s" : "the room server cannot be asked: " + e.Message;
        }
    }

    private string Token(string room)
    {
        long now = options.Utc().ToUnixTimeSeconds();
        AccessClaims claims = new()
        {
            ApiKey = options.ApiKey,
            NotBefore = now,
            ExpiresAt = now + TokenSeconds,
            Video = new VideoGrant { RoomAdmin = true, Room = room },
        };
        return AccessToken.Mint(claims, Encoding.UTF8.GetBytes(options.ApiSecret));
    }

    private void Fail(SlotId call, string callId, string why)
    {
        NodeLog.NotDispatched(log, callId, why);
        mail.Control.TryPost((loop, _) => loop.Calls.HandleDispatchFailure(call, why));
    }
}

/// <summary>Any thread. Which room server is asked, and as whom.</summary>
public sealed record AgentDispatcherOptions
{
    /// <summary>As participants dial it: <c>ws://</c>, <c>wss://</c>, <c>http://</c> or <c>https://</c>.</summary>
    public required string Url { get; init; }

    public required string ApiKey { get; init; }

    /// <summary>A secret: never logged.</summary>
    public required string ApiSecret { get; init; }

    public required Func<DateTimeOffset> Utc { get; init; }
}
