using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;
using Proxy.Core.Time;

namespace Proxy.WebRtc.Sctp;

/// <summary>One owner. Data channels over one association: opened by label, by either side.</summary>
/// <remarks>RFC 8831, RFC 8832. Deviation: RFC 8832 §5.1 channels that are reliable for a time only are treated as reliable; LiveKit has none.</remarks>
internal sealed class DataChannels
{
    private const uint PpidControl = 50;
    private const uint PpidString = 51;
    private const uint PpidBinary = 53;
    private const uint PpidStringEmpty = 56;
    private const uint PpidBinaryEmpty = 57;
    private const byte OpenMessage = 3;
    private const byte AckMessage = 2;
    private const int OpenBytes = 12;
    private const int LabelBytesMax = 256;
    private const byte UnorderedBit = 0x80;

    private readonly ISctp _sctp;
    private readonly PeerCounters _counters;
    private readonly List<Channel> _channels = [];
    private readonly Queue<PeerEvent> _events = new();
    private bool _isOpened;
    private bool _isEnded;

    /// <param name="isDtlsClient">The DTLS client numbers its channels evenly, the server oddly.</param>
    public DataChannels(ISctp sctp, bool isDtlsClient, IReadOnlyList<string> labels, PeerCounters counters)
    {
        _sctp = sctp;
        _counters = counters;
        for (int i = 0; i < labels.Count && i < SctpLimits.StreamsInUse; i++)
        {
            ushort id = (ushort)((2 * i) + (isDtlsClient ? 0 : 1));
            bool isLossy = labels[i] is "_lossy" or "_data_track";
            _channels.Add(new Channel(id, labels[i], new SctpDelivery(!isLossy, isLossy ? 0 : -1)));
        }
    }

    /// <summary>Moves what the association has received; to be called after each packet and timeout.</summary>
    public void Pump(MonoTime now)
    {
        if (_sctp.State == SctpState.Established && !_isOpened)
        {
            _isOpened = true;
            foreach (Channel channel in _channels)
            {
                SendOpen(channel, now);
            }
        }
        while (_sctp.TryReceive(out SctpMessage message))
        {
            Handle(message, now);
        }
        while (_sctp.TryPollReset(out ushort stream))
        {
            Close(stream);
        }
        if (_sctp.State == SctpState.Ended && !_isEnded)
        {
            _isEnded = true;
            while (_channels.Count > 0)
            {
                Close(_channels[^1].Id);
            }
        }
    }

    public bool TryPollEvent(out PeerEvent peerEvent) => _events.TryDequeue(out peerEvent);

    /// <returns>False when no open channel has the label, or the buffer is full.</returns>
    public bool TrySend(string label, ReadOnlySpan<byte> payload, MonoTime now)
    {
        foreach (Channel channel in _channels)
        {
            if (channel.IsOpen && channel.Label == label)
            {
                // RFC 8831 §6.6: an empty message cannot travel, so one zero byte does under another identifier.
                return payload.IsEmpty
                    ? _sctp.TrySend(channel.Id, PpidBinaryEmpty, [0], channel.Delivery, now)
                    : _sctp.TrySend(channel.Id, PpidBinary, payload, channel.Delivery, now);
            }
        }
        return false;
    }

    private void Handle(in SctpMessage message, MonoTime now)
    {
        switch (message.Ppid)
        {
            case PpidControl:
                HandleControl(message, now);
                break;
            case PpidString or PpidBinary:
                HandleData(message.Stream, message.Payload);
                break;
            case PpidStringEmpty or PpidBinaryEmpty:
                HandleData(message.Stream, []);
                break;
            default:
                _counters.SctpMalformed++;
                break;
        }
    }

    private void HandleData(ushort stream, byte[] payload)
    {
        Channel? channel = Find(stream);
        if (channel is null)
        {
            _counters.SctpMalformed++;
            return;
        }
        // The peer has the channel, else it could not write to it: its ACK is only late.
        MarkOpen(channel);
        _events.Enqueue(new PeerEvent(PeerEventKind.Data, channel.Label, payload, null));
    }

    private void HandleControl(in SctpMessage message, MonoTime now)
    {
        ReadOnlySpan<byte> bytes = message.Payload;
        Channel? channel = Find(message.Stream);
        if (bytes.Length >= 1 && bytes[0] == AckMessage)
        {
            if (channel is not null)
            {
                MarkOpen(channel);
            }
            return;
        }
        if (!TryReadOpen(message, out Channel? opened) || (channel is null && _channels.Count >= SctpLimits.StreamsInUse))
        {
            _counters.SctpMalformed++;
            return;
        }
        if (channel is null)
        {
            _channels.Add(opened);
            channel = opened;
        }
        _sctp.TrySend(message.Stream, PpidControl, [AckMessage], new SctpDelivery(true, -1), now);
        MarkOpen(channel);
    }

    private static bool TryReadOpen(in SctpMessage message, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Channel? channel)
    {
        channel = null;
        ReadOnlySpan<byte> bytes = message.Payload;
        if (bytes.Length < OpenBytes || bytes[0] != OpenMessage)
        {
            return false;
        }
        byte type = bytes[1];
        uint parameter = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        int labelBytes = BinaryPrimitives.ReadUInt16BigEndian(bytes[8..]);
        if (labelBytes > LabelBytesMax || OpenBytes + labelBytes > bytes.Length)
        {
            return false;
        }
        bool isLimited = (type & ~UnorderedBit) == 1;
        int retransmits = isLimited ? (int)Math.Min(parameter, int.MaxValue) : -1;
        string label = Encoding.UTF8.GetString(bytes.Slice(OpenBytes, labelBytes));
        channel = new Channel(message.Stream, label, new SctpDelivery((type & UnorderedBit) == 0, retransmits));
        return true;
    }

    private void SendOpen(Channel channel, MonoTime now)
    {
        Span<byte> bytes = stackalloc byte[OpenBytes + LabelBytesMax];
        bytes.Clear();
        if (!Encoding.UTF8.TryGetBytes(channel.Label, bytes[OpenBytes..], out int labelBytes))
        {
            return;
        }
        SctpDelivery delivery = channel.Delivery;
        bytes[0] = OpenMessage;
        bytes[1] = (byte)((delivery.IsOrdered ? 0 : UnorderedBit) | (delivery.MaxRetransmits < 0 ? 0 : 1));
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], (uint)Math.Max(0, delivery.MaxRetransmits));
        BinaryPrimitives.WriteUInt16BigEndian(bytes[8..], (ushort)labelBytes);
        _sctp.TrySend(channel.Id, PpidControl, bytes[..(OpenBytes + labelBytes)], new SctpDelivery(true, -1), now);
    }

    private void MarkOpen(Channel channel)
    {
        if (!channel.IsOpen)
        {
            channel.IsOpen = true;
            _events.Enqueue(new PeerEvent(PeerEventKind.ChannelOpen, channel.Label, null, null));
        }
    }

    private void Close(ushort stream)
    {
        Channel? channel = Find(stream);
        if (channel is not null)
        {
            _channels.Remove(channel);
            _events.Enqueue(new PeerEvent(PeerEventKind.ChannelClosed, channel.Label, null, null));
        }
    }

    private Channel? Find(ushort stream)
    {
        foreach (Channel channel in _channels)
        {
            if (channel.Id == stream)
            {
                return channel;
            }
        }
        return null;
    }

    private sealed class Channel(ushort id, string label, SctpDelivery delivery)
    {
        public ushort Id { get; } = id;

        public string Label { get; } = label;

        public SctpDelivery Delivery { get; } = delivery;

        public bool IsOpen { get; set; }
    }
}
