using System;
using System.Buffers.Binary;
using Proxy.Core.Diagnostics;
using Proxy.Native.OpenSsl;
using Proxy.Rtp.Packets;

namespace Proxy.Rtp.Srtp;

/// <summary>What became of a packet that was to be unprotected. Only <see cref="Ok"/> changes any state.</summary>
public enum SrtpVerdict
{
    Ok,

    /// <summary>Shorter than a header and a tag, a header that leads beyond the packet, or RTCP that is not encrypted.</summary>
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
/// <remarks>
/// RFC 3711 (rollover counter §3.3.1, replay §3.3.2), RFC 6188, RFC 7714. Not done: MKI, key derivation rates, F8, authentication
/// without encryption. A packet whose tag does not fit may have been overwritten; drop it.
/// </remarks>
public sealed class SrtpSession : IDisposable
{
    /// <summary>Room that <see cref="ProtectRtp"/> and <see cref="ProtectRtcp"/> need behind a packet, at most.</summary>
    public const int MaxOverheadBytes = 20;

    /// <summary>Sources that we can hear at once.</summary>
    public const int MaxReceiveSources = 16;

    /// <summary>Sources that we can send in the life of the keys.</summary>
    public const int MaxSendSources = 1024;

    private const int RtcpHeaderBytes = 8;

    private readonly SrtpTransform _sendRtp;
    private readonly SrtpTransform _sendRtcp;
    private readonly SrtpTransform _receiveRtp;
    private readonly SrtpTransform _receiveRtcp;
    private readonly SrtpSources _sent = new(MaxSendSources, mayEvict: false);
    private readonly SrtpSources _received = new(MaxReceiveSources, mayEvict: true);

    /// <param name="profile">As negotiated.</param>
    /// <param name="localKeyAndSalt">Master key, then master salt, of what we send.</param>
    /// <param name="remoteKeyAndSalt">The same of what we receive.</param>
    /// <exception cref="ArgumentException">A length that does not fit the profile.</exception>
    public SrtpSession(SrtpProfile profile, ReadOnlySpan<byte> localKeyAndSalt, ReadOnlySpan<byte> remoteKeyAndSalt)
    {
        Profile = profile;
        SrtpParameters parameters = SrtpParameters.Of(profile);
        if (localKeyAndSalt.Length != parameters.KeyAndSaltBytes || remoteKeyAndSalt.Length != parameters.KeyAndSaltBytes)
        {
            throw new ArgumentException("the keys' length does not fit the SRTP profile");
        }
        using EvpCipher local = SrtpKeys.Open(localKeyAndSalt[..parameters.KeyBytes]);
        using EvpCipher remote = SrtpKeys.Open(remoteKeyAndSalt[..parameters.KeyBytes]);
        ReadOnlySpan<byte> localSalt = localKeyAndSalt[parameters.KeyBytes..];
        ReadOnlySpan<byte> remoteSalt = remoteKeyAndSalt[parameters.KeyBytes..];
        _sendRtp = new SrtpTransform(parameters, local, localSalt, isRtcp: false, isSender: true);
        _sendRtcp = new SrtpTransform(parameters, local, localSalt, isRtcp: true, isSender: true);
        _receiveRtp = new SrtpTransform(parameters, remote, remoteSalt, isRtcp: false, isSender: false);
        _receiveRtcp = new SrtpTransform(parameters, remote, remoteSalt, isRtcp: true, isSender: false);
    }

    public SrtpProfile Profile { get; }

    /// <summary>Encrypts and tags a packet in place.</summary>
    /// <param name="buffer">The packet, and <see cref="MaxOverheadBytes"/> of room behind it.</param>
    /// <param name="length">Bytes of the plain packet.</param>
    /// <returns>Bytes of the protected packet; 0 when it is malformed, does not fit, repeats an index, or the key is used up.</returns>
    [NoAlloc]
    public int ProtectRtp(Span<byte> buffer, int length)
    {
        int total = length + _sendRtp.TagBytes;
        if (total > buffer.Length || !RtpView.TryGetHeaderLength(buffer[..length], out int headerLength))
        {
            return 0;
        }
        ReadIds(buffer, out uint ssrc, out ushort sequence);
        int place = _sent.Find(ssrc);
        if (place < 0 && (place = _sent.Add(ssrc)) < 0)
        {
            return 0;
        }
        ref SrtpSource source = ref _sent.At(place);
        if (!TryEstimate(source.Rtp, sequence, out ulong index)
            || source.Rtp.Check(index) != SrtpVerdict.Ok
            || !_sendRtp.ProtectRtp(buffer[..total], headerLength, ssrc, index))
        {
            return 0;
        }
        source.Rtp.Accept(index);
        return total;
    }

