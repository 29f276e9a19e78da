using System;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;
using Proxy.Sip.Transactions;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Targets;

/// <summary>
/// Signal thread. Where the requests of one dialog go, one place after the other: the living connection alone; else what the name of the next hop stands for,
/// first that which the call came from or which answered last; else, and at the end, the address that <see cref="DialogFlow"/> gives without asking anybody.
/// </summary>
/// <remarks>RFC 3261 §8.1.2, §18.1.1; RFC 3263 §4.</remarks>
internal sealed class DialogTargets(SipCore core, SipDialog dialog)
{
    /// <summary>RFC 3261 §18.1.1: a request of more bytes is not for UDP, unless the path's MTU is known.</summary>
    public const int DatagramMax = 1_300;

    private TargetEntry? _entry;
    private NetEndPoint _answered;

    /// <summary>Whether the next hop is a name that nobody has told us anything of.</summary>
    public bool IsUnknown => IsNamed && _entry is not { Targets.Length: > 0 } && !IsOnStream && dialog.Flow.Transport != SipTransport.Tls;

    private ReadOnlySpan<byte> NextHop => RequestWriter.NextHop(dialog.RouteSet, dialog.RemoteTarget);

    private bool IsNamed => SipUriView.TryParse(NextHop, out SipUriView uri) && TargetName.TryRead(in uri, out _);

    /// <summary>The connection that carries the call carries our requests (RFC 5923).</summary>
    private bool IsOnStream => dialog.Flow is { IsReliable: true, Connection: not 0 };

    /// <summary>The next hop may have changed: its name is asked about.</summary>
    public void Follow(MonoTime now)
    {
        bool isUri = SipUriView.TryParse(NextHop, out SipUriView uri);
        if (_entry is { } entry && isUri && entry.Name.Is(in uri))
        {
            return;
        }
        Release();
        // A call over TLS stays there: its next hop is not asked for anything in clear.
        if (isUri && dialog.Flow.Transport != SipTransport.Tls && TargetName.TryRead(in uri, out TargetName? name))
        {
            _entry = core.Targets.Hold(name, now);
        }
    }

    public void Release()
    {
        if (_entry is not null)
        {
            core.Targets.Release(_entry);
            _entry = null;
        }
    }

    /// <summary>A response came from there.</summary>
    public void NoteAnswer(in SipFlow flow)
    {
        _answered = flow.Remote;
        core.Rests.Forget(new SipTarget(flow.Transport, flow.Remote));
    }

    /// <summary>The next place that a request is to be sent to.</summary>
    /// <param name="tried">Where it was sent to already.</param>
    /// <param name="isLong">It has more than <see cref="DatagramMax"/> bytes.</param>
    /// <param name="now">The time of this turn.</param>
    /// <param name="flow">There.</param>
    /// <param name="hasOthers">Whether there is one more after it.</param>
    /// <returns>False when every place was tried.</returns>
    public bool TryNext(ReadOnlySpan<SipTarget> tried, bool isLong, MonoTime now, out SipFlow flow, out bool hasOthers)
    {
        if (IsOnStream)
        {
            flow = dialog.Flow;
            hasOthers = false;
            return tried.IsEmpty;
        }
        var list = new Candidates(core, dialog.Flow, tried, isLong, now);
        ReadOnlySpan<SipTarget> named = _entry is null ? default : _entry.Targets;
        // Deviation: RFC 2782. Of the places that the name stands for, that in which the call is known to live goes first, whatever its priority.
        NetAddress home = _answered.IsSet ? _answered.Address : dialog.Flow.Remote.Address;
        foreach (SipTarget target in named)
        {
            if (target.Remote == _answered)
            {
                list.Add(in target);
            }
        }
        foreach (SipTarget target in named)
        {
            if (target.Remote.Address == home)
            {
                list.Add(in target);
            }
        }
        foreach (SipTarget target in named)
        {
            list.Add(in target);
        }
        SipFlow plain = DialogFlow.Of(dialog.Flow, dialog.RouteSet, dialog.RemoteTarget, out bool isWritten);
        list.Add(in plain, isWritten);
        return list.TryTake(out flow, out hasOthers);
    }

    /// <summary>One owner. Gathers the places that a request may go to: the first that works, else the first that rests.</summary>
    private ref struct Candidates(SipCore core, SipFlow live, ReadOnlySpan<SipTarget> tried, bool isLong, MonoTime now)
    {
        private readonly ReadOnlySpan<SipTarget> _tried = tried;
        private SipFlow _first;
        private SipFlow _resting;
        private bool _hasFirst;
        private bool _hasResting;
        private bool _hasOthers;

        public void Add(in SipTarget target)
        {
            if (IsUsable(target.Remote.Address) && core.TryListener(target.Transport, in live, out int listener))
            {
                Add(new SipFlow(target.Transport, listener, 0, target.Remote), isWritten: true);
            }
        }

        /// <param name="flow">Perhaps only where the call came from.</param>
        /// <param name="isWritten">The peer itself names this place, so it may listen there on TCP too.</param>
        public void Add(in SipFlow flow, bool isWritten)
        {
            if (isLong && isWritten && flow.Transport == SipTransport.Udp && core.TryListener(SipTransport.Tcp, in flow, out int listener))
            {
                var stream = new SipFlow(SipTransport.Tcp, listener, 0, flow.Remote);
                // Who does not take TCP is not asked for it again for a while: the datagram does it.
                if (!core.Rests.Has(new SipTarget(SipTransport.Tcp, flow.Remote), now))
                {
                    Offer(in stream, isResting: false);
                }
            }
            Offer(in flow, core.Rests.Has(new SipTarget(flow.Transport, flow.Remote), now));
        }

        public readonly bool TryTake(out SipFlow flow, out bool hasOthers)
        {
            flow = _hasFirst ? _first : _resting;
            hasOthers = _hasOthers;
            return _hasFirst || _hasResting;
        }

        private void Offer(in SipFlow flow, bool isResting)
        {
            var target = new SipTarget(flow.Transport, flow.Remote);
            if (target.IsIn(_tried) || (_hasFirst && IsSame(in _first, in target)) || (_hasResting && IsSame(in _resting, in target)) || core.Sends.IsForbidden(in flow))
            {
                return;
            }
            if (isResting && !_hasResting)
            {
                (_resting, _hasResting, _hasOthers) = (flow, true, _hasFirst);
            }
            else if (!isResting && !_hasFirst)
            {
                (_first, _hasFirst, _hasOthers) = (flow, true, _hasResting);
            }
            else
            {
                _hasOthers = true;
            }
        }

        private static bool IsSame(in SipFlow flow, in SipTarget target) => flow.Transport == target.Transport && flow.Remote == target.Remote;

        /// <summary>A name of the public network that stands for a private address means a place at the peer's, or one of ours that is none of its business.</summary>
        private readonly bool IsUsable(NetAddress address)
        {
            NetAddress home = live.Remote.Address;
            return AddressKind.IsUnicast(address) && address.IsV6 == home.IsV6
                && (address == home || !AddressKind.IsPrivate(address) || (AddressKind.IsPrivate(home) && address.IsLoopback == home.IsLoopback));
        }
    }
}
