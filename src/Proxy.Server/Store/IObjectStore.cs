using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Proxy.Policy;
using PhoneNumber = Proxy.LiveKit.Protocol.PhoneNumber;

namespace Proxy.Server.Store;

/// <summary>Any thread. What one change does, or why it is refused.</summary>
/// <param name="Kind">The object's kind.</param>
/// <param name="Id">The object's id.</param>
/// <param name="Message">The new object; null removes it.</param>
public sealed record ObjectChange(ObjectKind Kind, string Id, IMessage? Message)
{
    /// <summary>Our additions as a JSON object; null leaves them as they are.</summary>
    public string? Extras { get; init; }
}

/// <summary>Any thread. A store that the API may change; changes are one after the other, each seen by the next decision.</summary>
public interface IObjectStore : IRuleStore
{
    /// <summary>The objects now in force.</summary>
    StoredObjects Objects { get; }

    /// <summary>Decides a change on the objects of that moment and persists it before anybody sees it.</summary>
    /// <param name="decide">Returns the change, or null to change nothing; runs while no other change can.</param>
    /// <param name="cancellation">Gives up waiting; a change that was begun is finished.</param>
    /// <exception cref="ObjectStoreException">The change could not be persisted; nothing changed.</exception>
    Task ChangeAsync(Func<StoredObjects, ObjectChange?> decide, CancellationToken cancellation);

    /// <summary>Adds a stock of numbers at once; numbers whose id is known stay as they are.</summary>
    /// <returns>How many were added.</returns>
    /// <exception cref="ObjectStoreException">They could not be persisted; what was persisted before the failure stays.</exception>
    Task<int> ImportAsync(IReadOnlyList<PhoneNumber> numbers, CancellationToken cancellation);
}

/// <summary>Any thread. A change could not be kept; the message is fit for a client.</summary>
public sealed class ObjectStoreException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Any thread. Objects in memory only; for tests and for a node without a policy folder.</summary>
public sealed class MemoryStore : IObjectStore
{
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly Compat _compat;
    private State _state = new(StoredObjects.Empty, PolicySnapshot.Empty);

    public MemoryStore(Compat compat = Compat.Strict) => _compat = compat;

    public StoredObjects Objects => Volatile.Read(ref _state).Objects;

    public PolicySnapshot Current => Volatile.Read(ref _state).Snapshot;

    public async Task ChangeAsync(Func<StoredObjects, ObjectChange?> decide, CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (decide(Objects) is { } change)
            {
                StoredObjects next = Objects.With(change.Kind, change.Id, change.Message);
                next = change.Extras is null ? next : next with { Extras = next.Extras.SetItem(change.Id, change.Extras) };
                Swap(next);
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    public async Task<int> ImportAsync(IReadOnlyList<PhoneNumber> numbers, CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            IReadOnlyList<PhoneNumber> added = Objects.Unknown(numbers);
            StoredObjects next = Objects;
            foreach (PhoneNumber number in added)
            {
                next = next.With(ObjectKind.Number, number.Id, number);
            }
            Swap(next);
            return added.Count;
        }
        finally
        {
            _changing.Release();
        }
    }

    private void Swap(StoredObjects next)
    {
        PolicyObjects policy = next.ToPolicy(_compat, [], System.Collections.ObjectModel.ReadOnlyDictionary<string, Core.Net.NetAddress[]>.Empty);
        Volatile.Write(ref _state, new State(next, PolicySnapshot.Build(policy, Current.Version + 1)));
    }

    private sealed record State(StoredObjects Objects, PolicySnapshot Snapshot);
}
