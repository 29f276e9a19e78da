using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Policy;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;

namespace Proxy.Server.Store;

/// <summary>
/// Any thread reads <see cref="Current"/>; one task loads. Policy from a folder: <c>trunks/*.json rules/*.json numbers/*.json</c>.
/// A file that cannot be read is refused as a whole, and what it last held stays in force.
/// </summary>
public sealed class FolderStore : IRuleStore
{
    private static readonly string[] s_kinds = ["trunks", "rules", "numbers"];

    private readonly string _folder;
    private readonly FolderStoreSettings _settings;
    private readonly Dictionary<string, Loaded> _files = [];
    private readonly SemaphoreSlim _loading = new(1, 1);
    private PolicySnapshot _current = PolicySnapshot.Empty;

    private FolderStore(string folder, FolderStoreSettings settings)
    {
        _folder = folder;
        _settings = settings;
    }

    public PolicySnapshot Current => Volatile.Read(ref _current);

    /// <summary>Errors of the last load, each <c>file:line: sentence</c>.</summary>
    public IReadOnlyList<string> Errors { get; private set; } = [];

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
        _loading.Wait();
        try
        {
            return Load();
        }
        finally
        {
            _loading.Release();
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

    private bool Load()
    {
        bool isChanged = false;
        HashSet<string> present = [];
        foreach (string kind in s_kinds)
        {
            string folder = Path.Combine(_folder, kind);
            if (!Directory.Exists(folder))
            {
                continue;
            }
            string[] paths = Directory.GetFiles(folder, "*.json");
            Array.Sort(paths, string.CompareOrdinal);
            foreach (string path in paths)
            {
                present.Add(path);
                isChanged |= LoadFile(kind, path);
            }
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

    private bool LoadFile(string kind, string path)
    {
        try
        {
            var info = new FileInfo(path);
            (DateTime, long) stamp = (info.LastWriteTimeUtc, info.Length);
            bool isKnown = _files.TryGetValue(path, out Loaded? old);
            if (isKnown && old!.Stamp == stamp)
            {
                return false;
            }
            string shown = Path.GetRelativePath(_folder, path);
            PolicyFile read = PolicyFile.Read(kind, Path.GetFileNameWithoutExtension(path), shown, File.ReadAllBytes(path));
            PolicyFile good = read.Errors.Count == 0 ? read : old?.Good ?? new PolicyFile();
            _files[path] = new Loaded(stamp, good, read.Errors);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _files[path] = new Loaded(default, _files.GetValueOrDefault(path)?.Good ?? new PolicyFile(), [$"{Path.GetRelativePath(_folder, path)}:1: {e.Message}"]);
            return true;
        }
    }

    private void Swap()
    {
        List<Trunk> trunks = [];
        List<DispatchRule> rules = [];
        List<PhoneNumber> numbers = [];
        List<string> errors = [];
        var paths = new List<string>(_files.Keys);
        paths.Sort(string.CompareOrdinal);
        foreach (string path in paths)
        {
            Loaded file = _files[path];
            trunks.AddRange(file.Good.Trunks);
            rules.AddRange(file.Good.Rules);
            numbers.AddRange(file.Good.Numbers);
            errors.AddRange(file.Errors);
        }
        Errors = errors;
        var objects = new PolicyObjects
        {
            Trunks = trunks,
            Rules = rules,
            Numbers = numbers,
            InterconnectAddresses = _settings.InterconnectAddresses,
            Compat = _settings.Compat,
        };
        Volatile.Write(ref _current, PolicySnapshot.Build(objects, Current.Version + 1));
    }

    private sealed record Loaded((DateTime, long) Stamp, PolicyFile Good, IReadOnlyList<string> Errors);
}

/// <summary>Any thread. What the folder store takes from the configuration.</summary>
public sealed record FolderStoreSettings
{
    public Compat Compat { get; init; } = Compat.Strict;

    /// <summary><c>interconnect.allowed_addresses</c>.</summary>
    public string[] InterconnectAddresses { get; init; } = [];
}
