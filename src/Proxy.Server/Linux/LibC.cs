using System.Runtime.InteropServices;

namespace Proxy.Server.Linux;

/// <summary>Any thread. The system calls that the loops use. Callers read <see cref="Errno.Last"/> at once after a failure.</summary>
internal static unsafe partial class LibC
{
    private const string Name = "libc";

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int close(int fd);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint read(int fd, void* buffer, nuint length);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint write(int fd, void* buffer, nuint length);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int epoll_create1(int flags);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int epoll_ctl(int epoll, int operation, int fd, byte* epollEvent);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int epoll_wait(int epoll, byte* events, int maxEvents, int timeoutMs);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int eventfd(uint initial, int flags);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int timerfd_create(int clock, int flags);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int timerfd_settime(int fd, int flags, TimerSpec* value, TimerSpec* old);

    /// <summary>A vDSO call of some 20 ns: it neither blocks nor enters the kernel, so the collector need not be told.</summary>
    [LibraryImport(Name)]
    [SuppressGCTransition]
    internal static partial int clock_gettime(int clock, TimeSpec* value);

    [LibraryImport(Name)]
    internal static partial int clock_nanosleep(int clock, int flags, TimeSpec* until, TimeSpec* rest);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int prctl(int option, nint value, nint unused3, nint unused4, nint unused5);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int socket(int family, int type, int protocol);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int bind(int fd, byte* address, uint length);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int connect(int fd, byte* address, uint length);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int getsockname(int fd, byte* address, uint* length);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int setsockopt(int fd, int level, int option, void* value, uint length);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint recvfrom(int fd, void* buffer, nuint length, int flags, byte* address, uint* addressLength);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint sendto(int fd, void* buffer, nuint length, int flags, byte* address, uint addressLength);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint recvmsg(int fd, MessageHeader* message, int flags);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint sendmsg(int fd, MessageHeader* message, int flags);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int recvmmsg(int fd, BatchHeader* messages, uint count, int flags, TimeSpec* timeout);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int sendmmsg(int fd, BatchHeader* messages, uint count, int flags);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int sched_setaffinity(int thread, nuint bytes, void* mask);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int sched_setscheduler(int thread, int policy, int* priority);

    [LibraryImport(Name)]
    internal static partial int sched_getscheduler(int thread);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int setpriority(int which, uint who, int nice);

    [LibraryImport(Name)]
    internal static partial int gettid();

    [LibraryImport(Name)]
    internal static partial uint geteuid();

    [LibraryImport(Name)]
    internal static partial uint umask(uint mask);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int setenv(string name, string value, int overwrite);
}

/// <summary>struct timespec.</summary>
internal struct TimeSpec
{
    public long Seconds;
    public long Nanos;
}

/// <summary>struct itimerspec.</summary>
internal struct TimerSpec
{
    public TimeSpec Interval;
    public TimeSpec Value;
}

/// <summary>struct iovec.</summary>
internal unsafe struct IoVector
{
    public void* Base;
    public nuint Length;
}

/// <summary>struct msghdr of 64-bit Linux.</summary>
internal unsafe struct MessageHeader
{
    public byte* Name;
    public uint NameLength;
    public IoVector* Vectors;
    public nuint VectorCount;
    public byte* Control;
    public nuint ControlLength;
    public int Flags;
}

/// <summary>struct mmsghdr.</summary>
internal struct BatchHeader
{
    public MessageHeader Header;
#pragma warning disable CS0649 // the kernel writes it
    public uint Length;
#pragma warning restore CS0649
}
