using System;
using System.Diagnostics.CodeAnalysis;

namespace Proxy.Core.Diagnostics;

/// <summary>Any thread. What must hold unless we have a bug; the loop's one catch ends the call that broke it.</summary>
public static class Invariant
{
    /// <summary>Throws: this line must not be reached.</summary>
    [DoesNotReturn]
    public static void Fail(string what) => throw new InvariantException(what);

    /// <summary>Throws when <paramref name="holds"/> is false.</summary>
    public static void Holds([DoesNotReturnIf(false)] bool holds, string what)
    {
        if (!holds)
        {
            Fail(what);
        }
    }
}

/// <summary>Any thread. Our own bug, never the wire's.</summary>
public sealed class InvariantException(string what) : Exception(what);
