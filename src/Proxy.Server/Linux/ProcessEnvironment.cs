using System;
using System.IO;

namespace Proxy.Server.Linux;

/// <summary>Main thread. What belongs to the process as a whole: its environment as C libraries see it (.NET's is a copy), its user, its file mode mask.</summary>
internal static class ProcessEnvironment
{
    /// <summary>Effective user id.</summary>
    public static uint User => LibC.geteuid();

    /// <summary>Only before other threads run.</summary>
    public static void Set(string name, string value) => LibC.setenv(name, value, 1);

    /// <summary>Makes a folder that is its owner's alone, or makes it so.</summary>
    /// <exception cref="UnauthorizedAccessException">It is somebody else's.</exception>
    public static void MakePrivateFolder(string path)
    {
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
#pragma warning disable CA1416 // this program runs on Linux only
        Directory.CreateDirectory(path, owner);
        File.SetUnixFileMode(path, owner);
#pragma warning restore CA1416
    }

    /// <summary>Sets the file mode mask of the whole process; a socket has no mode of its own at creation.</summary>
    /// <returns>The old mask.</returns>
    public static uint SetFileModeMask(uint mask) => LibC.umask(mask);
}
