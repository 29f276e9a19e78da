using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Sip.Parsing;

/// <summary>One owner. Walks the items of a comma-separated field value; empty items are passed over.</summary>
public ref struct SipValueEnumerator
{
    private ReadOnlySpan<byte> _rest;

    public SipValueEnumerator(ReadOnlySpan<byte> value)
    {
        _rest = value;
        Current = default;
    }

    /// <summary>Without surrounding white space.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    public readonly SipValueEnumerator GetEnumerator() => this;

    [NoAlloc]
    public bool MoveNext()
    {
        while (!_rest.IsEmpty)
        {
            int length = SipText.ItemLength(_rest);
            Current = SipText.Trim(_rest[..length]);
            _rest = length < _rest.Length ? _rest[(length + 1)..] : default;
            if (!Current.IsEmpty)
            {
                return true;
            }
        }
        return false;
    }
}
