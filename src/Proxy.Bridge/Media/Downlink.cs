using System;
using Proxy.Audio;
using Proxy.Audio.Codecs;
using Proxy.Bridge.Records;
using Proxy.Core;
using Proxy.Core.Diagnostics;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Participant;
using Proxy.Participant.Tracks;
using Proxy.Rtp.Dtmf;
using Proxy.Rtp.Jitter;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Rtcp;

namespace Proxy.Bridge.Media;

/// <summary>Shard. The room's audio on its way to the caller: every track decoded, mixed, encoded; 50 packets a second on our clock.</summary>
public sealed class Downlink : IDisposable
{
    private readonly Limits _limits;
    private readonly PacketSlab _slab;
    private readonly PlayoutStream?[] _streams = new PlayoutStream?[RoomMedia.RemoteSlots];
    private readonly uint[] _generations = new uint[RoomMedia.RemoteSlots];
    private readonly DtmfSender _dtmf = new();
    private G711Codec _codec = new(G711Law.Mu);
    private byte _payloadType;
    private int _dtmfPayloadType = -1;
    private ushort _sequence;
    private uint _timestamp;
    private bool _isFirst = true;
    private Playback? _playback;
    private int _playedTo;

    /// <param name="ssrc">Of the stream towards the caller.</param>
    /// <param name="sequence">Random start (RFC 3550 §5.1).</param>
    /// <param name="timestamp">Random start.</param>
    public Downlink(Limits limits, PacketSlab slab, uint ssrc, ushort sequence, uint timestamp)
    {
        _limits = limits;
        _slab = slab;
        Ssrc = ssrc;
        _sequence = sequence;
        _timestamp = timestamp;
    }

    public uint Ssrc { get; }

    public SendStatistics Sent { get; } = new(8000);

    /// <summary>Whether a prompt plays instead of the room.</summary>
    public bool IsPlaying => _playback is not null;

    public void Configure(SipAudio audio)
    {
        _codec = new G711Codec(audio.Law);
        _payloadType = audio.PayloadType;
        _dtmfPayloadType = audio.DtmfPayloadType;
    }

    /// <summary>Plays samples instead of the room; null stops.</summary>
    public void Play(Playback? playback)
    {
        _playback = playback is { Samples.Length: > 0 } or null ? playback : playback with { Samples = new short[PlayoutStream.FrameSamples] };
        _playedTo = 0;
    }

    /// <summary>Queues digits for the caller.</summary>
    /// <returns>False when telephone-event was not agreed, a character is no digit, or too many wait.</returns>
    public bool TryQueueDigits(string digits) => _dtmfPayloadType >= 0 && _dtmf.TryQueue(digits);

    /// <summary>Takes a plain RTP packet of a remote track.</summary>
    [NoAlloc]
    public void Push(int slot, in RtpView packet, CallMedia call, MonoTime now)
    {
        RemoteAudio remote = call.Room!.RemoteAt(slot);
        PlayoutStream? stream = _streams[slot];
        if (stream is null || _generations[slot] != remote.Generation)
        {
            stream = Renew(slot, remote);
        }
        switch (stream.Push(packet, now))
        {
            case PushVerdict.UnknownPayload:
                if (TryAddCodec(stream, remote, packet.PayloadType))
                {
                    stream.Push(packet, now);
                }
                break;
            case PushVerdict.Duplicate:
                call.Report.Duplicates++;
                break;
            case PushVerdict.Late:
                call.Report.Late++;
                break;
            default:
                break;
        }
    }

    /// <summary>The 20 ms grid: one packet to the caller, silence when nothing is to play.</summary>
    [NoAlloc]
    public void Tick(CallMedia call, bool sends, MonoTime now)
    {
        MediaScratch scratch = call.Scratch;
        scratch.Mixer.Clear();
        Span<short> pcm = scratch.Pcm;
        for (int slot = 0; slot < _streams.Length; slot++)
        {
            if (_streams[slot] is { } stream && Mix(stream, slot, pcm, call, now))
            {
                scratch.Mixer.Add(pcm);
            }
        }
        scratch.Mixer.Write(pcm);
        if (_playback is not null)
        {
            FillFromPlayback(_playback, pcm, call);
        }
        if (sends)
        {
            Send(pcm, call, now);
        }
        _timestamp += PlayoutStream.FrameSamples;
    }

