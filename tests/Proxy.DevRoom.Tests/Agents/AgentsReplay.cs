using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Proxy.Core.Memory;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;
using Proxy.Testing;

namespace Proxy.DevRoom.Tests.Agents;

/// <summary>Replays one recording of the stock server's agents protocol: what clients sent goes to our server, what ours answers is compared.</summary>
/// <remarks>
/// Ids and times differ in any run: ids are paired at their first sight and must stay paired, times must be there on both
/// sides. The choice among several workers is random: it is steered to the recorded one.
/// </remarks>
internal sealed class AgentsReplay
{
    private static readonly string[] s_times = ["startedAt", "updatedAt", "createdAt", "creationTime", "creationTimeMs", "joinedAt", "joinedAtMs", "lastTimestamp", "timestamp", "iat", "nbf", "exp", "unixMicro"];
    private static readonly string[] s_ids = ["id", "workerId", "dispatchId", "sid", "nodeId", "turnPassword"];

    /// <summary>What the replay's own client says of itself and of its track.</summary>
    private static readonly string[] s_ofTheClient = ["tracks", "capabilities", "clientProtocol", "version"];
    private readonly SteeredRandom _random = new();
    private readonly RoomWorld _world;
    private readonly List<JsonObject> _events = [];
    private readonly Dictionary<int, TestWorker> _workers = [];
    private readonly Dictionary<int, RoomClient> _clients = [];
    private readonly Dictionary<int, (string Method, RoomHttpReply Reply)> _calls = [];
    private readonly Dictionary<int, RoomHttpReply> _opened = [];
    private readonly Dictionary<int, List<ServerMessage>> _stock = [];
    private readonly Dictionary<int, DisconnectReason> _leaves = [];
    private readonly HashSet<int> _left = [];
    private readonly Dictionary<string, string> _ids = [];

    private AgentsReplay(string file)
    {
        _world = new RoomWorld(random: _random);
        foreach (string line in File.ReadLines(file))
        {
            JsonObject e = JsonNode.Parse(line)!.AsObject();
            string? note = (string?)e["note"];
            // The worker-events have clocks of their own; a server that is shut down answers nothing that could be compared.
            if (note is not null && note.Contains("SIGTERM", StringComparison.Ordinal) && note.Contains("server", StringComparison.Ordinal))
            {
                break;
            }
            if ((string)e["dir"]! != "worker-event")
            {
                _events.Add(e);
            }
        }
    }

    /// <summary>What differed, each as <c>message: path</c>; how often is not told.</summary>
    public SortedSet<string> Differences { get; } = new(StringComparer.Ordinal);

    /// <summary>Messages and answers that were compared.</summary>
    public int Compared { get; private set; }

    public static AgentsReplay Run(string file)
    {
        AgentsReplay replay = new(file);
        for (int i = 0; i < replay._events.Count; i++)
        {
            JsonObject e = replay._events[i];
            int until = (int)e["ms"]! - (int)(replay._world.Now.Micros / 1000) + 1000;
            replay._world.Advance(Math.Max(until, 0));
            replay.Step(e, i);
        }
        foreach ((int connection, DisconnectReason stock) in replay._leaves)
        {
            replay.Compared++;
            SignalResponse? ours = replay._clients[connection].Frames.Find(f => f.Leave is not null);
            replay.Expect($"leave to a participant: {ours?.Leave.Reason} instead of {stock}", ours?.Leave.Reason == stock);
        }
        foreach ((int connection, List<ServerMessage> stock) in replay._stock)
        {
            replay.CompareMessages(stock, replay._workers[connection]);
        }
        return replay;
    }

    public static IEnumerable<string> Files() =>
        Directory.GetFiles(TestData.Path("livekit-golden", "agents"), "*.jsonl").Order(StringComparer.Ordinal);

