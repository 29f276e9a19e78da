using System;
using System.Text;
using Proxy.WebRtc.Stun;

namespace Proxy.WebRtc.Ice;

/// <summary>One owner. One side's credentials, ready to sign and to compare.</summary>
internal sealed class IceKeys : IDisposable
{
    private readonly IceCredentials _credentials;

    public IceKeys(IceCredentials credentials)
    {
        _credentials = credentials;
        Ufrag = Encoding.UTF8.GetBytes(credentials.Ufrag);
        Integrity = new StunIntegrity(credentials.Pwd);
    }

    public byte[] Ufrag { get; }

    public StunIntegrity Integrity { get; }

    public bool IsMadeOf(IceCredentials credentials) => _credentials == credentials;

    /// <summary>Whether a request's USERNAME is meant for this side (RFC 8445 §7.3: the part before the colon).</summary>
    public bool IsReceiver(ReadOnlySpan<byte> username) =>
        username.Length > Ufrag.Length && username[Ufrag.Length] == (byte)':' && username[..Ufrag.Length].SequenceEqual(Ufrag);

    public void Dispose() => Integrity.Dispose();
}
