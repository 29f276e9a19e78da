using System.Collections;
using System.Collections.Generic;
using Proxy.Policy.Numbers;
using Wire = Proxy.LiveKit.Protocol;

namespace Proxy.Server.Store;

/// <summary>Any thread; immutable. Stored phone numbers as the policy's own values, each made when it is looked at, and the stock made of them.</summary>
internal sealed class InventoryNumbers : IReadOnlyCollection<PhoneNumber>
{
    private readonly MessageMap<Wire.PhoneNumber> _all;

    public InventoryNumbers(MessageMap<Wire.PhoneNumber> all)
    {
        _all = all;
        Stock = NumberStock.Of(this);
    }

    public NumberStock Stock { get; }

    public int Count => _all.Count;

    public IEnumerator<PhoneNumber> GetEnumerator()
    {
        foreach ((string id, Wire.PhoneNumber info) in _all)
        {
            yield return ObjectConversion.ToNumber(info) with { Id = id };
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
