using Proxy.Core.Time;
using Proxy.LiveKit.Protocol;

namespace Proxy.DevRoom.Agents;

/// <summary>Room loop. One worker process: its connection, what it registered as, and how busy it says it is.</summary>
internal sealed class AgentWorker(long connection)
{
    public long Connection => connection;

    /// <summary><c>AW_…</c>; empty until it has registered.</summary>
    public string Id { get; private set; } = "";

    public RegisterWorkerRequest Registration { get; private set; } = new();

    public string AgentName => Registration.AgentName;

    public bool IsRegistered => Id.Length > 0;

    /// <summary>Its last frame was text (protojson): ours are too.</summary>
    public bool UsesJson { get; set; }

    /// <summary>A worker that has not reported yet counts as idle.</summary>
    public bool IsAvailable { get; private set; } = true;

    /// <summary>0 to 1.</summary>
    public float Load { get; private set; }

    /// <summary>When it is cut off unless it has registered by then.</summary>
    public MonoTime RegisterDeadline { get; init; }

    public bool IsGone { get; set; }

    public void Register(string id, RegisterWorkerRequest registration)
    {
        Id = id;
        Registration = registration;
    }

    public void Report(UpdateWorkerStatus report)
    {
        IsAvailable = report.HasStatus ? report.Status == WorkerStatus.WsAvailable : IsAvailable;
        Load = report.Load >= 0 ? System.Math.Min(report.Load, 1) : 1;
    }

    /// <summary>Whether it does this kind of work under this name, busy or not.</summary>
    public bool Serves(string agentName, string deployment, JobType type) =>
        IsRegistered && AgentName == agentName && Registration.Deployment == deployment && Registration.Type == type && Registration.Namespace.Length == 0;
}
