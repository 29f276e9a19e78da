using System;
using Proxy.Core.Diagnostics;
using Proxy.Policy.Numbers;

namespace Proxy.Policy.Trunks;

/// <summary>Any thread. The first thing about a trunk that did not hold.</summary>
internal enum TrunkFail
{
    None = 0,
    CalledNumber,
    Caller,
    Source,
}

/// <summary>One decision. Which trunk a call belongs to.</summary>
internal readonly record struct TrunkChoice
{
    /// <summary>No trunk was looked for.</summary>
    public static TrunkChoice None { get; } = new() { Trunk = -1, Rival = -1, FailedTrunk = -1 };

    /// <summary>Place of the trunk, or −1.</summary>
    public int Trunk { get; init; }

    /// <summary>A second trunk that holds as well and that nothing tells apart, or −1.</summary>
    public int Rival { get; init; }

    /// <summary>Several trunks hold and only the user name tells them apart; <see cref="Trunk"/> is the first of them.</summary>
    public bool NeedsUserName { get; init; }

    /// <summary>Nearest failure among trunks that own the number: why it was not taken.</summary>
    public TrunkFail Failed { get; init; }

    /// <summary>The trunk that <see cref="Failed"/> is about, or −1.</summary>
    public int FailedTrunk { get; init; }

    public CompatUse Compat { get; init; }

    public bool IsNone => Trunk < 0;

    /// <summary>
    /// Trunks that own the called number, by its exact text, a range, a prefix, then trunks that take any; at each step those that
    /// read the Request-URI go first. Of those that hold, one that lists the caller goes before one
    /// that takes any, then one that lists the source; equal ones are told apart by the credentials' user name.
    /// </summary>
    [NoAlloc]
    public static TrunkChoice For(in CallLook look)
    {
        TrunkIndex trunks = look.Snapshot.Trunks;
        var pick = new Pick { Best = -1, First = -1, Second = -1, Named = -1, FailedTrunk = -1 };
        Offer(ref pick, look, trunks.OfNumber(look.RequestText), CalledFrom.RequestUri);
        if (pick.First < 0)
        {
            Offer(ref pick, look, trunks.OfNumber(look.ToText), CalledFrom.To);
        }
        OfferPatterns(ref pick, look, trunks.Patterns);
        if (pick.First < 0)
        {
            Offer(ref pick, look, trunks.Defaults, null);
        }
        bool isShared = pick.Second >= 0;
        bool needsName = isShared && pick.AllHaveAuth;
        return new TrunkChoice
        {
            Trunk = pick.Named >= 0 && needsName ? pick.Named : pick.First,
            Rival = isShared && !needsName ? pick.Second : -1,
            NeedsUserName = needsName && pick.Named < 0,
            Failed = pick.Failed,
            FailedTrunk = pick.FailedTrunk,
            Compat = pick.Compat,
        };
    }

    /// <summary>Everything about one trunk, in the order in which it is checked; the same for a call and for explain.</summary>
    [NoAlloc]
    public static TrunkFail Check(in CallLook look, int index, out CompatUse compat)
    {
        compat = CompatUse.None;
        CompiledTrunk trunk = look.Snapshot.Trunks.All[index];
        if (!trunk.IsDefault && !OwnsCalled(look, index, trunk))
        {
            return TrunkFail.CalledNumber;
        }
        if (!trunk.TakesAnyCaller && !look.Snapshot.Trunks.Callers.Contains(index, look.CallerText(trunk)))
        {
            return TrunkFail.Caller;
        }
        return TakesSource(look, trunk, out compat) ? TrunkFail.None : TrunkFail.Source;
    }

    private static bool OwnsCalled(in CallLook look, int index, CompiledTrunk trunk)
    {
        if (look.Snapshot.Trunks.OfNumber(look.CalledText(trunk)).BinarySearch(index) >= 0)
        {
            return true;
        }
        Span<char> buffer = stackalloc char[NumberText.Longest + 2];
        ReadOnlySpan<char> called = trunk.Patterns.Length == 0 ? [] : NumberText.Normalise(look.CalledUser(trunk), buffer);
        foreach (NumberPattern pattern in trunk.Patterns)
        {
            if (pattern.Matches(called))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Ranges, then prefixes from the longest: each step only when the one before held nobody.</summary>
    private static void OfferPatterns(ref Pick pick, in CallLook look, PatternIndex patterns)
    {
        Span<char> toBuffer = stackalloc char[NumberText.Longest + 2];
        Span<char> requestBuffer = stackalloc char[NumberText.Longest + 2];
        ReadOnlySpan<char> to = NumberText.Normalise(look.Facts.ToUser, toBuffer);
        ReadOnlySpan<char> request = NumberText.Normalise(look.Facts.RequestUser, requestBuffer);
        if (pick.First < 0)
        {
            Offer(ref pick, look, patterns.OfRange(request), CalledFrom.RequestUri);
        }
        if (pick.First < 0)
        {
            Offer(ref pick, look, patterns.OfRange(to), CalledFrom.To);
        }
        for (int rank = 0; rank < patterns.PrefixLengths && pick.First < 0; rank++)
        {
            Offer(ref pick, look, patterns.OfPrefix(request, rank), CalledFrom.RequestUri);
            if (pick.First < 0)
            {
                Offer(ref pick, look, patterns.OfPrefix(to, rank), CalledFrom.To);
            }
        }
    }

    private static void Offer(ref Pick pick, in CallLook look, ReadOnlySpan<int> candidates, CalledFrom? calledFrom)
    {
        foreach (int index in candidates)
        {
            CompiledTrunk trunk = look.Snapshot.Trunks.All[index];
            if (calledFrom is not null && trunk.Trunk.Extras.CalledFrom != calledFrom)
            {
                continue;
            }
            TrunkFail failed = Check(look, index, out CompatUse compat);
            if (failed != TrunkFail.None)
            {
                pick.Fail(index, failed);
                continue;
            }
            pick.Hold(index, trunk, compat, look.Facts.AssumedUser.Length > 0 ? look.Facts.AssumedUser : look.Facts.Credentials?.UserName);
        }
    }

    private static bool TakesSource(in CallLook look, CompiledTrunk trunk, out CompatUse compat)
    {
        compat = CompatUse.None;
        AddressList addresses = trunk.Addresses;
        if (addresses.IsEmpty || !look.Facts.Source.IsSet || addresses.Contains(look.Facts.Source.Address))
        {
            return true;
        }
        if (look.Snapshot.Compat != Policy.Compat.LiveKit)
        {
            return false;
        }
        compat = !addresses.HasReadable ? CompatUse.UnreadableAddresses
            : addresses.NamesHost(look.Facts.FromHost) ? CompatUse.FromHost : CompatUse.None;
        return compat != CompatUse.None;
    }

    private struct Pick
    {
        public int Best;
        public int First;
        public int Second;
        public int Named;
        public bool AllHaveAuth;
        public CompatUse Compat;
        public TrunkFail Failed;
        public int FailedTrunk;

        public void Fail(int index, TrunkFail failed)
        {
            if (failed > Failed)
            {
                Failed = failed;
                FailedTrunk = index;
            }
        }

        public void Hold(int index, CompiledTrunk trunk, CompatUse compat, string? userName)
        {
            if (trunk.Specificity < Best)
            {
                return;
            }
            if (trunk.Specificity > Best)
            {
                this = new Pick { Best = trunk.Specificity, First = -1, Second = -1, Named = -1, AllHaveAuth = true, Failed = Failed, FailedTrunk = FailedTrunk };
            }
            AllHaveAuth &= trunk.HasAuth;
            if (userName is not null && trunk.HasAuth && string.Equals(trunk.Trunk.AuthUsername, userName, StringComparison.Ordinal))
            {
                Named = index;
            }
            if (First < 0)
            {
                First = index;
                Compat = compat;
            }
            else if (Second < 0)
            {
                Second = index;
            }
        }
    }
}
