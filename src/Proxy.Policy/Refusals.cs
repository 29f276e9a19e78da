using System;
using System.Collections.Generic;

namespace Proxy.Policy;

/// <summary>Any thread. The SIP side of one refusal.</summary>
/// <param name="Status">SIP status, 400–699.</param>
/// <param name="Reason">Reason phrase.</param>
/// <param name="Q850Cause">Q.850 cause of the Reason header, 1–127; 0 for none (RFC 3326).</param>
/// <param name="RetryAfterSeconds">Retry-After in seconds; 0 for none.</param>
public readonly record struct Refusal(int Status, string Reason, int Q850Cause, int RetryAfterSeconds);

/// <summary>Any thread. The <c>responses:</c> table: one SIP answer for each refusal code.</summary>
public sealed class Refusals
{
    private static readonly string[] s_names =
    [
        "none", "no_trunk", "no_rule", "source_not_allowed", "caller_not_allowed", "bad_credentials", "locked_out",
        "ambiguous_trunk", "trunk_quarantined", "number_offline", "trunk_misconfigured", "media_encryption",
        "media_not_acceptable", "wrong_pin", "pin_locked_out", "pin_timeout", "trunk_cap", "rule_cap", "number_cap",
        "caller_cap", "ring_timeout", "join_failed", "node_full", "node_overload", "draining", "backend_down",
        "hook_rejected", "bad_request", "internal",
    ];

    private readonly Refusal[] _table;

    private Refusals(Refusal[] table) => _table = table;

    /// <summary>The defaults: only node overload, drain and a lost backend say 503, so that no carrier takes the node out of its route.</summary>
    public static Refusals Default { get; } = new(DefaultTable());

    /// <summary>As livekit/sip answers: 486 "Rejected" when ringing ends unanswered or the room cannot be joined.</summary>
    public static Refusals LiveKit { get; } = Default
        .With(RefusalCode.RingTimeout, new Refusal(486, "Rejected", 17, 0))
        .With(RefusalCode.JoinFailed, new Refusal(486, "Rejected", 17, 0));

    public Refusal this[RefusalCode code] => _table[(int)code];

    /// <summary>A copy with one answer changed.</summary>
    public Refusals With(RefusalCode code, Refusal refusal)
    {
        var table = (Refusal[])_table.Clone();
        table[(int)code] = refusal;
        return new Refusals(table);
    }

    /// <summary>The machine-readable name: <c>no_trunk</c>, <c>trunk_cap</c> …</summary>
    public static string Name(RefusalCode code) => s_names[(int)code];

    /// <summary>Every machine-readable name, in the order of the codes.</summary>
    public static IReadOnlyList<string> Names => s_names;

    /// <returns>False when no code has that name.</returns>
    public static bool TryParse(string name, out RefusalCode code)
    {
        int index = Array.IndexOf(s_names, name);
        code = index > 0 ? (RefusalCode)index : RefusalCode.None;
        return index > 0;
    }

    private static Refusal[] DefaultTable()
    {
        var table = new Refusal[s_names.Length];
        Array.Fill(table, new Refusal(500, "Server Internal Error", 41, 0));
        Refusal notFound = new(404, "Not Found", 1, 0);
        Refusal forbidden = new(403, "Forbidden", 21, 0);
        Refusal busy = new(486, "Busy Here", 17, 0);
        Refusal overloaded = new(503, "Service Unavailable", 42, 5);
        void Set(RefusalCode code, Refusal refusal) => table[(int)code] = refusal;
        Set(RefusalCode.None, new Refusal(200, "OK", 0, 0));
        Set(RefusalCode.NoTrunk, notFound);
        Set(RefusalCode.NoRule, notFound);
        Set(RefusalCode.NumberOffline, notFound);
        Set(RefusalCode.SourceNotAllowed, forbidden);
        Set(RefusalCode.CallerNotAllowed, forbidden);
        Set(RefusalCode.BadCredentials, forbidden);
        Set(RefusalCode.LockedOut, forbidden);
        Set(RefusalCode.WrongPin, forbidden);
        Set(RefusalCode.PinLockedOut, forbidden);
        Set(RefusalCode.PinTimeout, forbidden);
        Set(RefusalCode.HookRejected, forbidden);
        Set(RefusalCode.AmbiguousTrunk, new Refusal(500, "Ambiguous Trunk", 41, 0));
        Set(RefusalCode.TrunkQuarantined, notFound);
        Set(RefusalCode.TrunkMisconfigured, new Refusal(500, "Trunk Misconfigured", 41, 0));
        Set(RefusalCode.MediaEncryption, new Refusal(488, "Not Acceptable Here", 88, 0));
        Set(RefusalCode.MediaNotAcceptable, new Refusal(488, "Not Acceptable Here", 88, 0));
        Set(RefusalCode.TrunkCap, new Refusal(480, "Temporarily Unavailable", 34, 0));
        Set(RefusalCode.RuleCap, busy);
        Set(RefusalCode.NumberCap, busy);
        Set(RefusalCode.CallerCap, busy);
        Set(RefusalCode.RingTimeout, new Refusal(480, "Temporarily Unavailable", 19, 0));
        Set(RefusalCode.JoinFailed, overloaded);
        Set(RefusalCode.NodeFull, overloaded);
        Set(RefusalCode.NodeOverload, overloaded);
        Set(RefusalCode.Draining, overloaded);
        Set(RefusalCode.BackendDown, overloaded);
        Set(RefusalCode.BadRequest, new Refusal(400, "Bad Request", 111, 0));
        return table;
    }
}
