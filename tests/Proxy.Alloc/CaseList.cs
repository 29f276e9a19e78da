using System;
using System.Collections.Generic;

namespace Proxy.Alloc;

/// <summary>One owner. One action that must allocate nothing, and the <c>[NoAlloc]</c> members that it runs.</summary>
internal sealed class Case(string first, Action run)
{
    public List<string> Members { get; } = [first];

    public Action Run { get; } = run;

    /// <summary>Names another marked member that the action runs.</summary>
    public Case Also(string type, string member)
    {
        Members.Add(type + "." + member);
        return this;
    }
}

/// <summary>One owner. All cases, made at the start: a delegate made inside a measured loop would be its first finding.</summary>
/// <remarks>NoAllocTests reads the <c>nameof(Type), nameof(Type.Member)</c> pairs (<c>"Type", "Member"</c> where the type is not accessible) out of Cases/*.cs.</remarks>
internal sealed class CaseList
{
    public List<Case> Cases { get; } = [];

    /// <summary>A case that takes the wrong way shows nothing.</summary>
    public static void Must(bool isAsExpected)
    {
        if (!isAsExpected)
        {
            throw new InvalidOperationException("the member did not do what the case expects");
        }
    }

    public Case Add(string type, string member, Action run)
    {
        Case added = new(type + "." + member, run);
        Cases.Add(added);
        return added;
    }
}
