using System.Runtime.InteropServices;

namespace Proxy.Native.Opus;

/// <summary>Any thread. What is linked in.</summary>
public static class OpusLibrary
{
    /// <summary>As libopus names itself, for example <c>libopus 1.3.1</c>.</summary>
    public static string Version => Marshal.PtrToStringUTF8(OpusImports.opus_get_version_string()) ?? string.Empty;
}
