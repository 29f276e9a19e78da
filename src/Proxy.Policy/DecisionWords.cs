using Proxy.Policy.Digest;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;

namespace Proxy.Policy;

/// <summary>One decision. The sentence of a refusal, for log, record and explain.</summary>
internal static class DecisionWords
{
    /// <summary>The trunk that a verdict names: the one that took the call, or the nearest that did not.</summary>
    public static CompiledTrunk? TrunkOf(in CallLook look, in Decision decision)
    {
        int place = decision.Code switch
        {
            RefusalCode.SourceNotAllowed or RefusalCode.CallerNotAllowed => decision.Trunk.Failed is TrunkFail.Source or TrunkFail.Caller ? decision.Trunk.FailedTrunk : -1,
            RefusalCode.NoTrunk or RefusalCode.LockedOut or RefusalCode.BadCredentials => -1,
            _ => decision.Trunk.Trunk,
        };
        return place < 0 ? null : look.Snapshot.Trunks.All[place];
    }

    public static string Sentence(in CallLook look, in Decision decision, CompiledTrunk? trunk)
    {
        string called = RulePolicy.Shown(look.CalledUser(trunk));
        string to = RulePolicy.Shown(look.Facts.ToUser);
        return decision.Code switch
        {
            RefusalCode.SourceNotAllowed when trunk is null => $"address {look.Facts.Source.Address} is not in interconnect.allowed_addresses and no trunk owns {to}",
            RefusalCode.SourceNotAllowed => $"address {look.Facts.Source.Address} is not in allowed_addresses of trunk {Label(trunk)}, which owns {called}",
            RefusalCode.CallerNotAllowed => $"caller {RulePolicy.Shown(look.CallerUser(trunk))} is not in allowed_numbers of trunk {Label(trunk!)}, which owns {called}",
            RefusalCode.NoTrunk => $"no trunk takes calls to {to}",
            RefusalCode.AmbiguousTrunk => $"trunks {Label(trunk!)} and {Label(look.Snapshot.Trunks.All[decision.Trunk.Rival])} both take this call and nothing tells them apart",
            RefusalCode.TrunkMisconfigured => $"trunk {Label(trunk!)} has only one of auth_username and auth_password",
            RefusalCode.LockedOut => $"address {look.Facts.Source.Address} failed too often; it is locked out for a while",
            RefusalCode.BadCredentials => $"user or password is wrong for {Challenger(look, decision)}",
            RefusalCode.NumberOffline => $"number {to} has no dispatch rule: it is offline",
            RefusalCode.NoRule => $"no dispatch rule takes a call from {RulePolicy.Shown(look.CallerUser(trunk))} to {called} {(trunk is null ? "without a trunk" : "on trunk " + Label(trunk))}",
            RefusalCode.PinLockedOut => $"caller {RulePolicy.Shown(look.CallerUser(trunk))} keyed too many wrong PINs for rule {look.Snapshot.Rules.All[decision.Rule].Id}",
            _ => CallClaims.Sentence(decision.Broken),
        };
    }

    public static string Challenge(in CallLook look, in Decision decision) => decision.Digest == DigestOutcome.Ask
        ? $"{Challenger(look, decision)} ask for a user and a password"
        : "the password is right, the nonce was used or is too old";

    private static string Challenger(in CallLook look, in Decision decision) =>
        decision.Trunk.NeedsUserName ? "the trunks of this number" : "trunk " + Label(look.Snapshot.Trunks.All[decision.Trunk.Trunk]);

    private static string Label(CompiledTrunk trunk) => RulePolicy.Label(trunk);
}
