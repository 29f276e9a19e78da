using System.Collections.Generic;

namespace Proxy.Stopwatch.Operations;

/// <summary>Every operation that is timed, in the table's order; the same for the native harness and for BenchmarkDotNet.</summary>
internal static class Catalogue
{
    public static IEnumerable<Operation> All => [.. SipOperations.All, .. RtpOperations.All, .. AudioOperations.All, .. RoomOperations.All, .. PolicyOperations.All];
}
