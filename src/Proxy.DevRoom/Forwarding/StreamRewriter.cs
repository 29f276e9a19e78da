using Proxy.Core.Time;
using Proxy.Rtp.Packets;

namespace Proxy.DevRoom.Forwarding;

/// <summary>
/// Room loop. Keeps a subscriber's numbering continuous while the source pauses, is muted or starts anew: sequence numbers
/// and timestamps get an offset that is chosen again after each break.
/// </summary>
internal sealed class StreamRewriter
{
    private bool _hasStarted;
    private bool _isBroken = true;
    private ushort _sequenceOffset;
    private uint _timestampOffset;
    private ushort _lastSequence;
    private uint _lastTimestamp;
    private MonoTime _lastTime;

    /// <summary>The next packet starts a new run: it follows the last one sent, whatever the source's numbers say.</summary>
    public void Break() => _isBroken = true;

    /// <param name="sequence">The source's; becomes the subscriber's.</param>
    /// <param name="timestamp">The source's, RTP units; becomes the subscriber's.</param>
    /// <param name="clockHz">The codec's RTP clock.</param>
    /// <returns>True for the first packet of a run: the marker bit belongs on it.</returns>
    public bool Rewrite(ref ushort sequence, ref uint timestamp, int clockHz, MonoTime now)
    {
        bool isFirst = _isBroken;
        if (_isBroken)
        {
            _isBroken = false;
            ushort nextSequence = _hasStarted ? (ushort)(_lastSequence + 1) : sequence;
            uint nextTimestamp = timestamp;
            if (_hasStarted)
            {
                long elapsed = (now.Micros - _lastTime.Micros) * clockHz / 1_000_000;
                nextTimestamp = _lastTimestamp + (uint)(elapsed < 1 ? 1 : elapsed);
            }
            _sequenceOffset = (ushort)(nextSequence - sequence);
            _timestampOffset = nextTimestamp - timestamp;
        }
        sequence += _sequenceOffset;
        timestamp += _timestampOffset;
        if (!_hasStarted || SequenceMath.IsNewer(sequence, _lastSequence))
        {
            _lastSequence = sequence;
            _lastTimestamp = timestamp;
            _lastTime = now;
        }
        _hasStarted = true;
        return isFirst;
    }
}