    private void Step(JsonObject e, int index)
    {
        int connection = (int?)e["conn"] ?? 0;
        bool isOurs = (string)e["dir"]! == "s->c";
        string? http = (string?)e["http"];
        string? message = (string?)e["msg"];
        if (http is not null && !isOurs)
        {
            Request(connection, http.Split(' ')[1].Split('?')[0], e, index);
        }
        else if (http is not null)
        {
            Response(connection, int.Parse(http.Split(' ')[1]), e);
        }
        else if (_workers.TryGetValue(connection, out TestWorker? worker))
        {
            WorkerStep(worker, connection, isOurs, message, e);
        }
        else if (_clients.TryGetValue(connection, out RoomClient? client))
        {
            ClientStep(client, connection, isOurs, message, e);
        }
    }

    private void Request(int connection, string path, JsonObject e, int index)
    {
        string room = (string?)e["json"]?["room"] ?? (string?)e["json"]?["name"] ?? "";
        Steer(room.Length > 0 ? room : (string?)(e["tokenClaims"] as JsonObject)?["video"]?["room"] ?? "", index);
        if (path == "/agent")
        {
            TestWorker worker = _world.Worker();
            bool isWebSocket = e["headers"]!.AsArray().Any(h => (string)h![0]! == "Upgrade");
            string? bearer = e["headers"]!.AsArray().FirstOrDefault(h => (string)h![0]! == "Authorization")?[1]?.ToString()["Bearer ".Length..];
            bool isInQuery = (string?)e["query"]!["access_token"] is not null;
            string? token = isInQuery ? RoomWorld.Sign(TestWorker.Grant) : e["tokenClaims"] is JsonObject claims ? Sign(claims) : bearer;
            _opened[connection] = _world.Server.OpenConnection(
                worker.Connection, "/agent", isInQuery ? "access_token=" + token : "", isInQuery ? null : token, isWebSocket, _world.Now);
            _workers[connection] = worker;
        }
        else if (path.StartsWith("/twirp/", StringComparison.Ordinal))
        {
            string[] parts = path.Split('/');
            bool isJson = e["b64"] is null;
            byte[] body = isJson ? Encoding.UTF8.GetBytes(e["json"]?.ToJsonString() ?? "{}") : Convert.FromBase64String((string)e["b64"]!);
            body = parts[3] == "DeleteDispatch" && !isJson ? Translate(DeleteAgentDispatchRequest.Parser.ParseFrom(body)).ToByteArray() : body;
            string text = isJson ? Translate(Encoding.UTF8.GetString(body)) : "";
            RoomHttpReply reply = _world.Server.CallService(
                parts[2]["livekit.".Length..], parts[3], isJson ? Encoding.UTF8.GetBytes(text) : body, isJson, Sign(e["tokenClaims"]!.AsObject()), _world.Now);
            _world.Drain();
            _calls[connection] = (parts[3], reply);
        }
        else if (path == "/rtc/v1" && e["tokenClaims"] is JsonObject claims)
        {
            Join(connection, claims);
        }
    }

    private void Join(int connection, JsonObject claims)
    {
        string identity = (string)claims["sub"]!;
        string token = Sign(claims);
        if ((string?)claims["kind"] == "agent")
        {
            // An agent brings the token that our server gave to its worker.
            JobAssignment? assignment = _workers.Values.SelectMany(w => w.Assignments).FirstOrDefault(a => (string?)Claims(a.Token)["sub"] == identity);
            if (assignment is null)
            {
                Differences.Add("agent: no assignment for it");
                return;
            }
            token = assignment.Token;
        }
        RoomClient client = _world.ClientWithToken(identity, token);
        if (client.Join().IsUpgrade)
        {
            client.Connect();
        }
        _clients[connection] = client;
    }

