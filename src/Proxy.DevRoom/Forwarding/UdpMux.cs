using System;
using System.Collections.Generic;
using System.Text;
using Proxy.Core.Net;
using Proxy.DevRoom.Rooms;
using Proxy.WebRtc;

namespace Proxy.DevRoom.Forwarding;

/// <summary>
/// Room loop. Many peers behind one UDP port: a STUN request goes by the user fragment it names, everything else by the
/// remote address that an accepted request came from.
/// </summary>
internal sealed class UdpMux
{
    private readonly Dictionary<NetEndPoint, Participant> _byAddress = [];
    private readonly Dictionary<string, Participant> _byUfrag = [];
    private readonly Dictionary<string, Participant>.AlternateLookup<ReadOnlySpan<char>> _byUfragSpan;

    public UdpMux() => _byUfragSpan = _byUfrag.GetAlternateLookup<ReadOnlySpan<char>>();

    public int Addresses => _byAddress.Count;

    public void Add(string ufrag, Participant participant) => _byUfrag[ufrag] = participant;

    public void RemoveUfrag(string ufrag) => _byUfrag.Remove(ufrag);

    /// <summary>Forgets a participant and every address that led to it.</summary>
    public void Remove(Participant participant)
    {
        foreach (NetEndPoint address in participant.Addresses)
        {
            if (_byAddress.TryGetValue(address, out Participant? owner) && owner == participant)
            {
                _byAddress.Remove(address);
            }
        }
        participant.Addresses.Clear();
    }

    /// <param name="isNewAddress">Whether the address does not lead to that participant yet; see <see cref="Learn"/>.</param>
    /// <returns>The participant a datagram is meant for, or null.</returns>
    public Participant? Find(ReadOnlySpan<byte> datagram, in NetEndPoint from, out bool isNewAddress)
    {
        _byAddress.TryGetValue(from, out Participant? known);
        isNewAddress = false;
        if (datagram.IsEmpty || datagram[0] > 3 || !PeerConnection.TryReadLocalUfrag(datagram, out ReadOnlySpan<byte> ufrag) || ufrag.Length > 64)
        {
            return known;
        }
        Span<char> name = stackalloc char[64];
        int length = Encoding.Latin1.GetChars(ufrag, name);
        if (!_byUfragSpan.TryGetValue(name[..length], out Participant? named))
        {
            return null;
        }
        isNewAddress = named != known;
        return named;
    }

    /// <summary>From now on everything from the address goes to the participant; called once its check was accepted.</summary>
    public void Learn(in NetEndPoint from, Participant participant)
    {
        _byAddress[from] = participant;
        if (!participant.Addresses.Contains(from))
        {
            participant.Addresses.Add(from);
        }
    }
}
