namespace Proxy.Bridge;

/// <summary>Where a call stands; drawn in docs/architecture.md.</summary>
public enum CallPhase
{
    /// <summary>200 sent, a PIN is asked; no room yet.</summary>
    Asking,

    /// <summary>The room is being joined; the caller hears ringing.</summary>
    Joining,

    /// <summary>The room's media is up; somebody there has to publish audio.</summary>
    Ringing,

    /// <summary>200 sent; caller and room hear each other.</summary>
    Answered,

    /// <summary>ACK received.</summary>
    Connected,

    /// <summary>The room is lost; the caller is told, then the call ends.</summary>
    Parting,

    /// <summary>One leg ended; the others are being closed.</summary>
    Ending,

    /// <summary>Nothing of it is left.</summary>
    Over,
}
