using System;
using Proxy.Core.Memory;
using Proxy.Sip.Parsing;
using Proxy.Sip.Transactions;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Auth;

/// <summary>Signal thread. Answers the challenges to one dialog's requests; counts how often a nonce was used.</summary>
/// <remarks>RFC 3261 §22.2, §22.3; RFC 7616 §3.4; RFC 8760 §2.4: the first challenge that can be answered is.</remarks>
internal sealed class ChallengeAnswers(DigestLogin login, IRandom random)
{
    private const int ClientNonceLength = 16;
    private byte[] _nonce = [];
    private uint _count;

    /// <summary>Writes the value of Authorization or Proxy-Authorization.</summary>
    /// <param name="destination">Where the value goes.</param>
    /// <param name="response">The 401 or 407.</param>
    /// <param name="method">The request's method.</param>
    /// <param name="uri">The request's URI.</param>
    /// <param name="isStale">Whether only the nonce was too old.</param>
    /// <returns>Bytes written, or 0 when no challenge can be answered.</returns>
    public int Write(Span<byte> destination, in SipMessageView response, ReadOnlySpan<byte> method, ReadOnlySpan<byte> uri, out bool isStale)
    {
        SipHeaderId id = response.StatusCode == 401 ? SipHeaderId.WwwAuthenticate : SipHeaderId.ProxyAuthenticate;
        foreach (SipHeaderView header in response.Headers)
        {
            if (header.Id == id && DigestChallengeView.TryParse(header.Value, out DigestChallengeView challenge))
            {
                isStale = challenge.IsStale;
                return Write(destination, in challenge, method, uri);
            }
        }
        isStale = false;
        return 0;
    }

    private int Write(Span<byte> destination, in DigestChallengeView challenge, ReadOnlySpan<byte> method, ReadOnlySpan<byte> uri)
    {
        Span<byte> clientNonce = stackalloc byte[ClientNonceLength];
        RandomText.Fill(clientNonce, random);
        bool isKnown = challenge.Nonce.SequenceEqual(_nonce);
        _nonce = isKnown ? _nonce : challenge.Nonce.ToArray();
        _count = isKnown ? _count + 1 : 1;
        Span<byte> count = stackalloc byte[8];
        System.Buffers.Text.Utf8Formatter.TryFormat(_count, count, out _, new System.Buffers.StandardFormat('x', 8));
        var credentials = DigestCredentialsView.Of(in challenge, login.UserName, uri, clientNonce, count);
        Span<byte> ha1 = stackalloc byte[DigestAlgorithms.HexMax];
        int length = DigestResponse.ComputeHa1(challenge.Algorithm, login.UserName, challenge.Realm, login.Password, ha1);
        Span<byte> sum = stackalloc byte[DigestAlgorithms.HexMax];
        int written = DigestResponse.Compute(in credentials, ha1[..length], method, default, sum);
        return Write(destination, in challenge, in credentials, sum[..written]);
    }

    /// <summary>digest-response: username, realm, nonce, uri, response, then algorithm, opaque and qop where the challenge has them (RFC 7616 §3.4).</summary>
    private static int Write(Span<byte> destination, in DigestChallengeView challenge, in DigestCredentialsView credentials, ReadOnlySpan<byte> response)
    {
        var writer = new SipWriter(destination);
        writer.Add("Digest username=\""u8);
        foreach (ref readonly byte c in credentials.Username)
        {
            writer.Add(c is (byte)'"' or (byte)'\\' ? "\\"u8 : default);
            writer.AddValue(new ReadOnlySpan<byte>(in c));
        }
        AddQuoted(ref writer, "\",realm=\""u8, challenge.Realm);
        AddQuoted(ref writer, "\",nonce=\""u8, challenge.Nonce);
        AddQuoted(ref writer, "\",uri=\""u8, credentials.Uri);
        AddQuoted(ref writer, "\",response=\""u8, response);
        writer.Add("\""u8);
        if (!challenge.AlgorithmText.IsEmpty)
        {
            writer.Add(",algorithm="u8);
            writer.Add(DigestAlgorithms.Name(challenge.Algorithm));
        }
        if (!challenge.Opaque.IsEmpty)
        {
            AddQuoted(ref writer, ",opaque=\""u8, challenge.Opaque);
            writer.Add("\""u8);
        }
        if (challenge.HasQop)
        {
            AddQuoted(ref writer, ",qop=auth,nc="u8, credentials.NonceCount);
            AddQuoted(ref writer, ",cnonce=\""u8, credentials.CNonce);
            writer.Add("\""u8);
        }
        return writer.IsFull || response.IsEmpty ? 0 : writer.Length;
    }

    private static void AddQuoted(ref SipWriter writer, ReadOnlySpan<byte> before, ReadOnlySpan<byte> value)
    {
        writer.Add(before);
        writer.AddValue(value);
    }
}
