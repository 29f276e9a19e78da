using System;
using System.Buffers.Binary;
using Proxy.Core.Diagnostics;
using Proxy.Core.Memory;
using Proxy.Core.Time;

namespace Proxy.Server.Linux;

/// <summary>One owner. UDP ports of a range: taken at random, and at rest for a while after use so that late packets are not heard by the next call.</summary>
/// <remarks>A rest is cut short before a call is refused: its source latch keeps late packets out too.</remarks>
public sealed class PortRange
{
    private readonly IRandom _random;
    private readonly TimeSpan _rest;
    private readonly ushort[] _free;
    private readonly ushort[] _resting;
    private readonly MonoTime[] _restsUntil;
    private int _freeCount;
    private int _restingAt;
    private int _restingCount;

    /// <param name="first">1–65535.</param>
    /// <param name="last">Included.</param>
    /// <param name="step">1: every port; 2: even ones only (RTP with RTCP on the next, RFC 3550 §11).</param>
    /// <param name="rest">How long a returned port is not given out again.</param>
    public PortRange(int first, int last, int step, TimeSpan rest, IRandom random)
    {
        int start = step == 2 ? (first + 1) & ~1 : first;
        int end = step == 2 ? last - 1 : last;
        Capacity = Math.Max(0, ((end - start) / step) + (end >= start ? 1 : 0));
        _random = random;
        _rest = rest;
        _free = new ushort[Capacity];
        _resting = new ushort[Capacity];
        _restsUntil = new MonoTime[Capacity];
        for (int i = 0; i < Capacity; i++)
        {
            _free[i] = (ushort)(start + (i * step));
        }
        _freeCount = Capacity;
    }

    /// <summary>Ports in the range.</summary>
    public int Capacity { get; }

    /// <summary>Ports that are out.</summary>
    public int Taken => Capacity - _freeCount - _restingCount;

    /// <summary>Ports at rest, some of which may be ready again.</summary>
    public int Resting => _restingCount;

    /// <returns>False when all are out: the call is refused with 503.</returns>
    [NoAlloc]
    public bool TryTake(MonoTime now, out ushort port)
    {
        Wake(now);
        port = 0;
        if (_freeCount == 0 && _restingCount > 0)
        {
            WakeLongestRested();
        }
        if (_freeCount == 0)
        {
            return false;
        }
        Span<byte> bytes = stackalloc byte[4];
        _random.Fill(bytes);
        int index = (int)(BinaryPrimitives.ReadUInt32LittleEndian(bytes) % (uint)_freeCount);
        port = _free[index];
        _free[index] = _free[--_freeCount];
        return true;
    }

    /// <summary>Gives a port back; each one that was taken once.</summary>
    [NoAlloc]
    public void Return(ushort port, MonoTime now)
    {
        Invariant.Holds(Taken > 0, "a port is returned once");
        int at = (_restingAt + _restingCount++) % Capacity;
        _resting[at] = port;
        _restsUntil[at] = now + _rest;
    }

    private void Wake(MonoTime now)
    {
        while (_restingCount > 0 && _restsUntil[_restingAt] <= now)
        {
            WakeLongestRested();
        }
    }

    private void WakeLongestRested()
    {
        _free[_freeCount++] = _resting[_restingAt];
        _restingAt = (_restingAt + 1) % Capacity;
        _restingCount--;
    }
}
