using System;
using System.Globalization;
using Proxy.Core.Net;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Digest;

/// <summary>One decision. What the credentials of a call are worth.</summary>
internal enum DigestOutcome
{
    Passed,

    /// <summary>None came, or for another realm or algorithm, or with a nonce that is not ours: ask.</summary>
    Ask,

    /// <summary>The password is right, the nonce is not fresh: ask again, the caller need not type.</summary>
    AskStale,

    /// <summary>User or password is wrong; which of them is never said.</summary>
    Wrong,

    /// <summary>An unlisted source that failed too often.</summary>
    LockedOut,
}

/// <summary>Signal thread. Decides digest credentials (RFC 7616, RFC 8760; messages are Proxy.Sip's).</summary>
internal sealed class DigestGate
{
    private readonly NonceMint _mint;
    private readonly UsedNonces _used = new();
    private readonly FailedSources _failed = new();
    private readonly string _dummyPassword;

    public DigestGate(byte[] secret)
    {
        _mint = new NonceMint(secret);
        _dummyPassword = _mint.Make("dummy", "dummy", DateTimeOffset.UnixEpoch);
    }

    /// <param name="facts">The call.</param>
    /// <param name="trunk">The trunk that the user name picked; null when no trunk has that user.</param>
    /// <param name="realm">The realm that was or would be asked for.</param>
    /// <param name="algorithm">The algorithm that was or would be asked for.</param>
    /// <param name="isListed">The source is listed somewhere: never locked out.</param>
    /// <param name="commit">False for explain: looks, but uses up nothing.</param>
    public DigestOutcome Decide(in CallFacts facts, CompiledTrunk? trunk, string realm, string algorithm, bool isListed, bool commit)
    {
        if (facts.AssumedUser.Length > 0)
        {
            return string.Equals(trunk?.Trunk.AuthUsername, facts.AssumedUser, StringComparison.Ordinal) ? DigestOutcome.Passed : DigestOutcome.Wrong;
        }
        if (facts.Credentials is not { } offered || !string.Equals(offered.Realm, realm, StringComparison.Ordinal)
            || !IsAlgorithm(offered, algorithm) || !IsQop(offered, out uint count))
        {
            return DigestOutcome.Ask;
        }
        if (!isListed && _failed.IsLocked(facts.Source.Address, facts.Utc))
        {
            return DigestOutcome.LockedOut;
        }
        NonceState state = _mint.Read(offered.Nonce, realm, facts.Utc, out ulong key, out long issuedMs);
        bool hasUser = trunk is not null && string.Equals(trunk.Trunk.AuthUsername, offered.UserName, StringComparison.Ordinal);
        string password = hasUser ? trunk!.Trunk.AuthPassword : _dummyPassword;
        bool isRight = DigestResponse.Verify(offered, algorithm, offered.UserName, realm, password, facts.Method) & hasUser;
        if (state == NonceState.Foreign)
        {
            return DigestOutcome.Ask;
        }
        if (!isRight)
        {
            if (commit && !isListed && !facts.IsSecondLook)
            {
                _failed.Add(facts.Source.Address, facts.Utc);
            }
            return DigestOutcome.Wrong;
        }
        // At a second look the password is proved again, the nonce is not: it was used up by the first one.
        bool isFresh = state == NonceState.Good && (facts.IsSecondLook || _used.TryUse(key, issuedMs, count, commit));
        return isFresh ? DigestOutcome.Passed : DigestOutcome.AskStale;
    }

    public DigestChallenge Challenge(in CallFacts facts, string realm, string algorithm, bool isStale) =>
        new(realm, _mint.Make(realm, facts.CallId, facts.Utc), algorithm, isStale);

    private static bool IsAlgorithm(DigestCredentials offered, string algorithm) =>
        offered.Algorithm.Length == 0 ? algorithm.Equals("MD5", StringComparison.OrdinalIgnoreCase)
            : offered.Algorithm.Equals(algorithm, StringComparison.OrdinalIgnoreCase);

    /// <summary>qop=auth with its count, or no qop at all: then a nonce serves once, as count 1.</summary>
    private static bool IsQop(DigestCredentials offered, out uint count)
    {
        count = 1;
        if (offered.Qop.Length == 0)
        {
            return true;
        }
        return offered.Qop.Equals("auth", StringComparison.OrdinalIgnoreCase) && offered.ClientNonce.Length > 0 && offered.NonceCount.Length == 8
            && uint.TryParse(offered.NonceCount, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out count) && count > 0;
    }
}
