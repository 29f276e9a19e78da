using System;
using System.IO;
using System.Net.Sockets;
using System.Text;

namespace Proxy.Server.Linux;

/// <summary>Any thread. Tells systemd how far this service is (sd_notify(3)); where no service manager asked for it, nothing happens.</summary>
/// <param name="address">What NOTIFY_SOCKET holds: a path, or @ and a name without a file; null where nobody asks.</param>
public sealed class ServiceManager(string? address)
{
    private readonly string _address = address ?? "";

    /// <summary>Calls are taken.</summary>
    /// <param name="status">One line for systemctl status.</param>
    public void Ready(string status) => Tell($"READY=1\nSTATUS={status}");

    /// <summary>No more calls are taken; the process ends when the last one is over.</summary>
    public void Stopping(string status) => Tell($"STOPPING=1\nSTATUS={status}");

    private void Tell(string state)
    {
        if (_address.Length < 2 || _address[0] is not ('/' or '@'))
        {
            return;
        }
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(_address[0] == '@' ? '\0' + _address[1..] : _address));
        }
        catch (Exception e) when (e is SocketException or IOException or ArgumentException)
        {
            // A manager that does not listen must not end a node that takes calls.
        }
    }
}
