using System;
using System.IO;
using System.Reflection;
using System.Runtime.Loader;

namespace Proxy.Fuzz.Coverage;

/// <summary>
/// One thread. The house loaded a second time, with counters in it. This program is loaded into it too, so that the
/// targets' calls bind to the copies; nothing but the start runs outside.
/// </summary>
internal sealed class InstrumentedContext : AssemblyLoadContext
{
    private static readonly string[] s_instrumented =
        ["Proxy.Sip", "Proxy.Sdp", "Proxy.Rtp", "Proxy.LiveKit", "Proxy.WebRtc", "Proxy.Participant"];

    private readonly string _copies;

    private InstrumentedContext(string copies)
        : base("instrumented") => _copies = copies;

    /// <summary>Instruments, and runs <paramref name="entry"/> of this program inside.</summary>
    public static int Enter(Type entry, string method, string[] args)
    {
        string copies = Path.Combine(Path.GetTempPath(), "proxy-fuzz-" + Environment.ProcessId);
        Directory.CreateDirectory(copies);
        try
        {
            Instrumenter instrumenter = new(AppContext.BaseDirectory, copies);
            Array.ForEach(s_instrumented, instrumenter.Run);
            InstrumentedContext context = new(copies);
            Assembly inside = context.LoadFromAssemblyPath(Assembly.GetExecutingAssembly().Location);
            return (int)inside.GetType(entry.FullName!)!.GetMethod(method, BindingFlags.Static | BindingFlags.Public)!.Invoke(null, [args])!;
        }
        finally
        {
            Directory.Delete(copies, recursive: true);
        }
    }

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        string name = assemblyName.Name + ".dll";
        string copy = Path.Combine(_copies, name);
        string original = Path.Combine(AppContext.BaseDirectory, name);
        return File.Exists(copy) ? LoadFromAssemblyPath(copy) : File.Exists(original) ? LoadFromAssemblyPath(original) : null;
    }
}
