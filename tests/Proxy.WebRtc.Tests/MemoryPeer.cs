using System;
using System.Collections.Generic;
using System.Threading;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.WebRtc.Dtls;
using Proxy.WebRtc.Tests.Dtls;

namespace Proxy.WebRtc.Tests;

/// <summary>One owner. A peer whose datagrams are handed to another in memory, by the machine's clock.</summary>
internal sealed class MemoryPeer
{
    private readonly DtlsIdentity _identity;
    private readonly SetupRole _setup;
    private readonly IceCredentials _credentials;
    private readonly bool _isFull;

    public MemoryPeer(string address, bool isFull, SetupRole setup, DtlsIdentity identity, SeededRandom random, bool hasData = false, string[]? channels = null)
    {
        NetEndPoint.TryParse(address, out NetEndPoint parsed);
        Address = parsed;
        _identity = identity;
        _setup = setup;
        _isFull = isFull;
        _credentials = IceCredentials.Create(random);
        PeerOptions options = new()
        {
            Local = _credentials,
            IsControlling = isFull,
            Setup = setup,
            HasData = hasData,
            OpenChannels = channels ?? [],
        };
        Peer = new PeerConnection(options, identity, random, DtlsPump.Now);
    }

    public NetEndPoint Address { get; }

    public PeerConnection Peer { get; }

    public List<PeerEvent> Events { get; } = [];

    public RemoteDescription Describe() => new(_credentials, !_isFull, _identity.FingerprintSha256, _setup, [Address]);

    public static bool Run(MemoryPeer one, MemoryPeer two, TimeSpan time, Func<bool> until, Func<bool>? isLost = null)
    {
        MonoTime end = DtlsPump.Now + time;
        while (!until())
        {
            bool moved = one.Move(two, isLost) | two.Move(one, isLost);
            if (DtlsPump.Now > end)
            {
                return false;
            }
            if (!moved)
            {
                Thread.Sleep(1);
            }
        }
        return true;
    }

    private bool Move(MemoryPeer to, Func<bool>? isLost)
    {
        if (Peer.NextDeadline <= DtlsPump.Now)
        {
            Peer.HandleTimeout(DtlsPump.Now);
        }
        byte[] buffer = new byte[1500];
        bool moved = false;
        while (Peer.TryPollDatagram(buffer, out int length, out NetEndPoint target))
        {
            moved = true;
            if (target == to.Address && (isLost is null || !isLost()))
            {
                to.Peer.HandleDatagram(buffer.AsSpan(0, length), Address, DtlsPump.Now, out _);
            }
        }
        while (Peer.TryPollEvent(out PeerEvent peerEvent))
        {
            Events.Add(peerEvent);
        }
        return moved;
    }
}
