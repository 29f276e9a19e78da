using System;
using System.Collections.Generic;
using Proxy.Core.Memory;

namespace Proxy.Sip.Tests.Sim;

/// <summary>One owner. Virtual time in milliseconds and everything that is to happen in it; messages are lost, doubled, delayed and overtaken.</summary>
internal sealed class SimNetwork(ulong seed)
{
    private readonly PriorityQueue<Action, (long At, long Order)> _todo = new();
    private long _order;

    public SeededRandom Random { get; } = new(seed);

    public long Now { get; private set; } = 1_000_000;

    /// <summary>Of 1,000 messages.</summary>
    public int LossPerMille { get; init; } = 50;

    public int DuplicatePerMille { get; init; } = 50;

    public int DelayMaxMs { get; init; } = 60;

    public bool IsIdle => _todo.Count == 0;

    public long NextAt => _todo.TryPeek(out _, out (long At, long Order) first) ? first.At : long.MaxValue;

    public bool Happens(int perMille) => Random.Next(1000) < perMille;

    public void At(long millis, Action action) => _todo.Enqueue(action, (Math.Max(millis, Now), _order++));

    public void After(long millis, Action action) => At(Now + millis, action);

    /// <summary>Carries a message, perhaps.</summary>
    public void Carry(Action deliver)
    {
        int copies = Happens(LossPerMille) ? 0 : Happens(DuplicatePerMille) ? 2 : 1;
        for (int i = 0; i < copies; i++)
        {
            After(1 + Random.Next(DelayMaxMs), deliver);
        }
    }

    public void MoveTo(long at) => Now = Math.Max(Now, at);

    public void RunOne()
    {
        _todo.TryDequeue(out Action? action, out (long At, long Order) key);
        MoveTo(key.At);
        action!();
    }
}
