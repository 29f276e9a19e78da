using System;
using System.Globalization;
using System.Linq;
using System.Runtime.CompilerServices;
using Proxy.Server.Linux;
using Proxy.Stopwatch;
using Proxy.Stopwatch.Operations;

// The clock is the thread's CPU time: on a shared machine the wall clock measures the neighbours.
const long RoundMicros = 20_000;
const int Rounds = 15;

string wanted = args.Length > 0 ? args[0] : "";
Console.WriteLine(RuntimeFeature.IsDynamicCodeSupported ? "JIT (for comparison only)" : "native");
Console.WriteLine();
Console.WriteLine("| operation | ns/op | bytes/op |");
Console.WriteLine("|---|--:|--:|");
foreach (Operation operation in Catalogue.All.Where(o => o.Name.Contains(wanted, StringComparison.OrdinalIgnoreCase)))
{
    (double nanos, double bytes) = Measure(operation);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {operation.Name} | {nanos:N0} | {bytes:N0} |"));
    GC.Collect();
}
return 0;

// The median of the rounds, after as much warm-up as two rounds.
static (double Nanos, double Bytes) Measure(Operation operation)
{
    Action run = operation.Make();
    long count = 1;
    while (Time(run, count) < RoundMicros)
    {
        count *= 2;
    }
    Time(run, count);
    double[] nanos = new double[Rounds];
    long before = GC.GetAllocatedBytesForCurrentThread();
    for (int round = 0; round < Rounds; round++)
    {
        nanos[round] = Time(run, count) * 1_000.0 / count / operation.PerRun;
    }
    double bytes = (double)(GC.GetAllocatedBytesForCurrentThread() - before) / Rounds / count / operation.PerRun;
    Array.Sort(nanos);
    return (nanos[Rounds / 2], bytes);
}

static long Time(Action run, long count)
{
    long start = Clock.ThreadCpuMicros();
    for (long i = 0; i < count; i++)
    {
        run();
    }
    return Clock.ThreadCpuMicros() - start;
}