    private void Response(int connection, int status, JsonObject e)
    {
        if (_opened.Remove(connection, out RoomHttpReply opened))
        {
            Compared++;
            Expect("GET /agent: status", status == opened.Status);
            Expect("GET /agent: body", ((string?)e["text"] ?? "") == Encoding.UTF8.GetString(opened.Body));
        }
        else if (_calls.Remove(connection, out (string Method, RoomHttpReply Reply) call))
        {
            Compared++;
            Expect(call.Method + ": status", status == call.Reply.Status);
            if (status == 200 && call.Method.EndsWith("Dispatch", StringComparison.Ordinal) && call.Reply.Status == 200)
            {
                CompareDispatches(call.Method, Convert.FromBase64String((string?)e["b64"] ?? ""), e["json"], call.Reply);
            }
            else if (status != 200)
            {
                Expect(call.Method + ": body", JsonNode.DeepEquals(e["json"], JsonNode.Parse(call.Reply.Body)));
            }
        }
    }

    private void CompareDispatches(string method, byte[] binary, JsonNode? json, RoomHttpReply reply)
    {
        AgentDispatch[] stock;
        AgentDispatch[] ours;
        bool isList = method == "ListDispatch";
        if (reply.ContentType == "application/json")
        {
            stock = isList ? [.. Read<ListAgentDispatchResponse>(json!).AgentDispatches] : [Read<AgentDispatch>(json!)];
            ours = isList ? [.. Read<ListAgentDispatchResponse>(JsonNode.Parse(reply.Body)!).AgentDispatches] : [Read<AgentDispatch>(JsonNode.Parse(reply.Body)!)];
        }
        else
        {
            stock = isList ? [.. ListAgentDispatchResponse.Parser.ParseFrom(binary).AgentDispatches] : [AgentDispatch.Parser.ParseFrom(binary)];
            ours = isList ? [.. ListAgentDispatchResponse.Parser.ParseFrom(reply.Body).AgentDispatches] : [AgentDispatch.Parser.ParseFrom(reply.Body)];
        }
        Expect(method + ": number of dispatches", stock.Length == ours.Length);
        // The stock server's order is arbitrary.
        stock = [.. stock.OrderBy(d => (d.AgentName, d.State.CreatedAt))];
        ours = [.. ours.OrderBy(d => (d.AgentName, d.State.CreatedAt))];
        for (int i = 0; i < Math.Min(stock.Length, ours.Length); i++)
        {
            if (stock[i].State.Jobs.Count != ours[i].State.Jobs.Count)
            {
                Differences.Add(method + ": number of jobs " + (stock[i].State.Jobs.Count < ours[i].State.Jobs.Count ? "(ours knows more)" : "(ours knows fewer)"));
                stock[i].State.Jobs.Clear();
                ours[i].State.Jobs.Clear();
            }
            Compare(method, "", Node(stock[i]), Node(ours[i]));
        }
    }

    private void WorkerStep(TestWorker worker, int connection, bool isOurs, string? message, JsonObject e)
    {
        if (message is "ws-ping" or "ws-pong")
        {
            return;
        }
        if (message is "ws-close" or "tcp-fin" or "tcp-reset")
        {
            if (!isOurs)
            {
                worker.Lose();
                _left.Add(connection);
            }
            else if (_left.Add(connection))
            {
                Expect("worker connection: cut", worker.IsCut && message != "ws-close");
            }
            return;
        }
        bool isText = message == "text";
        if (isOurs)
        {
            ServerMessage stock = isText ? Read<ServerMessage>(JsonNode.Parse((string)e["text"]!)!) : ServerMessage.Parser.ParseFrom(Convert.FromBase64String((string)e["b64"]!));
            if (!_stock.TryGetValue(connection, out List<ServerMessage>? seen))
            {
                _stock[connection] = seen = [];
            }
            seen.Add(stock);
            Learn(worker, seen, stock);
            return;
        }
        byte[] frame = isText
            ? Encoding.UTF8.GetBytes(Translate((string)e["text"]!))
            : Translate(WorkerMessage.Parser.ParseFrom(Convert.FromBase64String((string?)e["b64"] ?? ""))).ToByteArray();
        worker.SendFrame(frame, isText);
    }

