using System;
using Proxy.Core.Net;

namespace Proxy.Sip.Targets;

/// <summary>Any thread. One place that a request can be sent to.</summary>
/// <param name="Transport">UDP or TCP.</param>
/// <param name="Remote">Address and port.</param>
public readonly record struct SipTarget(SipTransport Transport, NetEndPoint Remote)
{
    internal bool IsIn(ReadOnlySpan<SipTarget> list)
    {
        foreach (ref readonly SipTarget one in list)
        {
            if (one == this)
            {
                return true;
            }
        }
        return false;
    }
}
