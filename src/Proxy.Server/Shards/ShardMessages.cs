using Proxy.Bridge.Media;
using Proxy.Core.Collections;

namespace Proxy.Server.Shards;

/// <summary>Signal thread to shard.</summary>
/// <param name="IsOpen">The media is handed over; <paramref name="Command"/> means nothing.</param>
public readonly record struct ShardCommand(CallMedia Media, bool IsOpen, CallCommand Command);

/// <summary>Shard to signal thread.</summary>
public readonly record struct ShardEvent(SlotId Call, CallEvent Event);
