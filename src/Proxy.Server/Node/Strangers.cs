using System;
using Proxy.Core;
using Proxy.Core.Net;
using Proxy.Server.Config;
using Proxy.Sip;
using Proxy.Sip.Guarding;

namespace Proxy.Server.Node;

/// <summary>Main thread. Who is no stranger to this node, and how strangers are treated.</summary>
internal static class Strangers
{
    /// <summary>Any thread may ask what it returns: addresses of trunks, trusted proxies, and with <c>--dev</c> the developer's own network.</summary>
    /// <param name="lists">Whether the policy lists an address.</param>
    public static Func<NetAddress, bool> Listed(ServerConfig config, Func<NetAddress, bool> lists) => address =>
    {
        if (config.IsDev && (address.IsLoopback || address.IsPrivate))
        {
            return true;
        }
        foreach (SipSourceRange proxy in config.TrustedProxies)
        {
            if (proxy.Contains(address))
            {
                return true;
            }
        }
        return lists(address);
    };

    public static SourceGuard Guard(ServerConfig config, Limits limits, Func<NetAddress, bool> isListed) =>
        new(GuardOptions.From(limits, isListed) with { Hides = config.HideInboundPort });
}