    /// <summary>Pairs ids before the worker's next frame names the stock server's.</summary>
    private void Learn(TestWorker worker, List<ServerMessage> seen, ServerMessage stock)
    {
        if (stock.Register is { } register && worker.Messages.Count > 0)
        {
            _ids[register.WorkerId] = worker.Id;
        }
        if (stock.Availability is { } availability)
        {
            int asked = seen.Count(m => m.Availability is { } other && IsSame(other.Job, availability.Job));
            List<Job> ours = worker.Offers.FindAll(offer => IsSame(offer, availability.Job));
            if (ours.Count >= asked)
            {
                _ids.TryAdd(availability.Job.Id, ours[asked - 1].Id);
            }
        }
    }

    private static bool IsSame(Job a, Job b) => (a.Room.Name, a.Metadata, a.Type, a.AgentName) == (b.Room.Name, b.Metadata, b.Type, b.AgentName);

    private void ClientStep(RoomClient client, int connection, bool isOurs, string? message, JsonObject e)
    {
        if (message == "leave" && isOurs)
        {
            _leaves[connection] = SignalResponse.Parser.ParseFrom(Convert.FromBase64String((string)e["b64"]!)).Leave.Reason;
        }
        else if (message == "leave")
        {
            client.Send(SignalRequest.Parser.ParseFrom(Convert.FromBase64String((string)e["b64"]!)));
            _left.Add(connection);
        }
        else if (!isOurs && message is "ws-close" or "tcp-fin" && _left.Add(connection))
        {
            _world.Server.ConnectionClosed(client.Connection, _world.Now);
            _world.Drain();
        }
    }

    private void CompareMessages(List<ServerMessage> stock, TestWorker worker)
    {
        // The stock server deals with dispatches side by side: only the order within a job is the same in every run.
        List<ServerMessage> a = [.. stock.Where(m => m.Termination is null).OrderBy(JobOf, StringComparer.Ordinal)];
        List<ServerMessage> b = [.. worker.Messages.Where(m => m.Termination is null).OrderBy(JobOf, StringComparer.Ordinal)];
        Expect("worker: number and order of messages", a.Select(m => m.MessageCase).SequenceEqual(b.Select(m => m.MessageCase)));
        for (int i = 0; i < Math.Min(a.Count, b.Count); i++)
        {
            Compared++;
            string kind = a[i].MessageCase.ToString().ToLowerInvariant();
            if (a[i].Assignment is { } theirs && b[i].Assignment is { } mine)
            {
                Compare("token", "", Claims(theirs.Token), Claims(mine.Token));
                theirs.Token = mine.Token = "";
            }
            Compare(kind, "", Node(a[i]), Node(b[i]));
        }
        List<string> ended = [.. stock.Where(m => m.Termination is not null).Select(m => _ids.GetValueOrDefault(m.Termination.JobId, m.Termination.JobId))];
        Compared += ended.Count;
        Expect("termination: missing", ended.All(worker.Terminations.Contains));
        Expect("termination: sent although the stock server sent none", worker.Terminations.All(ended.Contains));
        Expect("termination: sent twice", worker.Terminations.Distinct().Count() == worker.Terminations.Count);
    }

    private static string JobOf(ServerMessage message) =>
        (message.Availability?.Job ?? message.Assignment?.Job) is { } job ? $"{job.Room.Name} {job.Metadata} {job.Type} {job.AgentName}" : "";

