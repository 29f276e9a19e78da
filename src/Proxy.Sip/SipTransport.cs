namespace Proxy.Sip;

/// <summary>Any thread. How a SIP message travels.</summary>
public enum SipTransport : byte
{
    Udp,
    Tcp,
    Tls,
}
