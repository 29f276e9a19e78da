using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Proxy.Relay;

/// <summary>One thread. Speaks rtpengine's ng protocol: a cookie, a space and a dictionary each way, over UDP.</summary>
internal sealed class RtpEngine : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly byte[] _buffer = new byte[65536];
    private int _cookie;

    public RtpEngine(IPEndPoint engine)
    {
        _socket.Connect(engine);
        _socket.ReceiveTimeout = 500;
    }

    /// <summary>One command and its answer; asked again while nothing comes.</summary>
    /// <exception cref="IOException">No answer, or one that says no.</exception>
    public Dictionary<string, object> Ask(Dictionary<string, object> command)
    {
        string cookie = "c" + (++_cookie).ToString(CultureInfo.InvariantCulture);
        byte[] request = Encoding.Latin1.GetBytes(cookie + " " + Bencode.Write(command));
        for (int tried = 0; tried < 10; tried++)
        {
            try
            {
                _socket.Send(request);
                string answer = Encoding.Latin1.GetString(_buffer, 0, _socket.Receive(_buffer));
                if (answer.StartsWith(cookie + " ", StringComparison.Ordinal))
                {
                    return Check(command, (Dictionary<string, object>)Bencode.Read(answer[(cookie.Length + 1)..]));
                }
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.ConnectionRefused or SocketError.WouldBlock)
            {
                System.Threading.Thread.Sleep(100);
            }
        }
        throw new IOException("rtpengine does not answer");
    }

    public void Dispose() => _socket.Dispose();

    private static Dictionary<string, object> Check(Dictionary<string, object> command, Dictionary<string, object> answer) =>
        answer.GetValueOrDefault("result") is "ok" or "pong"
            ? answer
            : throw new IOException($"rtpengine refused '{command["command"]}': {answer.GetValueOrDefault("error-reason")}");
}
