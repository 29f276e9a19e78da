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
using Proxy.Rtp.Jitter;
using Proxy.Rtp.Packets;

namespace Proxy.Bridge.Media;

/// <summary>
/// Shard. The caller's audio on its way into the room: untouched where the room's track is the caller's codec, else
/// through jitter buffer, decoder and encoder on our clock.
/// </summary>
public sealed class Uplink : IDisposable
{
    private const int QuietTicks = 50;
    private readonly Limits _limits;
    private readonly PacketSlab _slab;
    private readonly OpusOptions _opus;
    private PassthroughSequencer? _sequencer;
    private PlayoutStream? _playout;
    private Transcoder? _encoder;
    private G711Law _law;
    private int _silentTicks = QuietTicks;

    public Uplink(Limits limits, PacketSlab slab, OpusOptions opus)
    {
        _limits = limits;
        _slab = slab;
        _opus = opus;
    }

    /// <summary>Whether the caller's frames go into the room as they are.</summary>
    public bool IsPassthrough => _sequencer is not null;

    /// <summary>When a hole in the caller's stream is given up.</summary>
    public MonoTime NextDeadline => _sequencer?.NextDeadline ?? MonoTime.Never;

    /// <summary>Chooses the way; called when both sides' codecs are known, and again when one changes.</summary>
    public void Configure(G711Law law, byte payloadType, RoomCodec roomCodec, AudioTrack track)
    {
        Dispose();
        track.RestartSource();
        _law = law;
        bool isSame = roomCodec == (law == G711Law.Mu ? RoomCodec.Pcmu : RoomCodec.Pcma);
        if (isSame)
        {
            _sequencer = new PassthroughSequencer(_limits, _slab, 8000, 0, 0);
            return;
        }
        _playout = new PlayoutStream(_limits, _slab);
        _playout.SetCodec(payloadType, new G711Codec(law));
        _encoder = new Transcoder(roomCodec switch
        {
            RoomCodec.Opus => new OpusCodec(_opus, CodecUse.Encode),
            RoomCodec.Pcmu => new G711Codec(G711Law.Mu),
            _ => new G711Codec(G711Law.A),
        });
        _silentTicks = QuietTicks;
    }

    /// <summary>Takes an audio packet of the caller. In passthrough it is sent at once.</summary>
    [NoAlloc]
    public void Push(in RtpView packet, CallMedia call, MonoTime now)
    {
        MediaReport report = call.Report;
        if (_playout is not null)
        {
            Count(_playout.Push(packet, now), report);
            return;
        }
        if (_sequencer is null)
        {
            return;
        }
        switch (_sequencer.Push(packet, now, out RtpHeader forward))
        {
            case PassthroughVerdict.Forward:
            case PassthroughVerdict.ForwardRestarted:
                Forward(forward, packet.Payload, call, now);
                break;
            case PassthroughVerdict.Held:
                break;
            case PassthroughVerdict.Duplicate:
                report.Duplicates++;
                break;
            case PassthroughVerdict.Late:
                report.Late++;
                break;
            case PassthroughVerdict.Foreign:
                report.Foreign++;
                break;
            default:
                report.Unreadable++;
                break;
        }
        Drain(call, now);
    }

    /// <summary>A packet of the caller's stream that must not go into the room (comfort noise, telephone-event).</summary>
    [NoAlloc]
    public void TakeOut(in RtpView packet, CallMedia call, MonoTime now)
    {
        call.Report.TakenOut++;
        if (_sequencer is not null)
        {
            _sequencer.TakeOut(packet, now);
            Drain(call, now);
        }
        _playout?.TakeOut(packet, now);
    }

    /// <summary>Gives up holes that waited long enough.</summary>
    [NoAlloc]
    public void HandleTimeout(CallMedia call, MonoTime now) => Drain(call, now);

    /// <summary>The 20 ms grid: on the transcoding way one frame goes out.</summary>
    [NoAlloc]
    public void Tick(CallMedia call, MonoTime now)
    {
        if (_playout is null || _encoder is null)
        {
            return;
        }
        Span<short> pcm = call.Scratch.Pcm;
        PullResult result = _playout.Pull(pcm, now);
        _silentTicks = result == PullResult.Silence ? _silentTicks + 1 : 0;
        AudioTrack track = call.Room!.Track;
        if (_silentTicks > QuietTicks)
        {
            // A caller on hold or muted at the network costs no encoder and no packets; the timestamps show the pause.
            track.SkipTime((uint)_encoder.TicksPerFrame);
            return;
        }
        Span<byte> payload = call.Scratch.Payload;
        int length = _encoder.Encode(pcm, payload, out int level);
        if (length == 0)
        {
            track.SkipTime((uint)_encoder.TicksPerFrame);
            return;
        }
        int bytes = track.WriteFrame(payload[..length], (uint)_encoder.TicksPerFrame, false, (byte)level, call.Scratch.Packet, now);
        call.SendRoom(bytes);
    }

    public void Dispose()
    {
        _sequencer?.Dispose();
        _playout?.Dispose();
        _encoder?.Dispose();
        _sequencer = null;
        _playout = null;
        _encoder = null;
    }

    private void Drain(CallMedia call, MonoTime now)
    {
        if (_sequencer is null)
        {
            return;
        }
        Span<byte> payload = call.Scratch.Payload;
        while (_sequencer.TryPoll(now, payload, out int length, out RtpHeader forward))
        {
            Forward(forward, payload[..length], call, now);
        }
    }

    private void Forward(in RtpHeader header, ReadOnlySpan<byte> payload, CallMedia call, MonoTime now)
    {
        byte level = (byte)AudioLevel.OfG711(payload, _law);
        int bytes = call.Room!.Track.WritePassthrough(
            header.SequenceNumber, header.Timestamp, header.Marker, payload, level, call.Scratch.Packet, now);
        call.SendRoom(bytes);
    }

    private static void Count(PushVerdict verdict, MediaReport report)
    {
        switch (verdict)
        {
            case PushVerdict.Stored:
            case PushVerdict.Restarted:
                break;
            case PushVerdict.Duplicate:
                report.Duplicates++;
                break;
            case PushVerdict.Late:
                report.Late++;
                break;
            case PushVerdict.Foreign:
                report.Foreign++;
                break;
            default:
                report.Unreadable++;
                break;
        }
    }
}
