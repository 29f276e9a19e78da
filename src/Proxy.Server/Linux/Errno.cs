using System.ComponentModel;
using System.IO;
using System.Runtime.InteropServices;

namespace Proxy.Server.Linux;

/// <summary>Any thread. The error numbers that the loops know; the same on x86-64 and arm64.</summary>
internal static class Errno
{
    public const int Interrupted = 4;
    public const int WouldBlock = 11;
    public const int AddressInUse = 98;
    public const int NetworkUnreachable = 101;
    public const int NoBuffers = 105;
    public const int MessageTooLong = 90;
    public const int ConnectionRefused = 111;
    public const int HostUnreachable = 113;

    /// <summary>The calling thread's last error, to be read at once.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>The system's words for an error number.</summary>
    public static string Describe(int errno) => new Win32Exception(errno).Message;

    /// <summary>An exception for start-up, where failing is all that can be done.</summary>
    public static IOException Failed(string what)
    {
        int errno = Last;
        return new IOException($"{what}: {Describe(errno)} (errno {errno})");
    }
}
