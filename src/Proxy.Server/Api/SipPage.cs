using System;
using System.Collections.Generic;
using Proxy.LiveKit.Protocol;

namespace Proxy.Server.Api;

/// <summary>One request. Which items of a sorted list a page holds: ids after <c>after_id</c>, at most <c>limit</c> (the stock server ignores the limit).</summary>
internal struct SipPage
{
    private readonly HashSet<string>? _ids;
    private readonly string _after;
    private int _left;

    public SipPage(Pagination? page, IReadOnlyCollection<string> ids)
    {
        _ids = ids.Count == 0 ? null : [.. ids];
        _after = page?.AfterId ?? "";
        _left = page is { Limit: > 0 } ? page.Limit : int.MaxValue;
    }

    public readonly bool Wants(string id) => string.CompareOrdinal(id, _after) > 0 && (_ids is null || _ids.Contains(id));

    /// <summary>Whether there is room for one more; counts it.</summary>
    public bool Takes() => _left-- > 0;
}
