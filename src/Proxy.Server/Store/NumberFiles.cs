using System;
using System.Collections.Generic;
using System.Linq;
using Wire = Proxy.LiveKit.Protocol;

namespace Proxy.Server.Store;

/// <summary>
/// One owner. The phone numbers of all files of a folder in one map, made again only when one of the files changed. A number counts where a file is named
/// after it, else in the first file that holds it.
/// </summary>
internal sealed class NumberFiles
{
    private List<(string Path, MessageMap<Wire.PhoneNumber> Numbers)> _parts = [];
    private MessageMap<Wire.PhoneNumber> _merged = PolicyFile.None.Numbers;
    private List<string> _errors = [];

    /// <param name="files">By path, in ordinal order.</param>
    /// <param name="errors">Hears of numbers that stand in two places.</param>
    public MessageMap<Wire.PhoneNumber> Merge(IEnumerable<(string Path, PolicyFile File)> files, List<string> errors)
    {
        List<(string Path, MessageMap<Wire.PhoneNumber> Numbers)> parts = [];
        List<string> found = [];
        foreach ((string path, PolicyFile file) in files)
        {
            if (file.Numbers.Count > 0)
            {
                parts.Add((path, file.Numbers));
                found.AddRange(file.Repeated.Select(id => Twice(path, id, path)));
            }
        }
        if (!parts.SequenceEqual(_parts))
        {
            _merged = parts.Count == 0 ? PolicyFile.None.Numbers : Merge(parts, found);
            (_parts, _errors) = (parts, found);
        }
        errors.AddRange(_errors);
        return _merged;
    }

    /// <summary>The largest file is taken as it is; what the others say differently is put upon it.</summary>
    private static MessageMap<Wire.PhoneNumber> Merge(List<(string Path, MessageMap<Wire.PhoneNumber> Numbers)> parts, List<string> errors)
    {
        (string Path, MessageMap<Wire.PhoneNumber> Numbers) largest = parts.MaxBy(part => part.Numbers.Count);
        var owners = new Dictionary<string, string>();
        var others = new Dictionary<string, MessageMap<Wire.PhoneNumber>>();
        foreach ((string path, MessageMap<Wire.PhoneNumber> numbers) in parts)
        {
            foreach (string id in path == largest.Path ? [] : numbers.Keys)
            {
                string? first = owners.GetValueOrDefault(id) ?? (largest.Numbers.ContainsKey(id) ? largest.Path : null);
                bool isTaken = first is null || FolderStore.IsNamedAfter(path, id);
                if (!isTaken && !FolderStore.IsNamedAfter(first!, id))
                {
                    isTaken = string.CompareOrdinal(path, first) < 0;
                    errors.Add(isTaken ? Twice(first!, id, path) : Twice(path, id, first!));
                }
                if (isTaken)
                {
                    (owners[id], others[id]) = (path, numbers);
                }
            }
        }
        List<KeyValuePair<string, ReadOnlyMemory<byte>>> differing = [.. others.Select(other => KeyValuePair.Create(other.Key, other.Value.Bytes(other.Key)))];
        return differing.Count == 0 ? largest.Numbers : largest.Numbers.WithAll(differing);
    }

    private static string Twice(string path, string id, string counts) => $"{path}:1: {id} stands in {counts} too; that one counts";
}
