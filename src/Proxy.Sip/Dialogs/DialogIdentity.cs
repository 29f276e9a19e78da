using System;
using Proxy.Sip.Parsing;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Dialogs;

/// <summary>Signal thread. The texts of a dialog that never change, in one array: ids, both addresses, the route set.</summary>
/// <remarks>RFC 3261 §12.1.1: what the UAS keeps.</remarks>
internal sealed class DialogIdentity
{
    private readonly byte[] _text;
    private readonly Range _callId;
    private readonly Range _remoteTag;
    private readonly Range _localTag;
    private readonly Range _local;
    private readonly Range _remote;
    private readonly Range _routes;

    private DialogIdentity(byte[] text, Range callId, Range remoteTag, Range localTag, Range local, Range remote, Range routes)
    {
        _text = text;
        _callId = callId;
        _remoteTag = remoteTag;
        _localTag = localTag;
        _local = local;
        _remote = remote;
        _routes = routes;
    }

    public ReadOnlySpan<byte> CallId => _text.AsSpan(_callId);

    public ReadOnlySpan<byte> RemoteTag => _text.AsSpan(_remoteTag);

    public ReadOnlySpan<byte> LocalTag => _text.AsSpan(_localTag);

    /// <summary>From of our requests: the To of the INVITE with our tag.</summary>
    public ReadOnlySpan<byte> Local => _text.AsSpan(_local);

    /// <summary>To of our requests: the From of the INVITE.</summary>
    public ReadOnlySpan<byte> Remote => _text.AsSpan(_remote);

    /// <summary>Record-Route of the INVITE, in its order, comma-separated.</summary>
    public ReadOnlySpan<byte> RouteSet => _text.AsSpan(_routes);

    /// <summary>Copies what the dialog keeps out of the INVITE.</summary>
    public static DialogIdentity From(in SipMessageView invite, ReadOnlySpan<byte> localTag, Span<byte> scratch)
    {
        var writer = new SipWriter(scratch);
        Range callId = Append(ref writer, invite.CallId);
        Range remoteTag = Append(ref writer, invite.From.Tag);
        int start = writer.Length;
        writer.AddValue(invite.ToValue);
        writer.Add(";tag="u8);
        Range tag = Append(ref writer, localTag);
        Range local = start..writer.Length;
        Range remote = Append(ref writer, invite.FromValue);
        start = writer.Length;
        foreach (SipHeaderView header in invite.Headers)
        {
            if (header.Id == SipHeaderId.RecordRoute)
            {
                writer.Add(writer.Length > start ? ", "u8 : default);
                writer.AddValue(header.Value);
            }
        }
        byte[] text = scratch[..writer.Length].ToArray();
        return new DialogIdentity(text, callId, remoteTag, tag, local, remote, start..writer.Length);
    }

    private static Range Append(ref SipWriter writer, ReadOnlySpan<byte> value)
    {
        int start = writer.Length;
        writer.AddValue(value);
        return start..writer.Length;
    }
}
