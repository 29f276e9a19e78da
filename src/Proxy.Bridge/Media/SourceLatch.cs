using System;
using Proxy.Core.Diagnostics;
using Proxy.Core.Net;
using Proxy.Core.Time;

namespace Proxy.Bridge.Media;

/// <summary>What <see cref="SourceLatch.Check"/> says about a packet's source.</summary>
public enum LatchVerdict
{
    /// <summary>The packet belongs to the caller.</summary>
    Accept,

    /// <summary>The source may become the caller's; this packet is not used yet.</summary>
    Learning,

    /// <summary>Somebody else's packet: dropped.</summary>
    Foreign,
}

/// <summary>
/// Shard. Decides from which address a caller's RTP is taken and to which ours is sent (symmetric RTP with a strict latch).
/// </summary>
/// <remarks>
/// The signalled address is taken at once. Behind NAT another port of the signalled address, or (where the signalled
/// address is private) the address that the signalling came from, is taken after three packets in order of one SSRC. A
/// locked source is left only after two seconds of its silence. Where the signalled address stays silent and one single
/// source sends for a second, we listen to it, but go on sending to the signalled address: media is never sent to an
/// address that nobody vouches for.
/// </remarks>
public struct SourceLatch
{
    private const int PacketsToLearn = 3;
    private const int PacketsFromUnknown = 25;
    private const long UnknownMicros = 1_000_000;
    private const long SilenceMicros = 2_000_000;

    private readonly NetAddress _signallingSource;
    private NetEndPoint _signalled;
    private NetEndPoint _locked;
    private NetEndPoint _candidate;
    private MonoTime _lastAccepted;
    private MonoTime _candidateSince;
    private uint _candidateSsrc;
    private ushort _candidateSequence;
    private int _candidatePackets;

    /// <param name="signalled">The address and port of the caller's SDP.</param>
    /// <param name="signallingSource">Where the caller's SIP came from.</param>
    public SourceLatch(in NetEndPoint signalled, in NetAddress signallingSource)
    {
        this = default;
        _signalled = signalled;
        _signallingSource = signallingSource;
        SendTo = signalled;
    }

    /// <summary>Where our RTP goes.</summary>
    public NetEndPoint SendTo { get; private set; }

    /// <summary>Whether a source is locked.</summary>
    public readonly bool IsLocked => _locked.IsSet;

    /// <summary>Whether the locked source is one that no signalling vouches for (heard, never sent to).</summary>
    public bool IsUnvouched { get; private set; }

    /// <summary>A new offer or answer named another address: the latch opens.</summary>
    public void Renegotiate(in NetEndPoint signalled)
    {
        if (signalled == _signalled)
        {
            return;
        }
        _signalled = signalled;
        _locked = default;
        _candidatePackets = 0;
        IsUnvouched = false;
        SendTo = signalled;
    }

    /// <summary>Judges the source of a well-formed packet of a negotiated payload type.</summary>
    [NoAlloc]
    public LatchVerdict Check(in NetEndPoint from, uint ssrc, ushort sequence, MonoTime now)
    {
        if (_locked.IsSet && from == _locked)
        {
            _lastAccepted = now;
            return LatchVerdict.Accept;
        }
        bool isLockedAlive = _locked.IsSet && !IsUnvouched && now.Micros - _lastAccepted.Micros < SilenceMicros;
        if (isLockedAlive)
        {
            return LatchVerdict.Foreign;
        }
        if (from == _signalled)
        {
            Lock(from, isVouched: true, now);
            return LatchVerdict.Accept;
        }
        return Learn(from, ssrc, sequence, now);
    }

    private LatchVerdict Learn(in NetEndPoint from, uint ssrc, ushort sequence, MonoTime now)
    {
        bool continues = from == _candidate && ssrc == _candidateSsrc && (ushort)(sequence - _candidateSequence) is >= 1 and <= 3;
        if (!continues)
        {
            _candidate = from;
            _candidateSsrc = ssrc;
            _candidatePackets = 0;
            _candidateSince = now;
        }
        _candidateSequence = sequence;
        _candidatePackets++;
        if (IsVouched(from.Address))
        {
            if (_candidatePackets >= PacketsToLearn)
            {
                Lock(from, isVouched: true, now);
                return LatchVerdict.Accept;
            }
            return LatchVerdict.Learning;
        }
        bool isOnlySource = !_locked.IsSet && _candidatePackets >= PacketsFromUnknown
            && now.Micros - _candidateSince.Micros >= UnknownMicros;
        if (isOnlySource)
        {
            Lock(from, isVouched: false, now);
            return LatchVerdict.Accept;
        }
        return LatchVerdict.Foreign;
    }

    private readonly bool IsVouched(in NetAddress address) =>
        address == _signalled.Address
        || (address == _signallingSource && (_signalled.Address.IsPrivate || _signalled.Address.IsUnspecified || _signalled.Address.IsLoopback));

    private void Lock(in NetEndPoint from, bool isVouched, MonoTime now)
    {
        _locked = from;
        _lastAccepted = now;
        _candidatePackets = 0;
        IsUnvouched = !isVouched;
        if (isVouched)
        {
            SendTo = from;
        }
    }
}
