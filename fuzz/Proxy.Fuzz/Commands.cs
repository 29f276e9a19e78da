using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Proxy.Fuzz.Coverage;
using Proxy.Fuzz.Targets;
using Proxy.Testing;

namespace Proxy.Fuzz;

/// <summary>One thread. What the command line asks for; runs inside <see cref="InstrumentedContext"/>.</summary>
public static class Commands
{
    private static readonly string s_findings = Path.Combine(TestData.Repository, "artifacts", "fuzz");

    public static int Run(string[] args)
    {
        string verb = args.Length > 0 ? args[0] : "";
        return verb switch
        {
            "run" when args.Length is 2 or 3 => Search(int.Parse(args[1], CultureInfo.InvariantCulture), args.Length == 3 ? ulong.Parse(args[2], CultureInfo.InvariantCulture) : 1),
            "replay" => Replay(),
            "distil" when args.Length is 2 => Distil(int.Parse(args[1], CultureInfo.InvariantCulture)),
            "repro" when args.Length == 3 => Repro(args[1], args[2]),
            _ => Usage(),
        };
    }

    private static int Usage()
    {
        Console.Error.WriteLine("Proxy.Fuzz run SECONDS [SEED] | replay | distil SECONDS | repro TARGET FILE");
        return 2;
    }

    /// <summary>Every target for its share of the time.</summary>
    private static int Search(int seconds, ulong seed)
    {
        Target[] targets = AllTargets.Make();
        int failed = 0;
        foreach (Target target in targets)
        {
            Fuzzer fuzzer = new(target, seed);
            fuzzer.Load(Corpus.Read(target.Name));
            fuzzer.Search(TimeSpan.FromSeconds((double)seconds / targets.Length));
            failed += Report(fuzzer) ? 0 : 1;
        }
        Console.WriteLine($"{targets.Length - failed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    /// <summary>The committed corpus and the seeds, without any change.</summary>
    private static int Replay()
    {
        int passed = 0;
        int failed = 0;
        foreach (Target target in AllTargets.Make())
        {
            Fuzzer fuzzer = new(target, 1);
            fuzzer.Load(Corpus.Read(target.Name));
            bool isGood = Report(fuzzer);
            passed += isGood ? 1 : 0;
            failed += isGood ? 0 : 1;
        }
        Console.WriteLine($"{passed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    /// <summary>Searches, and rewrites the committed corpus with the few small inputs that reach everything that was reached.</summary>
    private static int Distil(int seconds)
    {
        Target[] targets = AllTargets.Make();
        int failed = 0;
        foreach (Target target in targets)
        {
            Fuzzer fuzzer = new(target, (ulong)DateTime.UtcNow.Ticks);
            fuzzer.Load(Corpus.Read(target.Name));
            fuzzer.Search(TimeSpan.FromSeconds((double)seconds / targets.Length));
            failed += Report(fuzzer) ? 0 : 1;
            Corpus.Write(target.Name, fuzzer.Distilled());
        }
        return failed == 0 ? 0 : 1;
    }

    private static int Repro(string name, string file)
    {
        Target target = AllTargets.Make().Single(t => t.Name == name);
        Fuzzer fuzzer = new(target, 1);
        byte[] input = File.ReadAllBytes(file);
        fuzzer.Load([input]);
        Console.WriteLine($"{fuzzer.CpuTime(input).TotalMicroseconds:N0} µs, counters in it");
        return Report(fuzzer) ? 0 : 1;
    }

    private static bool Report(Fuzzer fuzzer)
    {
        string name = fuzzer.Target.Name;
        foreach ((string what, byte[] input) in fuzzer.Findings)
        {
            Directory.CreateDirectory(s_findings);
            string file = Path.Combine(s_findings, $"{name}-{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(input))[..12]}");
            File.WriteAllBytes(file, input);
            Console.WriteLine($"FAIL {name}: {what}");
            Console.WriteLine($"     {Path.GetRelativePath(TestData.Repository, file)}, {input.Length} bytes");
        }
        if (fuzzer.Findings.Count == 0)
        {
            Console.WriteLine($"ok   {name}: {fuzzer.Runs} runs, {fuzzer.EdgeCount} edges, {fuzzer.Kept} inputs");
        }
        return fuzzer.Findings.Count == 0;
    }
}
