namespace Proxy.Participant.Signal;

/// <summary>Signal thread. Our published track as the server knows it: its sid and whether it is muted.</summary>
internal sealed class OwnTrack(string cid)
{
    private bool _isMuted;
    private bool _isMuteWanted;

    /// <summary>TR_…; empty until the server published it.</summary>
    public string Sid { get; private set; } = "";

    public bool TryName(string publishedCid, string sid)
    {
        if (publishedCid != cid || sid.Length == 0)
        {
            return false;
        }
        Sid = sid;
        return true;
    }

    public bool Is(string sid) => sid.Length > 0 && sid == Sid;

    public void Want(bool isMuted) => _isMuteWanted = isMuted;

    /// <summary>The frame that brings the server to what we want.</summary>
    /// <returns>Null when it is so already, or the track has no sid.</returns>
    public byte[]? Request() => _isMuteWanted != _isMuted && Sid.Length > 0 ? SignalFrames.Mute(Sid, _isMuteWanted) : null;

    /// <summary>The server says how it is; its word is the last.</summary>
    /// <returns>False when that is not new.</returns>
    public bool TryChange(bool isMuted)
    {
        bool isNew = isMuted != _isMuted;
        if (isNew)
        {
            _isMuted = isMuted;
            _isMuteWanted = isMuted;
        }
        return isNew;
    }
}
