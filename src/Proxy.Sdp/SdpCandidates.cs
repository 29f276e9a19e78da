using System;
using Proxy.Core.Net;

namespace Proxy.Sdp;

/// <summary>One owner. One ICE candidate, borrowed.</summary>
/// <remarks>RFC 8839 §5.1: <c>foundation component transport priority address port typ type [raddr a rport p] …</c></remarks>
public readonly ref struct SdpCandidate
{
    private SdpCandidate(ReadOnlySpan<byte> foundation, byte component, ReadOnlySpan<byte> transport, uint priority, ReadOnlySpan<byte> host,
        ushort port, ReadOnlySpan<byte> type, ReadOnlySpan<byte> extensions)
    {
        Foundation = foundation;
        Component = component;
        Transport = transport;
        Priority = priority;
        Host = host;
        NetAddress.TryParse(host, out NetAddress address);
        EndPoint = address.IsSet ? new NetEndPoint(address, port) : default;
        Port = port;
        Type = type;
        Extensions = extensions;
    }

    public ReadOnlySpan<byte> Foundation { get; }

    /// <summary>1 RTP, 2 RTCP.</summary>
    public byte Component { get; }

    /// <summary><c>udp</c> or <c>tcp</c> in any case.</summary>
    public ReadOnlySpan<byte> Transport { get; }

    public bool IsUdp => SdpText.EqualsIgnoreCase(Transport, "udp"u8);

    public uint Priority { get; }

    /// <summary>The connection address as written: a literal or an mDNS name.</summary>
    public ReadOnlySpan<byte> Host { get; }

    public ushort Port { get; }

    /// <summary>Address and port; not set when <see cref="Host"/> is a name.</summary>
    public NetEndPoint EndPoint { get; }

    /// <summary><c>host</c>, <c>srflx</c>, <c>prflx</c> or <c>relay</c>.</summary>
    public ReadOnlySpan<byte> Type { get; }

    /// <summary>Name and value pairs behind the type.</summary>
    public ReadOnlySpan<byte> Extensions { get; }

    /// <summary>Reads the value of <c>a=candidate:</c>; an <c>a=</c> and <c>candidate:</c> in front are taken too.</summary>
    public static bool TryParse(ReadOnlySpan<byte> value, out SdpCandidate candidate)
    {
        candidate = default;
        if (value.StartsWith("a="u8))
        {
            value = value[2..];
        }
        if (value.StartsWith("candidate:"u8))
        {
            value = value[10..];
        }
        ReadOnlySpan<byte> foundation = SdpText.NextWord(ref value);
        bool isComponent = SdpText.TryNumber(SdpText.NextWord(ref value), out uint component) && component is >= 1 and <= 255;
        ReadOnlySpan<byte> transport = SdpText.NextWord(ref value);
        bool isPriority = SdpText.TryNumber(SdpText.NextWord(ref value), out uint priority);
        ReadOnlySpan<byte> host = SdpText.NextWord(ref value);
        bool isPort = SdpText.TryPort(SdpText.NextWord(ref value), out ushort port);
        bool isTyp = SdpText.NextWord(ref value).SequenceEqual("typ"u8);
        ReadOnlySpan<byte> type = SdpText.NextWord(ref value);
        if (foundation.IsEmpty || !isComponent || !isPriority || host.IsEmpty || !isPort || !isTyp || type.IsEmpty)
        {
            return false;
        }
        candidate = new SdpCandidate(foundation, (byte)component, transport, priority, host, port, type, value);
        return true;
    }

    /// <summary>Finds an extension, such as <c>tcptype</c>, <c>raddr</c> or <c>ufrag</c>.</summary>
    /// <returns>Its value, or empty.</returns>
    public ReadOnlySpan<byte> Extension(ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> rest = Extensions;
        while (!rest.IsEmpty)
        {
            ReadOnlySpan<byte> key = SdpText.NextWord(ref rest);
            ReadOnlySpan<byte> value = SdpText.NextWord(ref rest);
            if (key.SequenceEqual(name))
            {
                return value;
            }
        }
        return default;
    }
}

/// <summary>One owner. Walks the candidates of a section.</summary>
public ref struct SdpCandidates
{
    private SdpAttributes _attributes;
    private int _left;

    internal SdpCandidates(ReadOnlySpan<byte> section)
    {
        _attributes = new SdpAttributes(section, "candidate"u8);
        _left = SdpView.MaxCandidates;
    }

    public SdpCandidate Current { get; private set; }

    public readonly SdpCandidates GetEnumerator() => this;

    public bool MoveNext()
    {
        while (_left > 0 && _attributes.MoveNext())
        {
            _left--;
            if (SdpCandidate.TryParse(_attributes.Value, out SdpCandidate candidate))
            {
                Current = candidate;
                return true;
            }
        }
        return false;
    }
}
