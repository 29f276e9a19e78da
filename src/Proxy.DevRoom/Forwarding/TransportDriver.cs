using System;
using Proxy.Core.Collections;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.DevRoom.Rooms;
using Proxy.DevRoom.Signal;
using Proxy.Rtp.Rtcp;
using Proxy.WebRtc;

namespace Proxy.DevRoom.Forwarding;

/// <summary>Room loop. Feeds the participants' transports from the mux and carries out what they want: datagrams, timers, events.</summary>
internal sealed class TransportDriver(RoomEnvironment environment)
{
    private readonly SlotMap<Participant> _byKey = new(environment.Options.ParticipantsMax);
    private readonly System.Collections.Generic.Dictionary<Participant, SlotId> _keys = [];

    /// <summary>ICE and DTLS of a participant came up, failed or were closed.</summary>
    public Action<Participant, PeerEvent, MonoTime>? StateChanged { get; set; }

    /// <summary>Datagrams that belong to nobody.</summary>
    public long Unclaimed { get; private set; }

    /// <summary>Data packets that were not relayed.</summary>
    public long DataDropped { get; private set; }

    /// <summary>Makes the transport at the first offer; a changed user fragment restarts ICE with fresh own credentials.</summary>
    public void Describe(Participant participant, Offer offer, RemoteDescription remote, bool isRestart, MonoTime now)
    {
        Negotiation negotiation = participant.Negotiation!;
        if (participant.Transport is null)
        {
            participant.Transport = environment.Peers.Create(
                new PeerOptions
                {
                    Local = negotiation.Local,
                    IsControlling = false,
                    Setup = SetupRole.Active,
                    HasData = offer.Sections.Exists(section => section.Kind == SectionKind.Application && !section.IsRejected),
                    ConnectTimeout = TimeSpan.FromSeconds(15),
                },
                now);
            participant.ReportSsrc = environment.NewSsrc();
            // Full: it is never told of time, so it fails by its connect deadline.
            _byKey.TryAdd(participant, out SlotId key);
            _keys[participant] = key;
            participant.TimerKey = key.Index;
            environment.Mux.Add(negotiation.Local.Ufrag, participant);
        }
        else if (isRestart)
        {
            environment.Mux.RemoveUfrag(negotiation.Local.Ufrag);
            negotiation.Local = IceCredentials.Create(environment.Random);
            environment.Mux.Add(negotiation.Local.Ufrag, participant);
            participant.Transport.SetLocalCredentials(negotiation.Local, now);
        }
        participant.Transport.SetRemote(remote, now);
        Drain(participant, now);
    }

    public void Receive(Span<byte> datagram, in NetEndPoint from, MonoTime now)
    {
        Participant? participant = environment.Mux.Find(datagram, from, out bool isNewAddress);
        if (participant?.Transport is not { } transport)
        {
            Unclaimed++;
            return;
        }
        PacketKind kind = transport.HandleDatagram(datagram, from, now, out int length);
        switch (kind)
        {
            case PacketKind.Rtp:
                environment.Forwarder.Receive(participant, datagram[..length], now);
                break;
            case PacketKind.Rtcp:
                ReceiveRtcp(participant, datagram[..length], now);
                break;
            case PacketKind.Consumed:
                if (isNewAddress)
                {
                    environment.Mux.Learn(from, participant);
                }
                Drain(participant, now);
                break;
        }
    }

    public MonoTime NextDeadline => environment.Timers.NextDeadline;

    public void HandleTimeout(MonoTime now)
    {
        while (environment.Timers.TryExpire(now, out int key))
        {
            if (_byKey.At(key) is { Transport: { } transport } participant)
            {
                transport.HandleTimeout(now);
                Drain(participant, now);
            }
        }
    }

    /// <summary>Takes everything a transport has to say, then sets its timer.</summary>
    public void Drain(Participant participant, MonoTime now)
    {
        if (participant.Transport is not { } transport)
        {
            return;
        }
        bool hasRelayed = false;
        PollDatagrams(transport);
        while (participant.Transport == transport && transport.TryPollEvent(out PeerEvent peerEvent))
        {
            if (peerEvent.Kind == PeerEventKind.Data)
            {
                bool isRelayed = DataRelay.Receive(participant, peerEvent.Label, peerEvent.Payload!, now);
                hasRelayed |= isRelayed;
                DataDropped += isRelayed ? 0 : 1;
            }
            else
            {
                StateChanged?.Invoke(participant, peerEvent, now);
            }
        }
        if (hasRelayed)
        {
            FlushAll(participant.Room);
        }
        Flush(participant);
    }

