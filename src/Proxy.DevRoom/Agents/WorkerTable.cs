using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Proxy.Core.Memory;
using Proxy.LiveKit.Protocol;

namespace Proxy.DevRoom.Agents;

/// <summary>Room loop. The workers that are connected, and the choice among them.</summary>
internal sealed class WorkerTable(IRandom random)
{
    private const int NamesTold = 5;
    private readonly Dictionary<long, AgentWorker> _workers = [];

    public int Count => _workers.Count;

    public void Add(AgentWorker worker) => _workers[worker.Connection] = worker;

    public bool TryGet(long connection, out AgentWorker worker) => _workers.TryGetValue(connection, out worker!);

    public void Remove(AgentWorker worker) => _workers.Remove(worker.Connection);

    /// <summary>Whether somebody does this work, busy or not.</summary>
    public bool Serves(AgentDispatch dispatch, JobType type)
    {
        foreach (AgentWorker worker in _workers.Values)
        {
            if (worker.Serves(dispatch.AgentName, dispatch.Deployment, type))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The next worker to ask: at random among those that are available and were not asked yet, weighted by 1 − load.</summary>
    public AgentWorker? Pick(AgentJob job)
    {
        List<AgentWorker> fit = [];
        double total = 0;
        foreach (AgentWorker worker in _workers.Values)
        {
            if (worker.IsAvailable && !job.Asked.Contains(worker.Id) && worker.Serves(job.Info.AgentName, job.Info.Deployment, job.Info.Type))
            {
                fit.Add(worker);
                total += 1 - worker.Load;
            }
        }
        if (fit.Count == 0)
        {
            return null;
        }
        double at = Fraction() * (total > 0 ? total : fit.Count);
        foreach (AgentWorker worker in fit)
        {
            at -= total > 0 ? 1 - worker.Load : 1;
            if (at < 0)
            {
                return worker;
            }
        }
        return fit[^1];
    }

    /// <summary>Why there is nobody to ask: one clause for people.</summary>
    public string DescribeLack(AgentDispatch dispatch, JobType type)
    {
        if (Serves(dispatch, type))
        {
            return "every worker of that name is full";
        }
        SortedSet<string> names = new(StringComparer.Ordinal);
        foreach (AgentWorker worker in _workers.Values)
        {
            if (worker.IsRegistered && names.Count < NamesTold)
            {
                string name = worker.AgentName.Length == 0 ? "a worker without a name" : "'" + worker.AgentName + "'";
                // No dispatch can name a namespace.
                names.Add(worker.Registration.Namespace.Length == 0 ? name : name + " in a namespace, which no dispatch names");
            }
        }
        return "none is registered under that name (registered: " + (names.Count == 0 ? "none" : string.Join(", ", names)) + ")";
    }

    private double Fraction()
    {
        Span<byte> bytes = stackalloc byte[4];
        random.Fill(bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes) / 4_294_967_296.0;
    }
}
