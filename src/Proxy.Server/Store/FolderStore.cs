using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Proxy.Core.Net;
using Proxy.LiveKit.ProtoJson;
using Proxy.Policy;
using Wire = Proxy.LiveKit.Protocol;

namespace Proxy.Server.Store;

/// <summary>
/// Any thread reads; loads and changes are one after the other. Policy in a folder: <c>trunks outbound rules numbers</c> with one
/// object a file, our additions in <c>x/ID.json</c> or in an object's <c>x</c> member. A file that cannot be read is refused as a whole and
/// what it last held stays in force; a change over the API is on the disk before any call sees it.
/// </summary>
public sealed class FolderStore : IObjectStore
{
    private const string ExtrasFolder = "x";

    private readonly string _folder;
    private readonly FolderStoreSettings _settings;
    private readonly Dictionary<string, Loaded> _files = [];
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly NumberFiles _numbers = new();
    private State _state = new(StoredObjects.Empty, PolicySnapshot.Empty, []);

    private FolderStore(string folder, FolderStoreSettings settings)
    {
        _folder = folder;
        _settings = settings;
    }

    public PolicySnapshot Current => Volatile.Read(ref _state).Snapshot;

    public StoredObjects Objects => Volatile.Read(ref _state).Objects;

    /// <summary>Errors of the last load, each <c>file:line: sentence</c>.</summary>
    public IReadOnlyList<string> Errors => Volatile.Read(ref _state).Errors;

    /// <summary>Reads the folder once. Never throws for what the files hold; look at <see cref="Errors"/>.</summary>
    public static FolderStore Open(string folder, FolderStoreSettings settings)
    {
        var store = new FolderStore(folder, settings);
        store.Reload();
        return store;
    }