    private void Flush(Participant participant)
    {
        if (participant.Transport is { } transport)
        {
            PollDatagrams(transport);
            if (participant.TimerKey >= 0)
            {
                environment.Timers.Set(participant.TimerKey, transport.NextDeadline);
            }
        }
    }

    private void PollDatagrams(IPeerTransport transport)
    {
        while (true)
        {
            Span<byte> slot = environment.Datagrams.Reserve();
            if (slot.IsEmpty || !transport.TryPollDatagram(slot, out int length, out NetEndPoint to))
            {
                return;
            }
            environment.Datagrams.Commit(length, to);
        }
    }

    /// <summary>After data was sent to many: their transports have datagrams.</summary>
    public void FlushAll(Room room)
    {
        foreach (Participant participant in room.Participants)
        {
            Flush(participant);
        }
    }

    /// <summary>Ends a participant's transport with a DTLS close_notify.</summary>
    public void Close(Participant participant, MonoTime now)
    {
        environment.Mux.Remove(participant);
        if (participant.Negotiation is { } negotiation)
        {
            environment.Mux.RemoveUfrag(negotiation.Local.Ufrag);
        }
        if (participant.Transport is not { } transport)
        {
            return;
        }
        participant.Transport = null;
        participant.IsConnected = false;
        transport.Close(now);
        PollDatagrams(transport);
        transport.Dispose();
        if (participant.TimerKey >= 0)
        {
            environment.Timers.Cancel(participant.TimerKey);
        }
        if (_keys.Remove(participant, out SlotId key))
        {
            _byKey.Remove(key);
        }
    }

    private static void ReceiveRtcp(Participant participant, ReadOnlySpan<byte> packet, MonoTime now)
    {
        if (!RtcpView.TryParse(packet, out RtcpView view, out _))
        {
            return;
        }
        while (view.TryNext(out RtcpPacket report))
        {
            if (report.TryGetSenderInfo(out SenderInfo info))
            {
                participant.FindTrack(report.SenderSsrc)?.Received?.OnSenderReport(info, now);
            }
            for (int i = 0; i < report.ReportCount; i++)
            {
                ReportBlock block = report.Report(i);
                foreach (Subscription subscription in participant.Subscriptions)
                {
                    if (subscription.Ssrc == block.Ssrc)
                    {
                        subscription.Sent.OnReport(block, now);
                    }
                }
            }
        }
    }

    /// <summary>Receiver reports about what a participant sends, and sender reports about what it hears.</summary>
    public void SendReports(Participant participant, bool includesSenderReports, MonoTime now)
    {
        if (participant.Transport is not { } transport || !participant.IsConnected)
        {
            return;
        }
        Span<ReportBlock> blocks = stackalloc ReportBlock[16];
        int count = 0;
        foreach (Track track in participant.Tracks)
        {
            if (track.Received is { Received: > 0 } received && count < blocks.Length)
            {
                blocks[count++] = received.MakeReport(now);
            }
        }
        if (count > 0)
        {
            SendReport(transport, participant.ReportSsrc, null, blocks[..count]);
        }
        foreach (Subscription subscription in participant.Subscriptions)
        {
            if (includesSenderReports && subscription.Sent.Packets > 0)
            {
                SendReport(transport, subscription.Ssrc, subscription.Sent.MakeSenderInfo(now), []);
            }
        }
    }

    private void SendReport(IPeerTransport transport, uint ssrc, SenderInfo? info, ReadOnlySpan<ReportBlock> blocks)
    {
        Span<byte> slot = environment.Datagrams.Reserve();
        int plain = slot.IsEmpty ? 0 : RtcpWriter.WriteReport(slot[..^24], ssrc, info, blocks, "siproom"u8);
        int length = plain == 0 ? 0 : transport.ProtectRtcp(slot, plain);
        if (length > 0)
        {
            environment.Datagrams.Commit(length, transport.Remote);
        }
    }
}
