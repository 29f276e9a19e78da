using System;
using System.Collections.Generic;
using Proxy.Participant;
using Proxy.Rigs;
using Proxy.Rtp.Srtp;
using Proxy.WebRtc.Stun;

namespace Proxy.Stopwatch.Operations;

/// <summary>The room side, and a call's packet path as a whole: datagram in, datagram out, without the kernel.</summary>
internal static class RoomOperations
{
    public static IEnumerable<Operation> All =>
    [
        new("STUN: read and verify a check", Check),
        new("STUN: write a check", Write),
        new("Call: caller's packet to the room, passthrough (GCM out)", Uplink),
        new("Call: 20 ms both ways, passthrough up, G.711 down", () => Turn(RoomCodec.Pcmu, null)),
        new("Call: the same, caller's leg SRTP", () => Turn(RoomCodec.Pcmu, SrtpProfile.AesCm128HmacSha1_80)),
        new("Call: 20 ms both ways, Opus up and down", () => Turn(RoomCodec.Opus, null)),
    ];

    private static Action Check()
    {
        byte[] buffer = new byte[400];
        StunIntegrity key = new("a password of twenty-two");
        int length = WriteCheck(buffer, new byte[12], key);
        return () =>
        {
            if (!StunView.TryParse(buffer.AsSpan(0, length), out StunView view, out _) || !view.VerifyFingerprint() || !view.VerifyIntegrity(key))
            {
                throw new InvalidOperationException("a check of ours was refused");
            }
        };
    }

    private static Action Write()
    {
        byte[] buffer = new byte[400];
        byte[] transaction = new byte[12];
        StunIntegrity key = new("a password of twenty-two");
        return () => WriteCheck(buffer, transaction, key);
    }

    private static int WriteCheck(Span<byte> buffer, ReadOnlySpan<byte> transaction, StunIntegrity key)
    {
        StunWriter writer = new(buffer, StunMessageType.BindingRequest, transaction);
        writer.Username("abcdefgh"u8, "ijklmnop"u8);
        writer.Priority(1);
        writer.Role(true, 7);
        return writer.Finish(key);
    }

    /// <summary>Time stands still here: the packets count up, the path is the packet's alone.</summary>
    private static Action Uplink()
    {
        CallRig rig = new(RoomCodec.Pcmu);
        rig.Turn();
        return rig.Uplink;
    }

    private static Action Turn(RoomCodec codec, SrtpProfile? profile) => new CallRig(codec, profile).Turn;
}
