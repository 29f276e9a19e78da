using System.Collections.Generic;

namespace Proxy.Server.Config;

/// <summary>Main thread. What reading the configuration gave.</summary>
/// <param name="Config">Null when there are errors.</param>
/// <param name="Errors">All of them at once, <c>file:line: what is wrong</c>.</param>
/// <param name="Notices">Keys that have no effect here.</param>
public sealed record ConfigResult(ServerConfig? Config, IReadOnlyList<string> Errors, IReadOnlyList<string> Notices);