    public void Dispose()
    {
        for (int slot = 0; slot < _streams.Length; slot++)
        {
            _streams[slot]?.Dispose();
            _streams[slot] = null;
        }
    }

    private bool Mix(PlayoutStream stream, int slot, Span<short> pcm, CallMedia call, MonoTime now)
    {
        RemoteAudio remote = call.Room!.RemoteAt(slot);
        if (!remote.IsTaken || remote.Generation != _generations[slot])
        {
            stream.Dispose();
            _streams[slot] = null;
            return false;
        }
        PullResult result = stream.Pull(pcm, now);
        if (result == PullResult.Concealed)
        {
            call.Report.ConcealedFrames++;
        }
        return result != PullResult.Silence;
    }

    private void Send(ReadOnlySpan<short> pcm, CallMedia call, MonoTime now)
    {
        Span<byte> packet = call.Scratch.Packet;
        Span<DtmfPacket> events = stackalloc DtmfPacket[DtmfSender.MaxPacketsPerTick];
        if (_dtmf.IsActive)
        {
            int count = _dtmf.Tick(_timestamp, events);
            for (int i = 0; i < count; i++)
            {
                SendEvent(events[i], call, now);
            }
            if (count > 0)
            {
                return;
            }
        }
        int length = _codec.Encode(pcm, packet[RtpView.FixedHeaderBytes..]);
        RtpWriter.WriteHeader(packet, new RtpHeader(_payloadType, _isFirst, _sequence++, _timestamp, Ssrc));
        _isFirst = false;
        Sent.OnPacket(_timestamp, length, now);
        call.SendSip(RtpView.FixedHeaderBytes + length);
    }

    private void SendEvent(in DtmfPacket e, CallMedia call, MonoTime now)
    {
        Span<byte> packet = call.Scratch.Packet;
        int header = RtpWriter.WriteHeader(packet, new RtpHeader((byte)_dtmfPayloadType, e.Marker, _sequence++, e.Timestamp, Ssrc));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(packet[header..], e.Payload);
        if (e.Marker)
        {
            call.Report.DtmfOut++;
        }
        Sent.OnPacket(e.Timestamp, 4, now);
        call.SendSip(header + 4);
    }

    private void FillFromPlayback(Playback playback, Span<short> pcm, CallMedia call)
    {
        ReadOnlySpan<short> rest = playback.Samples.AsSpan(_playedTo);
        int length = Math.Min(rest.Length, pcm.Length);
        rest[..length].CopyTo(pcm);
        pcm[length..].Clear();
        _playedTo += length;
        if (_playedTo < playback.Samples.Length)
        {
            return;
        }
        _playedTo = 0;
        if (!playback.Repeats)
        {
            _playback = null;
            call.Emit(new CallEvent(CallEventKind.Played, playback.Number, null));
        }
    }

    /// <summary>A new track in the slot: jitter buffer and decoder start anew. Once a track, so it may allocate.</summary>
    private PlayoutStream Renew(int slot, RemoteAudio remote)
    {
        _streams[slot]?.Dispose();
        var stream = new PlayoutStream(_limits, _slab);
        _streams[slot] = stream;
        _generations[slot] = remote.Generation;
        return stream;
    }

    /// <summary>The first packet of a payload type makes its decoder. Once a track and codec, so it may allocate.</summary>
    private static bool TryAddCodec(PlayoutStream stream, RemoteAudio remote, byte payloadType)
    {
        if (!remote.TryGetCodec(payloadType, out RoomCodec codec))
        {
            return false;
        }
        IAudioCodec decoder = codec switch
        {
            RoomCodec.Opus => new OpusCodec(new OpusOptions(), CodecUse.Decode),
            RoomCodec.Pcmu => new G711Codec(G711Law.Mu),
            _ => new G711Codec(G711Law.A),
        };
        if (stream.SetCodec(payloadType, decoder))
        {
            return true;
        }
        decoder.Dispose();
        return false;
    }
}
