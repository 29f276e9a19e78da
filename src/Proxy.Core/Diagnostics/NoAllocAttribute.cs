using System;

namespace Proxy.Core.Diagnostics;

/// <summary>
/// Any thread. Marks a member that allocates no managed memory after warm-up. Each marked member has a case in
/// <c>tests/Proxy.Alloc</c>, which is published native; a House test fails for a mark without a case.
/// </summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property | AttributeTargets.Constructor)]
public sealed class NoAllocAttribute : Attribute;