    /// <summary>Reads what changed and swaps the snapshot.</summary>
    /// <returns>Whether anything changed.</returns>
    public bool Reload()
    {
        _changing.Wait();
        try
        {
            return Load();
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Swaps the snapshot although no file changed: host names have other addresses now.</summary>
    public void Rebuild()
    {
        _changing.Wait();
        try
        {
            Swap();
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Looks for changes each interval until cancelled; <paramref name="changed"/> hears of every swap.</summary>
    public async Task WatchAsync(TimeSpan interval, Action<FolderStore> changed, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(interval);
        while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
        {
            if (Reload())
            {
                changed(this);
            }
        }
    }

    public async Task ChangeAsync(Func<StoredObjects, ObjectChange?> decide, CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (decide(Objects) is { } change)
            {
                Persist(change);
                Load();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ObjectStoreException("the policy folder could not be written", e);
        }
        finally
        {
            _changing.Release();
        }
    }

    public async Task<int> ImportAsync(IReadOnlyList<Wire.PhoneNumber> numbers, CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            Load();
            IReadOnlyList<Wire.PhoneNumber> added = Objects.Unknown(numbers);
            if (added.Count > 0)
            {
                // One file a stock: a file a number would be a hundred thousand files. A number that changes gets a file of its own later.
                DurableFile.Write(FreePath(), ListOf(added));
                Load();
            }
            return added.Count;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ObjectStoreException("the policy folder could not be written", e);
        }
        finally
        {
            _changing.Release();
        }
    }

    private string FreePath()
    {
        for (int i = 1; ; i++)
        {
            string path = Path.Combine(_folder, "numbers", $"import-{i}.json");
            if (!File.Exists(path))
            {
                return path;
            }
        }
    }

    private static byte[] ListOf(IReadOnlyList<Wire.PhoneNumber> numbers)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var json = new System.Text.Json.Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("items");
            foreach (Wire.PhoneNumber number in numbers)
            {
                ProtoJson.Write(json, number, ProtoJsonStyle.Camel);
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private void Persist(ObjectChange change)
    {
        if (change.Id.AsSpan().ContainsAny("/\\\0") || change.Id.StartsWith('.'))
        {
            throw new ObjectStoreException($"id {change.Id} cannot name a file");
        }
        string path = PathOf(change.Kind, change.Id, change.Message is null, out string? inlineExtras);
        string extrasPath = Path.Combine(_folder, ExtrasFolder, change.Id + ".json");
        ReadAgain(path);
        ReadAgain(extrasPath);
        if (change.Message is null)
        {
            Remove(path);
            Remove(extrasPath);
            return;
        }
        string? extras = change.Extras ?? inlineExtras;
        if (extras is not null)
        {
            DurableFile.Write(extrasPath, Encoding.UTF8.GetBytes(extras));
        }
        DurableFile.Write(path, Json(change.Message));
    }

    /// <summary>Deleting in a folder that is not there would be an error.</summary>
    private static void Remove(string path)
    {
        if (File.Exists(path))
        {
            File.Delete(path);
        }
    }

    /// <summary>Two changes within one tick of the file system's clock may have one size: the next load must not trust the stamp.</summary>
    private void ReadAgain(string path)
    {
        if (_files.TryGetValue(path, out Loaded? file))
        {
            _files[path] = file with { Stamp = default };
        }
    }

    /// <summary>The file that holds an object alone, or one named after its id: what stands with others in a list is overridden from there.</summary>
    private string PathOf(ObjectKind kind, string id, bool isRemoval, out string? inlineExtras)
    {
        inlineExtras = null;
        string? own = null;
        string? list = null;
        foreach ((string path, Loaded file) in _files)
        {
            bool isThere = kind == ObjectKind.Number && file.Good.Numbers.ContainsKey(id);
            foreach (FileObject held in file.Good.Objects)
            {
                bool isMeant = held.Kind == kind && held.Id == id;
                inlineExtras ??= isMeant ? held.Extras : null;
                isThere |= isMeant && held.Message is not null;
            }
            if (isThere)
            {
                own = file.Good.Count == 1 ? path : own;
                list = file.Good.Count == 1 ? list : Path.GetRelativePath(_folder, path);
            }
        }
        if (list is not null && isRemoval)
        {
            throw new ObjectStoreException($"{id} stands with others in {list}: remove it there");
        }
        string folder = Array.Find(PolicyFile.Folders, f => f.Kind == kind).Folder;
        return own ?? Path.Combine(_folder, folder, id + ".json");
    }

    private static byte[] Json(IMessage message) => message switch
    {
        Wire.SIPInboundTrunkInfo trunk => ProtoJson.Write(trunk, ProtoJsonStyle.Camel),
        Wire.SIPOutboundTrunkInfo trunk => ProtoJson.Write(trunk, ProtoJsonStyle.Camel),
        Wire.SIPDispatchRuleInfo rule => ProtoJson.Write(rule, ProtoJsonStyle.Camel),
        Wire.PhoneNumber number => ProtoJson.Write(number, ProtoJsonStyle.Camel),
        _ => throw new ObjectStoreException("this kind of object is not stored"),
    };

    private bool Load()
    {
        bool isChanged = false;
        HashSet<string> present = [];
        foreach ((string folder, ObjectKind kind) in PolicyFile.Folders)
        {
            foreach (string path in FilesOf(folder))
            {
                present.Add(path);
                isChanged |= LoadFile(path, (name, shown, bytes) => PolicyFile.Read(kind, name, shown, bytes));
            }
        }
        foreach (string path in FilesOf(ExtrasFolder))
        {
            present.Add(path);
            isChanged |= LoadFile(path, (name, shown, bytes) => ExtrasFile.Read(name, shown, bytes));
        }
        foreach (string path in new List<string>(_files.Keys))
        {
            isChanged |= !present.Contains(path) && _files.Remove(path);
        }
        if (isChanged || Current.Version == 0)
        {
            Swap();
        }
        return isChanged;
    }

    private string[] FilesOf(string folder)
    {
        string path = Path.Combine(_folder, folder);
        string[] files = Directory.Exists(path) ? Directory.GetFiles(path, "*.json") : [];
        Array.Sort(files, string.CompareOrdinal);
        return files;
    }

    private bool LoadFile(string path, Func<string, string, byte[], PolicyFile> read)
    {
        string shown = Path.GetRelativePath(_folder, path);
        _files.TryGetValue(path, out Loaded? old);
        try
        {
            var info = new FileInfo(path);
            (DateTime, long) stamp = (info.LastWriteTimeUtc, info.Length);
            if (old is not null && old.Stamp == stamp)
            {
                return false;
            }
            PolicyFile file = read(Path.GetFileNameWithoutExtension(path), shown, File.ReadAllBytes(path));
            _files[path] = new Loaded(stamp, file.Errors.Count == 0 ? file : old?.Good ?? PolicyFile.None, file.Errors);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _files[path] = new Loaded(default, old?.Good ?? PolicyFile.None, [$"{shown}:1: {e.Message}"]);
        }
        return true;
    }

    private void Swap()
    {
        List<string> errors = [];
        var paths = new List<string>(_files.Keys);
        paths.Sort(string.CompareOrdinal);
        StoredObjects objects = StoredObjects.Empty with
        {
            Numbers = _numbers.Merge(paths.ConvertAll(path => (Path.GetRelativePath(_folder, path), _files[path].Good)), errors),
        };
        var owners = new Dictionary<(ObjectKind, string), string>();
        foreach (string path in paths)
        {
            errors.AddRange(_files[path].Errors);
            foreach (FileObject held in _files[path].Good.Objects)
            {
                string shown = Path.GetRelativePath(_folder, path);
                if (held.Message is not null && !Owns(owners, held, shown, errors))
                {
                    continue;
                }
                objects = held.Message is null ? objects : objects.With(held.Kind, held.Id, held.Message);
                objects = held.Extras is null ? objects : objects with { Extras = objects.Extras.SetItem(held.Id, held.Extras) };
            }
        }
        PolicyObjects policy = objects.ToPolicy(_settings.Compat, _settings.InterconnectAddresses, _settings.ResolvedHosts());
        Volatile.Write(ref _state, new State(objects, PolicySnapshot.Build(policy, Current.Version + 1), errors));
    }

    /// <summary>A file named after an object's id holds its newest state and goes before a list that holds it too (an imported stock of numbers).</summary>
    private static bool Owns(Dictionary<(ObjectKind, string), string> owners, FileObject held, string shown, List<string> errors)
    {
        (ObjectKind, string) key = (held.Kind, held.Id);
        if (!owners.TryGetValue(key, out string? first) || IsNamedAfter(shown, held.Id))
        {
            owners[key] = shown;
            return true;
        }
        if (!IsNamedAfter(first, held.Id))
        {
            errors.Add($"{shown}:1: {held.Id} stands in {first} too; that one counts");
        }
        return false;
    }

    internal static bool IsNamedAfter(string path, string id) => string.Equals(Path.GetFileNameWithoutExtension(path), id, StringComparison.Ordinal);

    private sealed record Loaded((DateTime, long) Stamp, PolicyFile Good, IReadOnlyList<string> Errors);

    private sealed record State(StoredObjects Objects, PolicySnapshot Snapshot, IReadOnlyList<string> Errors);
}

/// <summary>Any thread. What the folder store takes from the configuration.</summary>
public sealed record FolderStoreSettings
{
    public Compat Compat { get; init; } = Compat.Strict;

    /// <summary><c>interconnect.allowed_addresses</c>.</summary>
    public string[] InterconnectAddresses { get; init; } = [];

    /// <summary>Addresses of host names in allowed_addresses, as far as they are known.</summary>
    public Func<IReadOnlyDictionary<string, NetAddress[]>> ResolvedHosts { get; init; } = () => ReadOnlyDictionary<string, NetAddress[]>.Empty;
}
