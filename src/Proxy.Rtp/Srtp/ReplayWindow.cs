using Proxy.Core.Diagnostics;

namespace Proxy.Rtp.Srtp;

/// <summary>One owner. Which of the newest 128 packet indices of a stream were accepted.</summary>
/// <remarks>RFC 3711 §3.3.2 asks for at least 64. Asked before authentication, changed only after it.</remarks>
internal struct ReplayWindow
{
    public const int Size = 128;

    private ulong _new;
    private ulong _old;
    private bool _hasStarted;

    /// <summary>The newest accepted index.</summary>
    public ulong Highest { get; private set; }

    [NoAlloc]
    public readonly SrtpVerdict Check(ulong index)
    {
        if (!_hasStarted || index > Highest)
        {
            return SrtpVerdict.Ok;
        }
        ulong age = Highest - index;
        if (age >= Size)
        {
            return SrtpVerdict.TooOld;
        }
        ulong bits = age < 64 ? _new >> (int)age : _old >> (int)(age - 64);
        return (bits & 1) == 0 ? SrtpVerdict.Ok : SrtpVerdict.Replayed;
    }

    /// <summary>Takes note of an index that <see cref="Check"/> found good.</summary>
    [NoAlloc]
    public void Accept(ulong index)
    {
        if (!_hasStarted || index > Highest)
        {
            Shift(_hasStarted ? index - Highest : Size);
            Highest = index;
            _hasStarted = true;
        }
        ulong age = Highest - index;
        if (age < 64)
        {
            _new |= 1UL << (int)age;
        }
        else
        {
            _old |= 1UL << (int)(age - 64);
        }
    }

    private void Shift(ulong by)
    {
        if (by >= Size)
        {
            _new = 0;
            _old = 0;
        }
        else if (by >= 64)
        {
            _old = _new << (int)(by - 64);
            _new = 0;
        }
        else
        {
            // A shift by 64 is a shift by 0 in C#; by is at least 1 here.
            _old = (_old << (int)by) | (_new >> (int)(64 - by));
            _new <<= (int)by;
        }
    }
}
