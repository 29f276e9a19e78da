using System;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Proxy.Native;

/// <summary>
/// Any thread. Finds the C libraries by the short names that the imports use. In the native binary they are linked in
/// (DirectPInvoke) and this is never asked; under the JIT (tests, benchmarks) the distribution's shared objects are loaded.
/// </summary>
internal static class NativeLibraries
{
    public const string Ssl = "ssl";
    public const string Crypto = "crypto";
    public const string Opus = "opus";

#pragma warning disable CA2255 // the one moment before any import is first used
    [ModuleInitializer]
    internal static void Install() => NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);
#pragma warning restore CA2255

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        string? file = name switch
        {
            Ssl => "libssl.so.3",
            Crypto => "libcrypto.so.3",
            Opus => "libopus.so.0",
            _ => null,
        };
        return file is null ? 0 : NativeLibrary.Load(file);
    }
}
