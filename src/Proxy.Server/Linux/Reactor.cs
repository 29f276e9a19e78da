using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Proxy.Core.Diagnostics;
using Proxy.Core.Time;

namespace Proxy.Server.Linux;

/// <summary>One loop. Sleeps until a descriptor is ready, a deadline has come, or another thread wakes it (epoll, timerfd, eventfd).</summary>
/// <remarks>
/// Level-triggered: a descriptor that was not drained is reported again. The timerfd is there because epoll_wait counts
/// in milliseconds and a 20 ms grid needs better.
/// </remarks>
public sealed unsafe class Reactor : IDisposable
{
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int Add = 1;
    private const int Delete = 2;
    private const int Modify = 3;
    private const int TimerAbsolute = 1;
    private const uint In = 1;
    private const uint Out = 4;
    private const ulong TimerToken = ulong.MaxValue;
    private const ulong WakeToken = ulong.MaxValue - 1;

    private readonly byte* _events;
    private readonly ulong* _ready;
    private readonly int _capacity;
    private readonly int _epoll;
    private readonly int _timer;
    private MonoTime _armed = MonoTime.Never;
    private bool _hasExpired;
    private bool _isDisposed;

    /// <param name="capacity">Most descriptors reported by one <see cref="Wait"/>; the rest follow in the next.</param>
    public Reactor(int capacity = 512)
    {
        _capacity = capacity;
        _events = (byte*)NativeMemory.AllocZeroed((nuint)(capacity + 2), 16);
        _ready = (ulong*)NativeMemory.AllocZeroed((nuint)(capacity + 2), sizeof(ulong));
        _epoll = LibC.epoll_create1(CloseOnExec);
        _timer = LibC.timerfd_create(Clock.Monotonic, CloseOnExec | NonBlocking);
        if (_epoll < 0 || _timer < 0)
        {
            throw Errno.Failed("epoll_create1 or timerfd_create");
        }
        Waker = new Waker();
        Control(Add, _timer, TimerToken, In);
        Control(Add, Waker.Fd, WakeToken, In);
    }

    // struct epoll_event is packed on x86-64 only: 4 bytes of flags, then the token at offset 4 there and 8 elsewhere.
    private static int TokenOffset => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    private static int EventSize => TokenOffset + 8;

    /// <summary>Any thread. Ends the sleep; given to every <see cref="Mailbox{T}"/> that this loop reads.</summary>
    public Waker Waker { get; }

    /// <summary>Most descriptors reported at once.</summary>
    public int Capacity => _capacity;

    /// <summary>Descriptors watched, without the reactor's own two.</summary>
    public int Watched { get; private set; }

    /// <summary>Watches a descriptor for something to read.</summary>
    /// <param name="token">Given back by <see cref="Ready"/>; the two highest values are taken.</param>
    public void Watch(int fd, ulong token)
    {
        Control(Add, fd, token, In);
        Watched++;
    }

    /// <summary>Watches for room to write as well, or no longer.</summary>
    public void WatchWritable(int fd, ulong token, bool isWanted) => Control(Modify, fd, token, isWanted ? In | Out : In);

    /// <summary>No longer watched; call before closing it.</summary>
    public void Forget(int fd)
    {
        Control(Delete, fd, 0, 0);
        Watched--;
    }

    /// <summary>Sleeps until something is ready, <paramref name="deadline"/> has come, or <see cref="Waker"/> was used.</summary>
    /// <param name="deadline">Not slept past; <see cref="MonoTime.Never"/> waits for the others.</param>
    /// <param name="now">The time the loop last read.</param>
    /// <returns>How many tokens <see cref="Ready"/> holds; 0 when only time passed or a mailbox has something.</returns>
    [NoAlloc]
    public int Wait(MonoTime deadline, MonoTime now)
    {
        int timeoutMs = -1;
        if (deadline <= now)
        {
            timeoutMs = 0;
        }
        else if (deadline != _armed || _hasExpired)
        {
            Arm(deadline);
        }
        return Collect(timeoutMs);
    }

    /// <summary>As <see cref="Wait"/>, for a loop that looks at its descriptors in step with its grid: sleeps until <paramref name="moment"/>
    /// whatever comes, then takes what is ready.</summary>
    /// <remarks>One wake-up serves what has gathered; the timer of <see cref="Wait"/> need not be set.</remarks>
    [NoAlloc]
    public int Nap(MonoTime moment)
    {
        Clock.SleepUntil(moment);
        return Collect(0);
    }

    /// <summary>The token of a ready descriptor, 0 ≤ <paramref name="index"/> &lt; what <see cref="Wait"/> returned. It may have been
    /// forgotten since, by work on an earlier one: tokens carry a generation, or are looked up.</summary>
    [NoAlloc]
    public ulong Ready(int index) => _ready[index];

    private int Collect(int timeoutMs)
    {
        int count = LibC.epoll_wait(_epoll, _events, _capacity + 2, timeoutMs);
        if (count < 0)
        {
            // Interrupted by a signal: the loop comes round and asks again.
            return 0;
        }
        int ready = 0;
        for (int i = 0; i < count; i++)
        {
            ulong token = Unsafe.ReadUnaligned<ulong>(_events + (i * EventSize) + TokenOffset);
            if (token == WakeToken)
            {
                Waker.Acknowledge();
            }
            else if (token == TimerToken)
            {
                // The next sleep sets the next deadline, which clears this one.
                _hasExpired = true;
            }
            else
            {
                _ready[ready++] = token;
            }
        }
        return ready;
    }

    private void Arm(MonoTime deadline)
    {
        TimerSpec spec = default;
        if (!deadline.IsNever)
        {
            long micros = Math.Max(deadline.Micros, 1);
            spec.Value.Seconds = micros / 1_000_000;
            spec.Value.Nanos = micros % 1_000_000 * 1000;
        }
        LibC.timerfd_settime(_timer, TimerAbsolute, &spec, null);
        _armed = deadline;
        _hasExpired = false;
    }

    private void Control(int operation, int fd, ulong token, uint flags)
    {
        byte* entry = stackalloc byte[16];
        *(uint*)entry = flags;
        Unsafe.WriteUnaligned(entry + TokenOffset, token);
        if (LibC.epoll_ctl(_epoll, operation, fd, entry) < 0)
        {
            throw Errno.Failed("epoll_ctl");
        }
    }

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }
        _isDisposed = true;
        Waker.Dispose();
        LibC.close(_timer);
        LibC.close(_epoll);
        NativeMemory.Free(_events);
        NativeMemory.Free(_ready);
    }
}
