using System;
using System.Collections.Generic;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.WebRtc.Sctp;

namespace Proxy.WebRtc.Tests.Sctp;

/// <summary>One owner. Two associations and a bad network between them, in virtual time, from one seed.</summary>
internal sealed class SctpPair
{
    private readonly SeededRandom _random;
    private readonly PriorityQueue<(int To, byte[] Packet), (long At, long Order)> _wire = new();
    private readonly byte[] _buffer = new byte[1500];
    private long _order;

    public SctpPair(ulong seed)
    {
        _random = new SeededRandom(seed);
        Sides = [new SctpAssociation(_random, Counters), new SctpAssociation(_random, Counters)];
    }

    public PeerCounters Counters { get; } = new();

    public ISctp[] Sides { get; }

    public List<SctpMessage>[] Received { get; } = [[], []];

    public MonoTime Now { get; private set; } = MonoTime.FromMillis(1);

    public int LossPerMille { get; set; }

    public int JitterMicros { get; set; }

    public int DuplicatePerMille { get; set; }

    public int Packets { get; private set; }

    /// <summary>Says of each packet whether it is lost, before chance does.</summary>
    public Func<byte[], bool>? Loses { get; set; }

    public SeededRandom Random => _random;

    public bool Run(TimeSpan time, Func<bool>? until = null)
    {
        MonoTime end = Now + time;
        Flush();
        while (until is null || !until())
        {
            MonoTime next = MonoTime.Min(Sides[0].NextDeadline, Sides[1].NextDeadline);
            if (_wire.TryPeek(out _, out (long At, long Order) first))
            {
                next = MonoTime.Min(next, new MonoTime(first.At));
            }
            if (next > end)
            {
                Now = end;
                return until is not null && until();
            }
            Now = next > Now ? next : Now;
            while (_wire.TryPeek(out (int To, byte[] Packet) item, out first) && first.At <= Now.Micros)
            {
                _wire.Dequeue();
                Sides[item.To].HandlePacket(item.Packet, Now);
                Flush();
            }
            foreach (ISctp side in Sides)
            {
                if (side.NextDeadline <= Now)
                {
                    side.HandleTimeout(Now);
                }
            }
            Flush();
        }
        return true;
    }

    public bool Connect(bool both = true)
    {
        Sides[0].Start(Now);
        if (both)
        {
            Sides[1].Start(Now);
        }
        return Run(TimeSpan.FromSeconds(30), () => Sides[0].State == SctpState.Established && Sides[1].State == SctpState.Established);
    }

    private void Flush()
    {
        for (int i = 0; i < 2; i++)
        {
            while (Sides[i].TryPollPacket(_buffer, Now, out int length))
            {
                Send(1 - i, _buffer[..length]);
            }
            while (Sides[i].TryReceive(out SctpMessage message))
            {
                Received[i].Add(message);
            }
        }
    }

    private void Send(int to, byte[] packet)
    {
        Packets++;
        bool isLost = (Loses is not null && Loses(packet)) || _random.Next(1000) < LossPerMille;
        int copies = isLost ? 0 : _random.Next(1000) < DuplicatePerMille ? 2 : 1;
        for (; copies > 0; copies--)
        {
            long delay = 5_000 + (JitterMicros == 0 ? 0 : _random.Next(JitterMicros));
            _wire.Enqueue((to, packet), (Now.Micros + delay, _order++));
        }
    }
}
