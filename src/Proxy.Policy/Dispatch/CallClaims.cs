using Proxy.Policy.Caps;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Dispatch;

/// <summary>One decision. What a call would count against: its trunk, the number called, the caller, its rule.</summary>
internal static class CallClaims
{
    private const int Places = 4;

    public static CapClaim[] All(in CallLook look, CompiledTrunk? trunk, DispatchRule rule)
    {
        int count = 0;
        for (int place = 0; place < Places; place++)
        {
            count += TryGet(look, trunk, rule, place, out _) ? 1 : 0;
        }
        var claims = new CapClaim[count];
        for (int place = 0, at = 0; at < count; place++)
        {
            if (TryGet(look, trunk, rule, place, out CapClaim claim))
            {
                claims[at++] = claim;
            }
        }
        return claims;
    }

    /// <returns>False when one more call breaks no claim; else the first that it would break.</returns>
    public static bool TryFindBroken(in CallLook look, CompiledTrunk? trunk, DispatchRule rule, in CapsView limits, out CapClaim broken)
    {
        for (int place = 0; limits.IsSet && place < Places; place++)
        {
            if (TryGet(look, trunk, rule, place, out broken) && !limits.Allows(broken))
            {
                return true;
            }
        }
        broken = default;
        return false;
    }

    public static string Sentence(in CapClaim claim)
    {
        string what = claim.Scope switch
        {
            CapScope.Trunk => "trunk " + claim.Id,
            CapScope.Rule => "rule " + claim.Id,
            CapScope.Number => "called number " + RulePolicy.Shown(claim.Number),
            _ => "caller " + RulePolicy.Shown(claim.Number),
        };
        return $"{what} has all the calls it may have ({claim.MaxCalls} at once, {claim.MaxPerSecond} a second; 0 is no limit)";
    }

    private static bool TryGet(in CallLook look, CompiledTrunk? trunk, DispatchRule rule, int place, out CapClaim claim)
    {
        claim = default;
        TrunkExtras? extras = trunk?.Trunk.Extras;
        switch (place)
        {
            case 0 when extras is not null:
                claim = new CapClaim(CapScope.Trunk, trunk!.Trunk.Id, extras.MaxCalls, extras.MaxCallsPerSecond);
                return true;
            case 1 when extras is { MaxCallsPerNumber: > 0 }:
                claim = new CapClaim(CapScope.Number, trunk!.Trunk.Id, extras.MaxCallsPerNumber, 0) { Number = NumberText.Normalise(look.CalledUser(trunk)) };
                return true;
            case 2 when extras is { MaxCallsPerCaller: > 0 }:
                claim = new CapClaim(CapScope.Caller, trunk!.Trunk.Id, extras.MaxCallsPerCaller, 0) { Number = NumberText.Normalise(look.CallerUser(trunk)) };
                return true;
            case 3 when rule.Extras.MaxCalls > 0 || rule.Extras.MaxCallsPerSecond > 0:
                claim = new CapClaim(CapScope.Rule, rule.Id, rule.Extras.MaxCalls, rule.Extras.MaxCallsPerSecond);
                return true;
            default:
                return false;
        }
    }
}
