using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Testing;
using Proxy.WebRtc;
using Proxy.WebRtc.Sctp;
using Proxy.WebRtc.Stun;

namespace Proxy.Fuzz.Targets;

internal static class WebRtcTargets
{
    private static readonly StunIntegrity s_key = new("VOkJxbRl1RmTxUk/WvJxBt");

    public static Target Stun() => new("stun", ReadStun, StunMessages(), Words.Bytes) { LongestInput = 1_500 };

    /// <summary>Packets with the right tag and checksum to an association that is up: what DTLS lets through from an honest key.</summary>
    public static Target Sctp() => new("sctp", TalkSctp, SctpPackets(), Words.Sctp) { AllocatesAtMost = 1_000_000, AllocatesPerByte = 200, LongestInput = 4_096 };

    private static IEnumerable<byte[]> StunMessages()
    {
        using JsonDocument vectors = JsonDocument.Parse(TestData.Bytes("stun", "stun_vectors.json"));
        return [.. vectors.RootElement.GetProperty("vectors").EnumerateArray().Where(v => v.TryGetProperty("hex", out _)).Select(v => Convert.FromHexString(v.GetProperty("hex").GetString()!))];
    }

    private static void ReadStun(byte[] input)
    {
        PeerConnection.TryReadLocalUfrag(input, out _);
        if (!StunView.TryParse(input, out StunView view, out _))
        {
            return;
        }
        _ = view.Username.Length + view.Priority + view.ErrorCode + (long)view.TieBreaker + view.TransactionId.Length;
        view.TryGetMappedAddress(out _);
        if (view.HasFingerprint)
        {
            view.VerifyFingerprint();
        }
        if (view.HasIntegrity)
        {
            view.VerifyIntegrity(s_key);
        }
    }

    private static IEnumerable<byte[]> SctpPackets()
    {
        // DATA of DCEP open, SACK, FORWARD-TSN, RE-CONFIG, HEARTBEAT, SHUTDOWN, ABORT; the TSN is made relative below.
        byte[] open = [0, 3, 0, 28, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 50, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        byte[] text = [0, 3, 0, 20, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 51, 116, 101, 115, 116];
        byte[] sack = [3, 0, 0, 20, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 4];
        byte[] forward = [192, 0, 0, 12, 0, 0, 0, 5, 0, 1, 0, 1];
        byte[] reset = [130, 0, 0, 22, 0, 13, 0, 18, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 0];
        yield return Pieces.Join(open, text, text);
        yield return Pieces.Join([.. open, .. text], sack);
        yield return Pieces.Join(text, forward, sack);
        yield return Pieces.Join(open, reset, reset);
        yield return Pieces.Join([4, 0, 0, 12, 0, 1, 0, 8, 1, 2, 3, 4], [7, 0, 0, 8, 0, 0, 0, 0], [8, 0, 0, 4]);
        yield return Pieces.Join([6, 0, 0, 4]);
    }

    private static void TalkSctp(byte[] input)
    {
        PeerCounters counters = new();
        SctpAssociation ours = new(new SeededRandom(1), counters);
        SctpAssociation peer = new(new SeededRandom(2), new PeerCounters());
        MonoTime now = MonoTime.FromMillis(1_000);
        uint tag = Connect(ours, peer, now, out uint firstTsn);
        byte[] buffer = new byte[1_500];
        ours.TrySend(1, 51, "hello"u8, new SctpDelivery(true, -1), now);
        foreach (byte[] piece in Pieces.Cut(input, 1_100))
        {
            now = now.AddMillis(50);
            int length = SctpWire.HeaderBytes + piece.Length;
            SctpWire.WriteHeader(buffer, tag);
            piece.CopyTo(buffer.AsSpan(SctpWire.HeaderBytes));
            MakeRelative(buffer.AsSpan(SctpWire.HeaderBytes, piece.Length), firstTsn);
            SctpWire.Seal(buffer.AsSpan(0, length));
            ours.HandlePacket(buffer.AsSpan(0, length), now);
            for (int i = 0; ours.TryPollPacket(buffer, now, out _); i++)
            {
                if (i > 1_000)
                {
                    throw new InvalidOperationException("one packet makes a thousand");
                }
            }
            while (ours.TryReceive(out _) || ours.TryPollReset(out _))
            {
            }
            if (ours.NextDeadline <= now)
            {
                ours.HandleTimeout(now);
            }
        }
    }

    /// <summary>A first chunk that carries a TSN has it counted from the peer's first one: random 32 bits would never fit.</summary>
    private static void MakeRelative(Span<byte> chunk, uint firstTsn)
    {
        if (chunk.Length >= 8 && chunk[0] is SctpWire.Data or SctpWire.ForwardTsn)
        {
            uint tsn = BinaryPrimitives.ReadUInt32BigEndian(chunk[4..]);
            BinaryPrimitives.WriteUInt32BigEndian(chunk[4..], firstTsn + tsn);
        }
    }

    private static uint Connect(SctpAssociation ours, SctpAssociation peer, MonoTime now, out uint firstTsn)
    {
        byte[] buffer = new byte[1_500];
        uint tag = 0;
        firstTsn = 0;
        peer.Start(now);
        for (int i = 0; i < 10; i++)
        {
            while (peer.TryPollPacket(buffer, now, out int length))
            {
                tag = BinaryPrimitives.ReadUInt32BigEndian(buffer.AsSpan(4));
                if (buffer[SctpWire.HeaderBytes] == SctpWire.Init)
                {
                    firstTsn = BinaryPrimitives.ReadUInt32BigEndian(buffer.AsSpan(SctpWire.HeaderBytes + 16));
                }
                ours.HandlePacket(buffer.AsSpan(0, length), now);
            }
            while (ours.TryPollPacket(buffer, now, out int length))
            {
                peer.HandlePacket(buffer.AsSpan(0, length), now);
            }
        }
        return ours.State == SctpState.Established ? tag : throw new InvalidOperationException("the association did not come up");
    }
}
