namespace Proxy.Policy;

/// <summary>Any thread. Why a call was refused; <see cref="Refusals.Name"/> gives the machine-readable name.</summary>
public enum RefusalCode
{
    /// <summary>Not refused.</summary>
    None = 0,
    NoTrunk,
    NoRule,
    SourceNotAllowed,
    CallerNotAllowed,
    BadCredentials,
    LockedOut,
    AmbiguousTrunk,
    TrunkQuarantined,
    NumberOffline,
    TrunkMisconfigured,
    MediaEncryption,
    MediaNotAcceptable,
    WrongPin,
    PinLockedOut,
    PinTimeout,
    TrunkCap,
    RuleCap,
    NumberCap,
    CallerCap,
    RingTimeout,
    JoinFailed,
    NodeFull,
    NodeOverload,
    Draining,
    BackendDown,
    HookRejected,
    BadRequest,
    Internal,
}