    private void Compare(string message, string path, JsonNode? stock, JsonNode? ours)
    {
        string where = message + ": " + (path.Length == 0 ? "all" : path);
        string leaf = path[(path.LastIndexOf('.') + 1)..];
        if (path.Contains("participant.", StringComparison.Ordinal) && Array.IndexOf(s_ofTheClient, leaf) >= 0)
        {
            return;
        }
        if (Array.IndexOf(s_times, leaf) >= 0)
        {
            Expect(where, stock is null == ours is null);
        }
        else if (Array.IndexOf(s_ids, leaf) >= 0 && stock is not null && ours is not null)
        {
            string a = stock.ToString();
            string b = ours.ToString();
            _ids.TryAdd(a, b);
            Expect(where, leaf == "nodeId" || _ids[a] == b);
        }
        else if (stock is JsonObject a && ours is JsonObject b)
        {
            foreach (string key in a.Select(p => p.Key).Union(b.Select(p => p.Key)))
            {
                Compare(message, path.Length == 0 ? key : path + "." + key, a[key], b[key]);
            }
        }
        else if (stock is JsonArray c && ours is JsonArray d && c.Count == d.Count)
        {
            for (int i = 0; i < c.Count; i++)
            {
                Compare(message, path, c[i], d[i]);
            }
        }
        else
        {
            Expect(where, JsonNode.DeepEquals(stock, ours));
        }
    }

    private void Expect(string what, bool holds)
    {
        if (!holds)
        {
            Differences.Add(what);
        }
    }

    /// <summary>The choice among workers that the room's making or dispatch brings falls as the stock server's did.</summary>
    private void Steer(string room, int index)
    {
        for (int i = index + 1; i < _events.Count; i++)
        {
            JsonNode? job = (string)_events[i]["dir"]! == "s->c" ? _events[i]["json"]?["availability"]?["job"] : null;
            if (job is not null && (string?)job["room"]?["name"] == room && _workers.TryGetValue((int)_events[i]["conn"]!, out TestWorker? chosen))
            {
                bool isFirst = chosen == _workers.First(p => !p.Value.IsCut && !_left.Contains(p.Key)).Value;
                _random.Choice = isFirst ? byte.MinValue : byte.MaxValue;
                return;
            }
        }
    }

    private WorkerMessage Translate(WorkerMessage message)
    {
        if (message.Availability is { } availability)
        {
            availability.JobId = _ids.GetValueOrDefault(availability.JobId, availability.JobId);
        }
        if (message.UpdateJob is { } update)
        {
            update.JobId = _ids.GetValueOrDefault(update.JobId, update.JobId);
        }
        for (int i = 0; i < (message.MigrateJob?.JobIds.Count ?? 0); i++)
        {
            message.MigrateJob!.JobIds[i] = _ids.GetValueOrDefault(message.MigrateJob.JobIds[i], message.MigrateJob.JobIds[i]);
        }
        return message;
    }

    private DeleteAgentDispatchRequest Translate(DeleteAgentDispatchRequest request)
    {
        request.DispatchId = _ids.GetValueOrDefault(request.DispatchId, request.DispatchId);
        return request;
    }

    private string Translate(string text)
    {
        foreach ((string stock, string ours) in _ids)
        {
            text = text.Replace("\"" + stock + "\"", "\"" + ours + "\"", StringComparison.Ordinal);
        }
        return text;
    }

    private static string Sign(JsonObject claims)
    {
        JsonObject copy = claims.DeepClone().AsObject();
        copy.Remove("nbf");
        copy.Remove("exp");
        copy.Remove("iat");
        return RoomWorld.Sign(copy.ToJsonString());
    }

    private static JsonObject Claims(string token) => JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[1]))!.AsObject();

    private static JsonNode Node<T>(T message)
        where T : IMessage<T>, new() => JsonNode.Parse(ProtoJson.Write(message, ProtoJsonStyle.Camel))!;

    private static T Read<T>(JsonNode json)
        where T : IMessage<T>, new() => ProtoJson.TryRead(JsonSerializer.SerializeToUtf8Bytes(json), ProtoJsonRules.Api, out T message, out _) ? message : throw new InvalidDataException(json.ToJsonString());

    /// <summary>Seeded, but for the four bytes of a choice among workers.</summary>
    private sealed class SteeredRandom : IRandom
    {
        private readonly SeededRandom _seeded = new(3);

        public byte? Choice { get; set; }

        public void Fill(Span<byte> bytes)
        {
            _seeded.Fill(bytes);
            if (bytes.Length == 4 && Choice is { } choice)
            {
                bytes.Fill(choice);
            }
        }
    }
}
