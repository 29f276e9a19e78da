using System;
using Proxy.Sip.Framing;
using Xunit;

namespace Proxy.Sip.Tests.Framing;

public sealed class FirstBytesTests
{
    [Fact]
    public void Datagrams_on_the_sip_port_are_told_apart()
    {
        Assert.Equal(DatagramKind.Sip, FirstBytes.Classify("OPTIONS sip:a@b SIP/2.0\r\n\r\n"u8));
        Assert.Equal(DatagramKind.Sip, FirstBytes.Classify("\r\nOPTIONS sip:a@b SIP/2.0\r\n\r\n"u8));
        Assert.Equal(DatagramKind.KeepAlive, FirstBytes.Classify("\r\n\r\n"u8));
        Assert.Equal(DatagramKind.KeepAlive, FirstBytes.Classify(default));
        Assert.Equal(DatagramKind.KeepAlive, FirstBytes.Classify("\0\0\0\0"u8));
        Assert.Equal(DatagramKind.Stun, FirstBytes.Classify([0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
        Assert.Equal(DatagramKind.Garbage, FirstBytes.Classify([0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        Assert.Equal(DatagramKind.Garbage, FirstBytes.Classify("hello"u8));
    }
}