    /// <summary>Checks and decrypts a packet in place.</summary>
    /// <param name="packet">As it came; plain in its first <paramref name="length"/> bytes afterwards.</param>
    /// <param name="length">Bytes of the plain packet; 0 unless the verdict is <see cref="SrtpVerdict.Ok"/>.</param>
    [NoAlloc]
    public SrtpVerdict UnprotectRtp(Span<byte> packet, out int length)
    {
        length = 0;
        if (!RtpView.TryGetHeaderLength(packet, out int headerLength) || packet.Length - headerLength < _receiveRtp.TagBytes)
        {
            return SrtpVerdict.Malformed;
        }
        ReadIds(packet, out uint ssrc, out ushort sequence);
        int place = _received.Find(ssrc);
        ReplayWindow window = place < 0 ? default : _received.At(place).Rtp;
        if (!TryEstimate(window, sequence, out ulong index))
        {
            return SrtpVerdict.TooOld;
        }
        SrtpVerdict verdict = window.Check(index);
        if (verdict != SrtpVerdict.Ok)
        {
            return verdict;
        }
        if (!_receiveRtp.UnprotectRtp(packet, headerLength, ssrc, index))
        {
            return SrtpVerdict.AuthFailed;
        }
        if (place < 0 && (place = _received.Add(ssrc)) < 0)
        {
            return SrtpVerdict.TooManySources;
        }
        _received.At(place).Rtp.Accept(index);
        _received.Touch(place);
        length = packet.Length - _receiveRtp.TagBytes;
        return SrtpVerdict.Ok;
    }

    /// <summary>As <see cref="ProtectRtp"/>, for a compound RTCP packet.</summary>
    [NoAlloc]
    public int ProtectRtcp(Span<byte> buffer, int length)
    {
        int total = length + _sendRtcp.TagBytes + 4;
        if (length < RtcpHeaderBytes || total > buffer.Length)
        {
            return 0;
        }
        uint ssrc = BinaryPrimitives.ReadUInt32BigEndian(buffer[4..]);
        int place = _sent.Find(ssrc);
        if (place < 0 && (place = _sent.Add(ssrc)) < 0)
        {
            return 0;
        }
        ref SrtpSource source = ref _sent.At(place);
        if (source.NextRtcpIndex >= 0x8000_0000 || !_sendRtcp.ProtectRtcp(buffer[..total], ssrc, source.NextRtcpIndex))
        {
            return 0;
        }
        source.NextRtcpIndex++;
        return total;
    }

    /// <summary>As <see cref="UnprotectRtp"/>, for a compound RTCP packet.</summary>
    [NoAlloc]
    public SrtpVerdict UnprotectRtcp(Span<byte> packet, out int length)
    {
        length = 0;
        int plain = packet.Length - _receiveRtcp.TagBytes - 4;
        if (plain < RtcpHeaderBytes || packet[0] >> 6 != 2)
        {
            return SrtpVerdict.Malformed;
        }
        uint word = BinaryPrimitives.ReadUInt32BigEndian(_receiveRtcp.IsAead ? packet[^4..] : packet[plain..]);
        if (word < 0x8000_0000)
        {
            return SrtpVerdict.Malformed;
        }
        uint index = word & 0x7FFF_FFFF;
        uint ssrc = BinaryPrimitives.ReadUInt32BigEndian(packet[4..]);
        int place = _received.Find(ssrc);
        SrtpVerdict verdict = place < 0 ? SrtpVerdict.Ok : _received.At(place).Rtcp.Check(index);
        if (verdict != SrtpVerdict.Ok)
        {
            return verdict;
        }
        if (!_receiveRtcp.UnprotectRtcp(packet, ssrc, index))
        {
            return SrtpVerdict.AuthFailed;
        }
        if (place < 0 && (place = _received.Add(ssrc)) < 0)
        {
            return SrtpVerdict.TooManySources;
        }
        _received.At(place).Rtcp.Accept(index);
        _received.Touch(place);
        length = plain;
        return SrtpVerdict.Ok;
    }

    public void Dispose()
    {
        _sendRtp.Dispose();
        _sendRtcp.Dispose();
        _receiveRtp.Dispose();
        _receiveRtcp.Dispose();
    }

    /// <summary>Puts a direction's rollover counter where a vector wants it.</summary>
    internal void SeedForTest(uint ssrc, ulong highestIndex, uint nextRtcpIndex)
    {
        _sent.At(_sent.Add(ssrc)).Rtp.Accept(highestIndex);
        _sent.At(_sent.Find(ssrc)).NextRtcpIndex = nextRtcpIndex;
        _received.At(_received.Add(ssrc)).Rtp.Accept(highestIndex);
    }

    /// <summary>The rollover counter that makes a sequence number nearest to the newest one.</summary>
    /// <remarks>RFC 3711 §3.3.1, appendix A.</remarks>
    internal static uint GuessRollover(ushort newest, uint rollover, ushort sequence)
    {
        if (newest < 32_768)
        {
            return sequence - newest > 32_768 ? rollover - 1 : rollover;
        }
        return newest - 32_768 > sequence ? rollover + 1 : rollover;
    }

    private static bool TryEstimate(in ReplayWindow window, ushort sequence, out ulong index)
    {
        uint rollover = (uint)(window.Highest >> 16);
        uint guess = GuessRollover((ushort)window.Highest, rollover, sequence);
        // Before the first wrap nothing can lie behind zero: the number is taken as far ahead, as libsrtp does.
        if (rollover == 0 && guess == uint.MaxValue)
        {
            guess = 0;
        }
        index = ((ulong)guess << 16) | sequence;
        return !(rollover == uint.MaxValue && guess == 0);
    }

    private static void ReadIds(ReadOnlySpan<byte> packet, out uint ssrc, out ushort sequence)
    {
        sequence = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        ssrc = BinaryPrimitives.ReadUInt32BigEndian(packet[8..]);
    }
}
