namespace Proxy.Audio.Codecs;

/// <summary>The two laws of G.711.</summary>
public enum G711Law
{
    /// <summary>PCMU, payload type 0.</summary>
    Mu,

    /// <summary>PCMA, payload type 8.</summary>
    A,
}
