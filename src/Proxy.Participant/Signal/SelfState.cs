using System.Collections.Generic;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. What we want our own participant to look like, until the server has said yes; survives a lost socket.</summary>
internal sealed class SelfState
{
    /// <summary>Attribute keys that may wait; those of a call are some twenty.</summary>
    public const int AttributesMax = 128;

    private readonly Dictionary<string, string> _attributes = [];
    private string _metadata = "";
    private uint _requestId;

    /// <summary>Something was set and not acknowledged.</summary>
    public bool IsPending => _attributes.Count > 0 || _metadata.Length > 0;

    public void Set(IReadOnlyDictionary<string, string> attributes)
    {
        foreach ((string key, string value) in attributes)
        {
            if (_attributes.Count < AttributesMax || _attributes.ContainsKey(key))
            {
                _attributes[key] = value;
            }
        }
    }

    public void SetMetadata(string metadata) => _metadata = metadata;

    /// <summary>The frame that asks for all that is pending.</summary>
    public byte[] Request() => SignalFrames.Update(++_requestId, _metadata, _attributes);

    /// <summary>The server decided on a request, whatever it decided: an older one changes nothing.</summary>
    public void Acknowledge(uint requestId)
    {
        if (requestId == _requestId)
        {
            _attributes.Clear();
            _metadata = "";
        }
    }
}
