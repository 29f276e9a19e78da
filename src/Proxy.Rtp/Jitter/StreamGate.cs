using Proxy.Core.Diagnostics;
using Proxy.Core.Time;
using Proxy.Rtp.Packets;

namespace Proxy.Rtp.Jitter;

internal enum GateVerdict
{
    /// <summary>The known stream, near its newest packet.</summary>
    Admitted,

    /// <summary>The first packet, another source that took over, or a jump that is confirmed.</summary>
    Restarted,

    /// <summary>Another SSRC while the known one is alive, or not yet confirmed.</summary>
    Foreign,

    /// <summary>A jump that is not yet confirmed.</summary>
    Suspect,
}

/// <summary>
/// One owner. Decides which packets belong to the one stream that is heard, and numbers them without wraps. A new source or a
/// jump counts after two consecutive packets, and only when the known numbering has paused: packets that someone slips in
/// between, or repeats, change nothing.
/// </summary>
/// <remarks>After RFC 3550 appendix A.1. Deviation: MAX_MISORDER is 64, the size of our buffers; two packets of probation at a jump, none at the start.</remarks>
internal struct StreamGate
{
    /// <summary>A step ahead of at most this many is a loss, not a jump; a minute at 20 ms.</summary>
    private const int MaxAhead = 3000;
    private const int MaxBehind = 64;
    private const int ConfirmPackets = 2;
    private const long SourcePauseMicros = 50_000;
    private const long JumpPauseMicros = 30_000;
    private const int BehindRun = 10;
    private const long BehindPauseMicros = 150_000;

    private bool _hasStarted;
    private uint _ssrc;
    private long _newest;
    private MonoTime _newestAt;
    private uint _candidateSsrc;
    private ushort _candidateNext;
    private int _candidateCount;

    /// <param name="sequence">Extended number; grows over wraps, starts anew at <see cref="GateVerdict.Restarted"/>.</param>
    [NoAlloc]
    public GateVerdict Admit(uint ssrc, ushort sequenceNumber, MonoTime now, out long sequence)
    {
        if (!_hasStarted)
        {
            return Restart(ssrc, sequenceNumber, now, out sequence);
        }
        if (ssrc != _ssrc)
        {
            bool takesOver = IsConfirmed(ssrc, sequenceNumber, ConfirmPackets) && Pause(now) >= SourcePauseMicros;
            sequence = 0;
            return takesOver ? Restart(ssrc, sequenceNumber, now, out sequence) : GateVerdict.Foreign;
        }
        sequence = SequenceMath.Extend(sequenceNumber, _newest);
        long ahead = sequence - _newest;
        if (ahead is > MaxAhead or < -MaxBehind)
        {
            bool jumps = IsConfirmed(ssrc, sequenceNumber, ConfirmPackets) && Pause(now) >= JumpPauseMicros;
            return jumps ? Restart(ssrc, sequenceNumber, now, out sequence) : GateVerdict.Suspect;
        }
        if (ahead > 0)
        {
            _newest = sequence;
            _newestAt = now;
            _candidateCount = 0;
            return GateVerdict.Admitted;
        }
        // A sender that restarts a little lower looks like a run of late packets behind which nothing newer comes.
        bool restarts = IsConfirmed(ssrc, sequenceNumber, BehindRun) && Pause(now) >= BehindPauseMicros;
        return restarts ? Restart(ssrc, sequenceNumber, now, out sequence) : GateVerdict.Admitted;
    }

    private readonly long Pause(MonoTime now) => now.Micros - _newestAt.Micros;

    private bool IsConfirmed(uint ssrc, ushort sequenceNumber, int packets)
    {
        bool continues = _candidateCount > 0 && ssrc == _candidateSsrc && sequenceNumber == _candidateNext;
        _candidateCount = continues ? _candidateCount + 1 : 1;
        _candidateSsrc = ssrc;
        _candidateNext = (ushort)(sequenceNumber + 1);
        return _candidateCount >= packets;
    }

    private GateVerdict Restart(uint ssrc, ushort sequenceNumber, MonoTime now, out long sequence)
    {
        _hasStarted = true;
        _ssrc = ssrc;
        // One cycle above zero, so that a packet just before the first one has a number too.
        sequence = 0x1_0000 + sequenceNumber;
        _newest = sequence;
        _newestAt = now;
        _candidateCount = 0;
        return GateVerdict.Restarted;
    }
}
