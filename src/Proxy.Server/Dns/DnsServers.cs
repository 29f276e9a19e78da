using System;
using System.Collections.Generic;
using System.IO;
using System.Net;

namespace Proxy.Server.Dns;

/// <summary>Any thread. The servers that the machine itself asks.</summary>
public static class DnsServers
{
    private const int Most = 3;
    private const int DnsPort = 53;

    /// <summary>Reads the <c>nameserver</c> lines; without any the machine's own server, as resolv.conf(5) says.</summary>
    public static IPEndPoint[] Read(string path = "/etc/resolv.conf")
    {
        var servers = new List<IPEndPoint>(Most);
        try
        {
            foreach (string line in File.ReadLines(path))
            {
                string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
                if (words.Length >= 2 && words[0] == "nameserver" && IPAddress.TryParse(words[1], out IPAddress? address) && servers.Count < Most)
                {
                    servers.Add(new IPEndPoint(address, DnsPort));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // As if it were empty.
        }
        return servers.Count > 0 ? [.. servers] : [new IPEndPoint(IPAddress.Loopback, DnsPort)];
    }
}
