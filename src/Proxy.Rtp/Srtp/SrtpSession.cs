using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Rtp.Srtp;

/// <summary>What became of a packet that was to be unprotected. Only <see cref="Ok"/> changes any state.</summary>
public enum SrtpVerdict
{
    Ok,

    /// <summary>Shorter than a header and a tag, or a header that leads beyond the packet.</summary>
    Malformed,

    /// <summary>The tag does not fit: forged, damaged, or other keys.</summary>
    AuthFailed,

    /// <summary>Seen before.</summary>
    Replayed,

    /// <summary>Older than the replay window.</summary>
    TooOld,

    /// <summary>An authentic packet of one source too many.</summary>
    TooManySources,
}

/// <summary>One owner. Protects and unprotects one transport's RTP and RTCP in place.</summary>
public sealed class SrtpSession : IDisposable
{
    /// <summary>Room that <see cref="ProtectRtp"/> and <see cref="ProtectRtcp"/> need behind a packet, at most.</summary>
    public const int MaxOverheadBytes = 20;

    /// <param name="localKeyAndSalt">Master key, then master salt, of what we send.</param>
    /// <param name="remoteKeyAndSalt">The same of what we receive.</param>
    /// <exception cref="ArgumentException">A length that does not fit the profile.</exception>
    public SrtpSession(SrtpProfile profile, ReadOnlySpan<byte> localKeyAndSalt, ReadOnlySpan<byte> remoteKeyAndSalt)
    {
        Profile = profile;
    }

    public SrtpProfile Profile { get; }

    /// <summary>Encrypts and tags a packet in place.</summary>
    /// <param name="buffer">The packet, and <see cref="MaxOverheadBytes"/> of room behind it.</param>
    /// <param name="length">Bytes of the plain packet.</param>
    /// <returns>Bytes of the protected packet; 0 when it is malformed, does not fit, repeats an index, or the key is used up.</returns>
    [NoAlloc]
    public int ProtectRtp(Span<byte> buffer, int length) => throw new NotImplementedException();

    /// <summary>Checks and decrypts a packet in place.</summary>
    /// <param name="length">Bytes of the plain packet; 0 unless the verdict is <see cref="SrtpVerdict.Ok"/>.</param>
    [NoAlloc]
    public SrtpVerdict UnprotectRtp(Span<byte> packet, out int length) => throw new NotImplementedException();

    /// <summary>As <see cref="ProtectRtp"/>, for a compound RTCP packet.</summary>
    [NoAlloc]
    public int ProtectRtcp(Span<byte> buffer, int length) => throw new NotImplementedException();

    /// <summary>As <see cref="UnprotectRtp"/>, for a compound RTCP packet.</summary>
    [NoAlloc]
    public SrtpVerdict UnprotectRtcp(Span<byte> packet, out int length) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
