using System;
using System.Collections.Generic;
using Proxy.Core.Diagnostics;
using Proxy.Core.Net;
using Proxy.Core.Time;

namespace Proxy.Sip.Guarding;

/// <summary>
/// Signal thread. Strangers: sources that no trunk lists. Each has a bucket of requests, all of them share one more, and each has patience for
/// refusals: who empties that is banned for a while. Requests inside a dialog never come here, listed sources pass without a look, memory is one
/// flat array.
/// </summary>
public sealed class SourceGuard
{
    private const int Hops = 64;

    private readonly GuardOptions _options;
    private readonly Dictionary<NetAddress, int> _places;
    private readonly Source[] _sources;
    private readonly Queue<GuardBan> _news = new(Hops);
    private double _crowd;
    private MonoTime _crowdAt;
    private int _count;
    private int _hand;

    public SourceGuard(GuardOptions options)
    {
        _options = options;
        _places = new Dictionary<NetAddress, int>(options.Capacity);
        _sources = new Source[options.Capacity];
        _crowd = options.CrowdBurst;
    }

    /// <summary>Nothing is said to strangers but to those whose call a trunk takes.</summary>
    public bool Hides => _options.Hides;

    /// <summary>Length of a ban by hand when nothing else is said.</summary>
    public TimeSpan BanFor => _options.BanFor;

    /// <summary>Strangers that are remembered.</summary>
    public int Count => _count;

    /// <summary>A new request came.</summary>
    [NoAlloc]
    public GuardVerdict Admit(NetAddress address, MonoTime now)
    {
        if (_options.IsListed(address))
        {
            return GuardVerdict.Pass;
        }
        ref Source source = ref Find(address, now);
        if (source.BannedUntil > now)
        {
            return GuardVerdict.Banned;
        }
        bool isVouched = source.VouchedUntil > now;
        double factor = isVouched ? _options.VouchedFactor : 1;
        Refill(ref source.Tokens, ref source.TokensAt, _options.Burst * factor, _options.RatePerSecond * factor, now);
        if (source.Tokens < 1)
        {
            Blame(ref source, 1, now);
            return source.BannedUntil > now ? GuardVerdict.Banned : GuardVerdict.Flooding;
        }
        if (!isVouched)
        {
            Refill(ref _crowd, ref _crowdAt, _options.CrowdBurst, _options.CrowdRatePerSecond, now);
            if (_crowd < 1)
            {
                return GuardVerdict.Crowded;
            }
            _crowd--;
        }
        source.Tokens--;
        return GuardVerdict.Pass;
    }

    /// <summary>A request of it was refused.</summary>
    /// <param name="share">Of a refused request; 1 for a whole one.</param>
    public void Blame(NetAddress address, MonoTime now, double share = 1)
    {
        if (!_options.IsListed(address))
        {
            Blame(ref Find(address, now), share, now);
        }
    }

    /// <summary>It was asked for credentials.</summary>
    public void BlameChallenge(NetAddress address, MonoTime now) => Blame(address, now, _options.ChallengeBlame);

    /// <summary>A call of it was taken, though nobody knows yet whether the address is its own: one refusal is forgotten.</summary>
    public void Forgive(NetAddress address, MonoTime now)
    {
        if (!_options.IsListed(address))
        {
            ref Source source = ref Find(address, now);
            source.Patience = Math.Min(_options.Patience, source.Patience + 1);
        }
    }

    /// <summary>It acknowledged our answer to a call, and so it is where it says it is, and no scanner.</summary>
    public void Vouch(NetAddress address, MonoTime now)
    {
        if (!_options.IsListed(address))
        {
            ref Source source = ref Find(address, now);
            source.VouchedUntil = now + _options.VouchedFor;
            source.Patience = _options.Patience;
            source.Bans = 0;
        }
    }

    /// <summary>Nobody lists it, and it acknowledged no answer of ours of late.</summary>
    public bool IsStranger(NetAddress address, MonoTime now) =>
        !_options.IsListed(address) && !(_places.TryGetValue(KeyOf(address), out int place) && _sources[place].VouchedUntil > now);

    /// <summary>A stranger that was refused so often that its refusals shall tell it nothing more.</summary>
    public bool IsSuspect(NetAddress address, MonoTime now)
    {
        if (_options.IsListed(address) || !_places.TryGetValue(KeyOf(address), out int place))
        {
            return false;
        }
        ref Source source = ref _sources[place];
        RefillPatience(ref source, now);
        return source.BannedUntil > now || (source.VouchedUntil <= now && source.Patience <= _options.Patience - _options.SuspectAfter);
    }

