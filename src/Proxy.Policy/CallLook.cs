using System;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;

namespace Proxy.Policy;

/// <summary>One decision. The call's numbers looked up once in the snapshot; every predicate after that compares integers.</summary>
internal readonly ref struct CallLook
{
    private readonly ref readonly CallFacts _facts;

    public CallLook(PolicySnapshot snapshot, in CallFacts facts)
    {
        Snapshot = snapshot;
        _facts = ref facts;
        Span<char> buffer = stackalloc char[NumberText.Longest + 2];
        ReadOnlySpan<char> called = NumberText.Normalise(facts.ToUser, buffer);
        ToText = snapshot.Texts.Find(called);
        InventoryNumber = snapshot.Inventory.Find(called);
        FromText = Find(snapshot, facts.FromUser);
        RequestText = string.Equals(facts.RequestUser, facts.ToUser, StringComparison.Ordinal) ? ToText : Find(snapshot, facts.RequestUser);
        AssertedText = facts.AssertedUser.Length == 0 ? -1 : Find(snapshot, facts.AssertedUser);
    }

    public PolicySnapshot Snapshot { get; }

    public ref readonly CallFacts Facts => ref _facts;

    /// <summary>The text of To's user in the snapshot's table; −1 when no object names it. The same for the others.</summary>
    public int ToText { get; }

    /// <summary>Place of the inventory number that To's user names and somebody owns, or −1.</summary>
    public int InventoryNumber { get; }

    public int FromText { get; }

    public int RequestText { get; }

    public int AssertedText { get; }

    /// <summary>The called number as a trunk sees it; without a trunk that of To.</summary>
    public int CalledText(CompiledTrunk? trunk) => trunk?.Trunk.Extras.CalledFrom == CalledFrom.RequestUri ? RequestText : ToText;

    public string CalledUser(CompiledTrunk? trunk) =>
        trunk?.Trunk.Extras.CalledFrom == CalledFrom.RequestUri ? _facts.RequestUser : _facts.ToUser;

    /// <summary>The caller as a trunk sees it; P-Asserted-Identity only where it is there.</summary>
    public int CallerText(CompiledTrunk? trunk) => TakesAsserted(trunk) ? AssertedText : FromText;

    public string CallerUser(CompiledTrunk? trunk) => TakesAsserted(trunk) ? _facts.AssertedUser : _facts.FromUser;

    private bool TakesAsserted(CompiledTrunk? trunk) =>
        trunk?.Trunk.Extras.CallerFrom == CallerFrom.AssertedIdentity && _facts.AssertedUser.Length > 0;

    private static int Find(PolicySnapshot snapshot, string user)
    {
        Span<char> buffer = stackalloc char[NumberText.Longest + 2];
        return snapshot.Texts.Find(NumberText.Normalise(user, buffer));
    }
}
