using System;
using System.Collections.Generic;
using System.Globalization;
using Proxy.LiveKit.Protocol;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. Our sections, and the one offer that may be under way (RFC 3264 §4; we are always the offerer).</summary>
internal sealed class Negotiation
{
    /// <summary>Free receive sections in the first offer: two agents are heard without another round.</summary>
    public const int SpareSections = 2;

    /// <summary>The server may ask for more; it gets no more than there are slots to mix, and some for those in change.</summary>
    public const int ReceiveSectionsMax = RoomMedia.RemoteSlots + 8;

    private readonly RoomJoin _join;
    private readonly ulong _sessionId;
    private readonly List<OfferSection> _sections = [];
    private uint _id;
    private uint _awaited;
    private int _receiveSections;

    /// <param name="sessionId">Of the o= line; random, below 2^63.</param>
    public Negotiation(RoomJoin join, ulong sessionId)
    {
        _join = join;
        _sessionId = sessionId;
        Add(SectionKind.Send);
        for (int i = 0; i < SpareSections; i++)
        {
            Add(SectionKind.Receive);
        }
        Add(SectionKind.Data);
    }

    public IReadOnlyList<OfferSection> Sections => _sections;

    /// <summary>An offer was sent and its answer has not come.</summary>
    public bool IsInFlight => _awaited != 0;

    /// <summary>Another offer is due as soon as none is in flight.</summary>
    public bool IsWanted { get; private set; }

    /// <summary>Mid of the published track.</summary>
    public string SendMid => _sections[0].Mid;

    /// <summary>The server asks for more receive sections; 0 asks for a new offer with those there are.</summary>
    public void Require(uint receiveSections)
    {
        int more = (int)Math.Min(receiveSections, (uint)(ReceiveSectionsMax - _receiveSections));
        for (int i = 0; i < more; i++)
        {
            Add(SectionKind.Receive);
        }
        IsWanted = true;
    }

    /// <summary>The next offer, with a new id; it is then in flight.</summary>
    public SessionDescription BeginOffer()
    {
        IsWanted = false;
        _awaited = ++_id;
        return new SessionDescription { Type = "offer", Id = _id, Sdp = OfferWriter.Write(_join, _sessionId, _id, _sections) };
    }

    /// <summary>The offer is lost (its socket died, or nobody answers it): a late answer to it is stale.</summary>
    public void Abandon()
    {
        if (IsInFlight)
        {
            _awaited = 0;
            IsWanted = true;
        }
    }

    /// <summary>Whether this answers the offer in flight; it is then no longer in flight.</summary>
    /// <remarks>Id 0 comes from servers that do not count.</remarks>
    public bool TryComplete(SessionDescription answer)
    {
        if (!IsInFlight || (answer.Id != 0 && answer.Id != _awaited))
        {
            return false;
        }
        _awaited = 0;
        return true;
    }

    private void Add(SectionKind kind)
    {
        _receiveSections += kind == SectionKind.Receive ? 1 : 0;
        _sections.Add(new OfferSection(kind, _sections.Count.ToString(CultureInfo.InvariantCulture)));
    }
}
