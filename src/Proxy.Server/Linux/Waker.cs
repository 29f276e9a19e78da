using System;
using System.Threading;
using Proxy.Core.Diagnostics;

namespace Proxy.Server.Linux;

/// <summary>Any thread. Ends a loop's sleep: an eventfd that is written once however many ask before the loop looks.</summary>
public sealed unsafe class Waker : IDisposable
{
    private int _isPending;
    private int _fd;

    public Waker()
    {
        _fd = LibC.eventfd(0, 0x80000 | 0x800);
        if (_fd < 0)
        {
            throw Errno.Failed("eventfd");
        }
    }

    internal int Fd => _fd;

    /// <summary>Any thread. What was put into a ring before this call is seen by the loop's next turn.</summary>
    [NoAlloc]
    public void Wake()
    {
        if (Interlocked.Exchange(ref _isPending, 1) == 0)
        {
            ulong one = 1;
            LibC.write(_fd, &one, sizeof(ulong));
        }
    }

    /// <summary>Loop only. Must come before the rings are drained: who asks later writes again.</summary>
    [NoAlloc]
    internal void Acknowledge()
    {
        ulong count;
        LibC.read(_fd, &count, sizeof(ulong));
        Interlocked.Exchange(ref _isPending, 0);
    }

    public void Dispose()
    {
        if (_fd >= 0)
        {
            LibC.close(_fd);
            _fd = -1;
        }
    }
}
