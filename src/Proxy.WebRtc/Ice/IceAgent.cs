using System;
using System.Buffers.Binary;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.WebRtc.Stun;

namespace Proxy.WebRtc.Ice;

/// <summary>
/// One owner. ICE for one component over one socket. Full: checks every remote address and takes the first that answers,
/// with consent kept afterwards. Lite: only answers, and sends where the peer's latest nomination came from.
/// </summary>
/// <remarks>
/// RFC 8445, RFC 7675. Deviation: RFC 8445 §8.1.1 (regular nomination) because every check carries USE-CANDIDATE: with one
/// socket the first answer is as good as any, and a second round trip would only make the caller wait. Checks start when
/// remote credentials are known; the base is the socket, so pairs are remote addresses.
/// </remarks>
internal sealed class IceAgent : IDisposable
{
    /// <summary>Spacing of first checks (RFC 8445 §14.2 allows 5 ms and more).</summary>
    private const long PaceMillis = 5;

    /// <summary>First retransmission of a check, doubled up to <see cref="RetransmitMaxMillis"/>. RFC 8445 §14.3 says 500 ms; a lost check would cost the caller that.</summary>
    private const long RetransmitMillis = 100;

    private const long RetransmitMaxMillis = 1_600;

    /// <summary>A check that crosses a check of the peer is not doubled within this time.</summary>
    private const long TriggerGuardMillis = 50;

    /// <summary>RFC 7675 §5.1: every 5 s, randomised by a fifth.</summary>
    private const long ConsentMillis = 4_000;

    private const int ConsentSpreadMillis = 2_000;

    /// <summary>RFC 7675 §5.1: consent ends 30 s after the last answer.</summary>
    private const long ConsentLifeMillis = 30_000;

    /// <summary>Silence after which another path that lives may take over.</summary>
    private const long StaleMillis = 7_500;

    /// <summary>Type preference 110 (peer reflexive), the only local preference, component 1 (RFC 8445 §5.1.2.1).</summary>
    private const uint CheckPriority = (110u << 24) | (65_535u << 8) | 255;

    private readonly bool _isLite;
    private readonly IRandom _random;
    private readonly PeerCounters _counters;
    private readonly IceReplies _replies = new();
    private readonly ulong _tieBreaker;
    private readonly IcePathTable _paths = new();
    private int _selected = -1;
    private bool _isControlling;
    private bool _isRestarting;
    private MonoTime _consentEnd = MonoTime.Never;
    private MonoTime _nextPace;
    private MonoTime _nextCheck = MonoTime.Never;
    private IceKeys _local;
    private IceKeys? _previousLocal;
    private IceKeys? _remote;

