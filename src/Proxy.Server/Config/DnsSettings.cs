using System.Collections.Generic;
using System.Net;
using Proxy.Core.Net;

namespace Proxy.Server.Config;

/// <summary>Main thread. Reads <c>dns_servers</c>.</summary>
internal static class DnsSettings
{
    private const int DnsPort = 53;

    /// <returns>Empty: the machine's own servers.</returns>
    public static IReadOnlyList<IPEndPoint> Read(YamlSection top)
    {
        var servers = new List<IPEndPoint>();
        foreach (string text in top.Texts("dns_servers"))
        {
            if (NetAddress.TryParse(text, out NetAddress address))
            {
                servers.Add(new IPEndPoint(address.ToIPAddress(), DnsPort));
            }
            else if (NetEndPoint.TryParse(text, out NetEndPoint server) && server.Port > 0)
            {
                servers.Add(new IPEndPoint(server.Address.ToIPAddress(), server.Port));
            }
            else
            {
                top.Error("dns_servers", $"'{text}' is not an address such as 192.0.2.53 or 127.0.0.1:5353");
            }
        }
        return servers;
    }
}
