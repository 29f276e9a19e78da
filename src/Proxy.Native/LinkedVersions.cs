using System.Runtime.InteropServices;

namespace Proxy.Native;

/// <summary>Any thread. The versions of the C libraries that are in use: linked in, or under the JIT the distribution's.</summary>
public static partial class LinkedVersions
{
    /// <summary>For example <c>OpenSSL 3.0.22 5 Aug 2026</c>.</summary>
    public static string OpenSsl => Marshal.PtrToStringUTF8(OpenSSL_version(0)) ?? "";

    /// <summary>For example <c>libopus 1.3.1</c>.</summary>
    public static string Opus => Marshal.PtrToStringUTF8(opus_get_version_string()) ?? "";

    [LibraryImport(NativeLibraries.Crypto)]
    private static partial nint OpenSSL_version(int type);

    [LibraryImport(NativeLibraries.Opus)]
    private static partial nint opus_get_version_string();
}
