using System;

namespace Proxy.Sdp;

/// <summary>One owner. Walks the <c>a=ssrc</c> lines of a section.</summary>
/// <remarks>RFC 5576 §4.1: <c>ssrc SP attribute[:value]</c>.</remarks>
public ref struct SdpSources
{
    private SdpAttributes _attributes;

    internal SdpSources(ReadOnlySpan<byte> section) => _attributes = new SdpAttributes(section, "ssrc"u8);

    /// <summary>This walker itself, standing on a line.</summary>
    public readonly SdpSources Current => this;

    public uint Ssrc { get; private set; }

    /// <summary><c>cname</c>, <c>msid</c>, …</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public readonly SdpSources GetEnumerator() => this;

    public bool MoveNext()
    {
        while (_attributes.MoveNext())
        {
            ReadOnlySpan<byte> rest = _attributes.Value;
            if (!SdpText.TryNumber(SdpText.NextWord(ref rest), out uint ssrc))
            {
                continue;
            }
            int colon = rest.IndexOf((byte)':');
            Ssrc = ssrc;
            Name = colon < 0 ? rest : rest[..colon];
            Value = colon < 0 ? default : rest[(colon + 1)..];
            return true;
        }
        return false;
    }
}
