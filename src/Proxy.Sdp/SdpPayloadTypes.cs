using System;

namespace Proxy.Sdp;

/// <summary>One owner. Walks the RTP payload types of an m= line; words that are no number 0–127 are skipped, and so is
/// what follows the first <see cref="MaxPayloadTypes"/> words: each one costs a walk over the attributes.</summary>
public ref struct SdpPayloadTypes
{
    /// <summary>Words read of one m= line.</summary>
    public const int MaxPayloadTypes = 64;

    private ReadOnlySpan<byte> _rest;
    private int _left;

    internal SdpPayloadTypes(ReadOnlySpan<byte> formats)
    {
        _rest = formats;
        _left = MaxPayloadTypes;
    }

    public byte Current { get; private set; }

    public readonly SdpPayloadTypes GetEnumerator() => this;

    public bool MoveNext()
    {
        while (_left > 0 && !_rest.IsEmpty)
        {
            _left--;
            if (SdpText.TryNumber(SdpText.NextWord(ref _rest), out uint number) && number <= 127)
            {
                Current = (byte)number;
                return true;
            }
        }
        return false;
    }
}