    public IceAgent(IceCredentials local, bool isLite, IRandom random, PeerCounters counters)
    {
        _local = new IceKeys(local);
        _isLite = isLite;
        _isControlling = !isLite;
        _random = random;
        _counters = counters;
        Span<byte> bytes = stackalloc byte[8];
        random.Fill(bytes);
        _tieBreaker = BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    /// <summary>Whether media may be sent.</summary>
    public bool HasSelected => _selected >= 0;

    public NetEndPoint Selected { get; private set; }

    /// <summary>Consent or liveness is lost.</summary>
    public bool IsLost { get; private set; }

    public MonoTime NextDeadline => IsLost ? MonoTime.Never : MonoTime.Min(_nextCheck, _consentEnd);

    /// <summary>Whether <see cref="TryPoll"/> has something.</summary>
    public bool HasOutput => _replies.Count > 0 || _paths.Due > 0;

    /// <summary>Replaces our credentials; the old ones stay good for incoming checks.</summary>
    public void SetLocal(IceCredentials local)
    {
        if (_local.IsMadeOf(local))
        {
            return;
        }
        _previousLocal?.Dispose();
        _previousLocal = _local;
        _local = new IceKeys(local);
        // A nomination belongs to the credentials it was made under; one under the new ones may come before the peer's description.
        for (int i = 0; i < _paths.Count; i++)
        {
            _paths[i].IsNominated = false;
        }
    }

    /// <summary>Sets the peer's credentials; others than before restart ICE, while the selected pair goes on carrying media.</summary>
    public void SetRemote(IceCredentials remote, MonoTime now)
    {
        if (_remote is not null && _remote.IsMadeOf(remote))
        {
            return;
        }
        bool isRestart = _remote is not null;
        _remote?.Dispose();
        _remote = new IceKeys(remote);
        if (isRestart && HasSelected)
        {
            _isRestarting = true;
            _consentEnd = now.AddMillis(ConsentLifeMillis);
        }
        if (_isLite)
        {
            return;
        }
        for (int i = 0; i < _paths.Count; i++)
        {
            ref IcePath path = ref _paths[i];
            path.IsValid = false;
            path.Attempts = 0;
            Schedule(ref path, path.IsAuthenticated ? now : Paced(now));
        }
    }

    /// <summary>A remote address from SDP or trickle.</summary>
    public void AddCandidate(in NetEndPoint remote, MonoTime now)
    {
        if (_isLite || !remote.IsSet || remote.Port == 0 || remote.Address.IsUnspecified || remote.Address.IsMulticastOrBroadcast
            || _paths.Find(remote) >= 0)
        {
            return;
        }
        if (_paths.Count == IcePathTable.Capacity)
        {
            // Only an address that proves itself by a check may push another one out.
            _counters.IceOverflow++;
            return;
        }
        int at = Add(remote, now);
        if (_remote is not null && IsSearching(now))
        {
            Schedule(ref _paths[at], Paced(now));
        }
    }

    /// <summary>Whether an authenticated check went over this address, in either direction.</summary>
    public bool IsKnown(in NetEndPoint from)
    {
        if (HasSelected && from == Selected)
        {
            return true;
        }
        int at = _paths.Find(from);
        return at >= 0 && (_paths[at].IsAuthenticated || _paths[at].IsValid);
    }

    /// <summary>Handles one STUN datagram.</summary>
    /// <returns>False when it was dropped and counted.</returns>
    public bool Handle(ReadOnlySpan<byte> datagram, in NetEndPoint from, MonoTime now)
    {
        if (!StunView.TryParse(datagram, out StunView message, out _) || (message.HasFingerprint && !message.VerifyFingerprint()))
        {
            _counters.StunMalformed++;
            return false;
        }
        switch (message.Type)
        {
            case StunMessageType.BindingRequest:
                return HandleRequest(message, from, now);
            case StunMessageType.BindingSuccess:
            case StunMessageType.BindingError:
                return HandleResponse(message, from, now);
            case StunMessageType.BindingIndication:
                return IsKnown(from);
            default:
                _counters.StunMalformed++;
                return false;
        }
    }

    public void HandleTimeout(MonoTime now)
    {
        if (IsLost)
        {
            return;
        }
        if (now >= _consentEnd)
        {
            IsLost = true;
            return;
        }
        if (now < _nextCheck)
        {
            return;
        }
        _nextCheck = MonoTime.Never;
        bool isSearching = IsSearching(now);
        for (int i = 0; i < _paths.Count; i++)
        {
            ref IcePath path = ref _paths[i];
            if (!isSearching && i != _selected && !IsTakingOver(path))
            {
                path.NextCheck = MonoTime.Never;
            }
            if (path.NextCheck <= now)
            {
                path.NextCheck = MonoTime.Never;
                _paths.MarkDue(i);
            }
            _nextCheck = MonoTime.Min(_nextCheck, path.NextCheck);
        }
    }

    /// <summary>Writes the next answer or check.</summary>
    public bool TryPoll(Span<byte> buffer, MonoTime now, out int length, out NetEndPoint to)
    {
        length = 0;
        to = default;
        while (_replies.TryTake(out IceReply reply))
        {
            to = reply.To;
            length = WriteReply(reply, buffer);
            if (length > 0)
            {
                return true;
            }
        }
        for (int i = 0; _paths.Due > 0 && i < _paths.Count; i++)
        {
            ref IcePath path = ref _paths[i];
            if (path.IsDue)
            {
                _paths.ClearDue(i);
                to = path.Remote;
                length = WriteCheck(ref path, i == _selected && !_isRestarting, buffer, now);
                return length > 0;
            }
        }
        return false;
    }

    public void Dispose()
    {
        _local.Dispose();
        _previousLocal?.Dispose();
        _remote?.Dispose();
    }

    // ---- The peer's checks ----

    private bool HandleRequest(in StunView request, in NetEndPoint from, MonoTime now)
    {
        IceKeys? keys = _local.IsReceiver(request.Username) ? _local
            : _previousLocal is not null && _previousLocal.IsReceiver(request.Username) ? _previousLocal : null;
        if (keys is null || !request.VerifyIntegrity(keys.Integrity))
        {
            _counters.StunUnauthenticated++;
            return false;
        }
        int error = request.UnknownRequired != 0 ? 420 : ResolveRoles(request);
        IceReply reply = new(from, TransactionId.Read(request.TransactionId), error, request.UnknownRequired, keys != _local);
        if (!_replies.TryAdd(reply))
        {
            _counters.IceOverflow++;
            return false;
        }
        if (error == 0)
        {
            NoteRequest(request.HasUseCandidate, from, now);
        }
        return true;
    }

    /// <summary>RFC 8445 §7.3.1.1. The larger tie-breaker stays or becomes controlling; a lite agent cannot control.</summary>
    /// <returns>0, or 487 when the peer is to change its role.</returns>
    private int ResolveRoles(in StunView request)
    {
        bool isConflict = _isControlling ? request.IsFromControlling : request.IsFromControlled;
        if (!isConflict)
        {
            return 0;
        }
        if (_isLite)
        {
            return 487;
        }
        bool isOursLarger = _tieBreaker >= request.TieBreaker;
        if (isOursLarger == _isControlling)
        {
            return 487;
        }
        _isControlling = !_isControlling;
        return 0;
    }

    private void NoteRequest(bool isNominating, in NetEndPoint from, MonoTime now)
    {
        int at = _paths.Find(from);
        if (at < 0)
        {
            at = Add(from, now);
        }
        ref IcePath path = ref _paths[at];
        path.IsAuthenticated = true;
        path.LastHeard = now;
        if (_isLite)
        {
            if (HasSelected)
            {
                _consentEnd = now.AddMillis(ConsentLifeMillis);
            }
            if (isNominating && (at != _selected || _isRestarting))
            {
                Select(at, now);
            }
            return;
        }
        if (isNominating && !_isControlling)
        {
            path.IsNominated = true;
            if (path.IsValid && at != _selected)
            {
                Select(at, now);
            }
        }
        bool isJustSent = path.Attempts > 0 && now - path.LastSent < TimeSpan.FromMilliseconds(TriggerGuardMillis);
        if (_remote is not null && !path.IsValid && !isJustSent && (IsSearching(now) || IsTakingOver(path)))
        {
            path.Attempts = 0;
            _paths.MarkDue(at);
        }
    }

    // ---- Our checks ----

    private bool HandleResponse(in StunView response, in NetEndPoint from, MonoTime now)
    {
        int at = _paths.Find(from);
        if (at < 0 || _remote is null || _paths[at].Attempts == 0 || _paths[at].Transaction != TransactionId.Read(response.TransactionId))
        {
            _counters.StunUnmatched++;
            return false;
        }
        if (!response.VerifyIntegrity(_remote.Integrity))
        {
            _counters.StunUnauthenticated++;
            return false;
        }
        ref IcePath path = ref _paths[at];
        path.Attempts = 0;
        path.LastHeard = now;
        if (response.Type == StunMessageType.BindingError)
        {
            HandleError(at, response.ErrorCode, now);
            return true;
        }
        path.IsValid = true;
        path.NextCheck = MonoTime.Never;
        if (at == _selected && !_isRestarting)
        {
            KeepConsent(ref path, now);
        }
        else if (_isControlling ? IsSearching(now) : path.IsNominated)
        {
            Select(at, now);
        }
        return true;
    }

    private void HandleError(int at, int code, MonoTime now)
    {
        if (code == 487)
        {
            _isControlling = !_paths[at].IsSentControlling;
            _paths.MarkDue(at);
            return;
        }
        // Whatever else the peer minds may pass (it may not have our credentials yet): ask again later.
        Schedule(ref _paths[at], now.AddMillis(RetransmitMaxMillis));
    }

    private void Select(int at, MonoTime now)
    {
        _selected = at;
        _isRestarting = false;
        Selected = _paths[at].Remote;
        _consentEnd = now.AddMillis(ConsentLifeMillis);
        if (_isLite)
        {
            return;
        }
        for (int i = 0; i < _paths.Count; i++)
        {
            _paths[i].NextCheck = MonoTime.Never;
            _paths.ClearDue(i);
        }
        KeepConsent(ref _paths[at], now);
    }

    private void KeepConsent(ref IcePath path, MonoTime now)
    {
        _consentEnd = now.AddMillis(ConsentLifeMillis);
        Schedule(ref path, now.AddMillis(ConsentPause()));
    }

    private long ConsentPause()
    {
        Span<byte> bytes = stackalloc byte[2];
        _random.Fill(bytes);
        return ConsentMillis + (BinaryPrimitives.ReadUInt16BigEndian(bytes) % ConsentSpreadMillis);
    }

    private int WriteCheck(ref IcePath path, bool isConsent, Span<byte> buffer, MonoTime now)
    {
        if (_remote is null)
        {
            return 0;
        }
        if (path.Attempts == 0 || isConsent)
        {
            Span<byte> fresh = stackalloc byte[StunView.TransactionIdLength];
            _random.Fill(fresh);
            path.Transaction = TransactionId.Read(fresh);
            path.Attempts = 0;
            path.IsSentControlling = _isControlling;
        }
        long pause = isConsent ? ConsentPause() : Math.Min(RetransmitMillis << Math.Min(path.Attempts, 10), RetransmitMaxMillis);
        path.Attempts++;
        path.LastSent = now;
        Schedule(ref path, now.AddMillis(pause));
        Span<byte> transaction = stackalloc byte[StunView.TransactionIdLength];
        path.Transaction.Write(transaction);
        StunWriter writer = new(buffer, StunMessageType.BindingRequest, transaction);
        writer.Username(_remote.Ufrag, _local.Ufrag);
        if (path.IsSentControlling)
        {
            writer.UseCandidate();
        }
        writer.Role(path.IsSentControlling, _tieBreaker);
        writer.Priority(CheckPriority);
        return writer.Finish(_remote.Integrity);
    }

    private int WriteReply(in IceReply reply, Span<byte> buffer)
    {
        Span<byte> transaction = stackalloc byte[StunView.TransactionIdLength];
        reply.Transaction.Write(transaction);
        StunWriter writer = new(buffer, reply.ErrorCode == 0 ? StunMessageType.BindingSuccess : StunMessageType.BindingError, transaction);
        if (reply.ErrorCode == 0)
        {
            writer.XorMappedAddress(reply.To);
        }
        else
        {
            writer.ErrorCode(reply.ErrorCode);
            if (reply.ErrorCode == 420)
            {
                writer.UnknownAttribute(reply.UnknownAttribute);
            }
        }
        return writer.Finish((reply.IsPreviousKey ? _previousLocal : _local)?.Integrity);
    }

    // ---- The table ----

    /// <summary>Whether we look for a pair: none yet, a restart, or the selected one has gone quiet.</summary>
    private bool IsSearching(MonoTime now) =>
        !HasSelected || _isRestarting || now - _paths[_selected].LastHeard > TimeSpan.FromMilliseconds(StaleMillis);

    /// <summary>Whether a pair must be checked although another is selected: the controlling peer moved there.</summary>
    private bool IsTakingOver(in IcePath path) => !_isControlling && path.IsNominated;

    private int Add(in NetEndPoint remote, MonoTime now)
    {
        int at = _paths.Add(remote, _selected, now, out bool isFull);
        _counters.IceOverflow += isFull ? 1 : 0;
        return at;
    }

    private MonoTime Paced(MonoTime now)
    {
        MonoTime at = _nextPace > now ? _nextPace : now;
        _nextPace = at.AddMillis(PaceMillis);
        return at;
    }

    private void Schedule(ref IcePath path, MonoTime at)
    {
        path.NextCheck = at;
        _nextCheck = MonoTime.Min(_nextCheck, at);
    }
}