    /// <summary>Bans a source by hand.</summary>
    /// <returns>False for a listed one: no ban is for it.</returns>
    public bool Ban(NetAddress address, TimeSpan time, MonoTime now)
    {
        if (_options.IsListed(address))
        {
            return false;
        }
        ref Source source = ref Find(address, now);
        source.VouchedUntil = default;
        Ban(ref source, time, now);
        return true;
    }

    /// <summary>Takes a source off the list, with all that was held against it.</summary>
    /// <returns>False when it was not banned.</returns>
    public bool Unban(NetAddress address, MonoTime now)
    {
        if (!_places.TryGetValue(KeyOf(address), out int place) || _sources[place].BannedUntil <= now)
        {
            return false;
        }
        ref Source source = ref _sources[place];
        source.BannedUntil = default;
        source.Patience = _options.Patience;
        source.Bans = 0;
        return true;
    }

    /// <summary>The ban list.</summary>
    public List<GuardBan> Bans(MonoTime now)
    {
        List<GuardBan> bans = [];
        for (int i = 0; i < _count; i++)
        {
            if (_sources[i].BannedUntil > now && !_options.IsListed(_sources[i].Key))
            {
                bans.Add(new GuardBan(_sources[i].Key, _sources[i].BannedUntil - now, _sources[i].Bans));
            }
        }
        return bans;
    }

    /// <summary>Takes the next ban that nobody has told of yet.</summary>
    public bool TryPollBan(out GuardBan ban) => _news.TryDequeue(out ban);

    /// <summary>What a source is known by: of IPv6 the /64, since who has one address has them all.</summary>
    public static NetAddress KeyOf(NetAddress address)
    {
        if (!address.IsV6)
        {
            return address;
        }
        Span<byte> bytes = stackalloc byte[16];
        address.WriteBytes(bytes);
        bytes[8..].Clear();
        return NetAddress.TryFromBytes(bytes, out NetAddress key) ? key : address;
    }

    private void Blame(ref Source source, double share, MonoTime now)
    {
        if (_options.Patience <= 0 || source.VouchedUntil > now || source.BannedUntil > now)
        {
            return;
        }
        RefillPatience(ref source, now);
        source.Patience -= share;
        if (source.Patience < 0)
        {
            int doublings = Math.Min(source.Bans, 16);
            TimeSpan time = TimeSpan.FromTicks(Math.Min(_options.BanMax.Ticks, _options.BanFor.Ticks << doublings));
            Ban(ref source, time, now);
        }
    }

    private void Ban(ref Source source, TimeSpan time, MonoTime now)
    {
        source.Bans++;
        source.BannedUntil = now + time;
        source.Patience = _options.Patience;
        source.PatienceAt = source.BannedUntil;
        if (_news.Count < Hops)
        {
            _news.Enqueue(new GuardBan(source.Key, time, source.Bans));
        }
    }

    private void RefillPatience(ref Source source, MonoTime now) =>
        Refill(ref source.Patience, ref source.PatienceAt, _options.Patience, 1 / _options.PatienceRefill.TotalSeconds, now);

    private static void Refill(ref double tokens, ref MonoTime at, double most, double perSecond, MonoTime now)
    {
        if (now > at)
        {
            tokens = Math.Min(most, tokens + ((now - at).TotalSeconds * perSecond));
            at = now;
        }
    }

    private ref Source Find(NetAddress address, MonoTime now)
    {
        NetAddress key = KeyOf(address);
        if (!_places.TryGetValue(key, out int place))
        {
            place = _count < _sources.Length ? _count++ : Evict(now);
            _places[key] = place;
            _sources[place] = new Source { Key = key, Tokens = _options.Burst, TokensAt = now, Patience = _options.Patience, PatienceAt = now };
        }
        _sources[place].IsFresh = true;
        return ref _sources[place];
    }

    /// <summary>A clock: who was seen since the hand passed is spared once; who is banned or vouched for is spared for as long as others are to be found.</summary>
    private int Evict(MonoTime now)
    {
        int oldest = _hand;
        int victim = -1;
        for (int hop = 0; hop < Hops; hop++)
        {
            int place = _hand;
            _hand = (_hand + 1) % _sources.Length;
            ref Source source = ref _sources[place];
            bool wasFresh = source.IsFresh;
            source.IsFresh = false;
            if (source.BannedUntil > now || source.VouchedUntil > now)
            {
                continue;
            }
            victim = wasFresh && victim >= 0 ? victim : place;
            if (!wasFresh)
            {
                break;
            }
        }
        victim = victim < 0 ? oldest : victim;
        _places.Remove(_sources[victim].Key);
        return victim;
    }

    private struct Source
    {
        public NetAddress Key;
        public double Tokens;
        public double Patience;
        public MonoTime TokensAt;
        public MonoTime PatienceAt;
        public MonoTime BannedUntil;
        public MonoTime VouchedUntil;
        public int Bans;
        public bool IsFresh;
    }
}
