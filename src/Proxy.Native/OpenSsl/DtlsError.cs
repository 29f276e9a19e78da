using System.Runtime.InteropServices;
using static Proxy.Native.OpenSsl.DtlsImports;

namespace Proxy.Native.OpenSsl;

/// <summary>Calling thread. Reads the thread's OpenSSL error queue into words, and empties it.</summary>
internal static unsafe class DtlsError
{
    public static string Describe(string what)
    {
        nuint error = ERR_peek_error();
        byte* reason = error == 0 ? null : ERR_reason_error_string(error);
        ERR_clear_error();
        return reason == null ? what : what + ": " + Marshal.PtrToStringUTF8((nint)reason);
    }
}
