using System;
using Proxy.Core.Time;
using Proxy.DevRoom.Rooms;
using Proxy.Rtp.Packets;

namespace Proxy.DevRoom.Forwarding;

/// <summary>
/// Room loop. Sends a publisher's packets on to everyone who hears the track: own SSRC, continuous numbers, the
/// subscriber's payload type, no header extensions, payload untouched.
/// </summary>
internal sealed class Forwarder(DatagramQueue output)
{
    // SRTP tags take at most 16 bytes.
    private const int TagBytes = 16;

    // RFC 6464 §3, -dBov.
    private const int Silence = 127;
    private const int LoudLevel = 40;

    public long Forwarded { get; private set; }

    /// <summary>Packets of no track, with a payload type that was not answered first, or of a muted track.</summary>
    public long Dropped { get; private set; }

    /// <summary>When a caller's sound last began after silence at the demo agent, which sends it back; of Opus by the level that its publisher states.</summary>
    public MonoTime LastEchoOnset { get; private set; } = MonoTime.Never;

    /// <summary>Takes one plain RTP packet of a publisher.</summary>
    public void Receive(Participant publisher, ReadOnlySpan<byte> packet, MonoTime now)
    {
        if (!RtpView.TryParse(packet, out RtpView view, out _))
        {
            Dropped++;
            return;
        }
        Track? track = publisher.FindTrack(view.Ssrc);
        if (track is null || !track.IsPublished || view.PayloadType != track.PayloadType)
        {
            Dropped++;
            return;
        }
        track.Received!.OnPacket(view.Ssrc, view.SequenceNumber, view.Timestamp, now);
        publisher.LastMedia = now;
        if (track.IsMuted)
        {
            Dropped++;
            return;
        }
        int levelBelowFull = Silence;
        if (track.AudioLevelId != 0 && view.TryGetExtension(track.AudioLevelId, out ReadOnlySpan<byte> level) && level.Length >= 1)
        {
            levelBelowFull = level[0] & 0x7F;
            track.Speech.Observe(levelBelowFull);
        }
        Send(track, view.Header, view.Payload, now);
        if (track.Echo is { IsPublished: true, IsMuted: false } echo && echo.Codec == track.Codec)
        {
            NoteOnset(track, view.Payload, levelBelowFull, now);
            Send(echo, view.Header, view.Payload, now);
        }
    }

    /// <summary>Sends one frame of a track to all who hear it.</summary>
    public void Send(Track track, in RtpHeader header, ReadOnlySpan<byte> payload, MonoTime now)
    {
        int clockHz = TrackCodecs.ClockHz(track.Codec);
        for (int i = 0; i < track.Subscriptions.Count; i++)
        {
            Subscription subscription = track.Subscriptions[i];
            if (!subscription.IsAttached || subscription.Subscriber.Transport is not { } transport || !subscription.Subscriber.IsConnected)
            {
                continue;
            }
            ushort sequence = header.SequenceNumber;
            uint timestamp = header.Timestamp;
            bool isFirst = subscription.Rewriter.Rewrite(ref sequence, ref timestamp, clockHz, now);
            RtpHeader rewritten = new(subscription.PayloadType, header.Marker || isFirst, sequence, timestamp, subscription.Ssrc);
            Span<byte> slot = output.Reserve();
            int plain = slot.IsEmpty ? 0 : RtpWriter.Write(slot[..^TagBytes], rewritten, payload);
            int length = plain == 0 ? 0 : transport.ProtectRtp(slot, plain);
            if (length == 0)
            {
                Dropped++;
                continue;
            }
            output.Commit(length, transport.Remote);
            subscription.Sent.OnPacket(timestamp, payload.Length, now);
            Forwarded++;
        }
    }

    private void NoteOnset(Track track, ReadOnlySpan<byte> payload, int levelBelowFull, MonoTime now)
    {
        // Opus is not decoded here: what its publisher says of the loudness has to do.
        bool isLoud = track.Codec == TrackCodec.Opus ? levelBelowFull < LoudLevel : IsLoud(track.Codec, payload);
        if (isLoud && !track.IsLoud)
        {
            LastEchoOnset = now;
        }
        track.IsLoud = isLoud;
    }

    // The 7 magnitude bits of G.711: mu-law is sent inverted, A-law with every second bit inverted. 0x30 is about -36 dBFS.
    private static bool IsLoud(TrackCodec codec, ReadOnlySpan<byte> payload)
    {
        int flip = codec == TrackCodec.Pcma ? 0x55 : 0x7F;
        int loudest = 0;
        foreach (byte code in payload)
        {
            loudest = Math.Max(loudest, (code ^ flip) & 0x7F);
        }
        return loudest > 0x30;
    }

    /// <summary>The track pauses or gets another source: every subscriber's numbering stays continuous.</summary>
    public static void Break(Track track)
    {
        foreach (Subscription subscription in track.Subscriptions)
        {
            subscription.Rewriter.Break();
        }
    }
}
