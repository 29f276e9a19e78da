using System;
using Proxy.Sip.Parsing;
using Proxy.Sip.Transactions;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Dialogs;

/// <summary>Signal thread. Builds the messages of one dialog: what it says about itself and about the peer.</summary>
/// <remarks>RFC 3261 §12.1.1, §12.2.1.1, §13.3.1.</remarks>
internal sealed class DialogMessages
{
    private readonly SipCore _core;
    private readonly byte[] _contact;

    public DialogMessages(SipCore core, in SipMessageView invite, in SipFlow flow, ReadOnlySpan<byte> localTag)
    {
        _core = core;
        Identity = DialogIdentity.From(in invite, localTag, core.Scratch);
        _contact = ContactOf(core.Listener(in flow), SipUriView.SchemeOf(invite.RequestUri) == SipUriScheme.Sips);
        RemoteTarget = invite.TryGetContact(out NameAddrView contact) ? contact.Uri.ToArray() : invite.From.Uri.ToArray();
    }

    public DialogIdentity Identity { get; }

    /// <summary>The peer's Contact URI.</summary>
    public byte[] RemoteTarget { get; private set; }

    /// <summary>Takes the Contact of a target refresh (§12.2).</summary>
    public void RefreshTarget(in SipMessageView message)
    {
        if (message.TryGetContact(out NameAddrView contact) && !contact.Uri.SequenceEqual(RemoteTarget))
        {
            RemoteTarget = contact.Uri.ToArray();
        }
    }

    /// <summary>A response to a request of the peer.</summary>
    /// <returns>A pooled message, or −1.</returns>
    public int BuildResponse(ServerTransaction transaction, bool isFirstInvite, int status, ReadOnlySpan<byte> reason, ReadOnlySpan<byte> body, ReadOnlySpan<byte> extra)
    {
        SipMessageView.TryParse(_core.Pool.Bytes(transaction.Request), out SipMessageView request, out _, _core.Limits);
        bool isInvite = transaction.IsInvite;
        bool isSuccess = status is >= 200 and < 300;
        bool formsDialog = isInvite && status is > 100 and < 300;
        bool isTargetRefresh = formsDialog || (isSuccess && transaction.Method is SipMethod.Update or SipMethod.Refer or SipMethod.Notify);
        var parts = new ResponseParts
        {
            Status = status,
            Reason = reason,
            ToTag = Identity.LocalTag,
            HasRecordRoute = formsDialog && isFirstInvite,
            Contact = isTargetRefresh ? _contact : default,
            // RFC 3311 §5.1: with the description that makes an UPDATE possible comes the word that UPDATE is taken.
            HasAllow = status == 405 || (formsDialog && !body.IsEmpty) || (isSuccess && transaction.Method is SipMethod.Invite or SipMethod.Options or SipMethod.Update),
            HasSupported = isSuccess && transaction.Method is SipMethod.Invite or SipMethod.Options or SipMethod.Update,
            Extra = extra,
            ContentType = transaction.Method is SipMethod.Invite or SipMethod.Update or SipMethod.Prack ? "application/sdp"u8 : default,
            Body = body,
        };
        return _core.BuildResponse(in request, transaction.Source, ref parts);
    }

    /// <summary>A request of ours.</summary>
    /// <returns>A pooled message, or −1.</returns>
    public int BuildRequest(SipMethod method, ReadOnlySpan<byte> branch, uint cseq, in SipFlow flow, ReadOnlySpan<byte> extra, ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body)
    {
        bool isTargetRefresh = method is SipMethod.Invite or SipMethod.Update or SipMethod.Refer or SipMethod.Notify;
        var parts = new RequestParts
        {
            Method = SipMethods.Name(method),
            RemoteTarget = RemoteTarget,
            RouteSet = Identity.RouteSet,
            Transport = flow.Transport,
            SentBy = _core.Listener(in flow).Advertised,
            Branch = branch,
            From = Identity.Local,
            To = Identity.Remote,
            CallId = Identity.CallId,
            CSeq = cseq,
            Contact = isTargetRefresh ? _contact : default,
            HasAllow = method is SipMethod.Invite or SipMethod.Update,
            HasSupported = isTargetRefresh,
            Extra = extra,
            ContentType = contentType,
            Body = body,
        };
        return _core.BuildRequest(ref parts);
    }

    private static byte[] ContactOf(SipListener listener, bool isSips)
    {
        Span<byte> buffer = stackalloc byte[384];
        var writer = new SipWriter(buffer);
        writer.Add(isSips ? "<sips:"u8 : "<sip:"u8);
        if (listener.Host is { Length: > 0 and < 256 } host)
        {
            writer.Add(System.Text.Encoding.ASCII.GetBytes(host));
            writer.Add(":"u8);
            writer.AddNumber(listener.Advertised.Port);
        }
        else
        {
            writer.AddHostPort(listener.Advertised);
        }
        writer.Add(listener.Transport switch
        {
            SipTransport.Tcp => ";transport=tcp"u8,
            SipTransport.Tls when !isSips => ";transport=tls"u8,
            _ => default,
        });
        writer.Add(">"u8);
        return buffer[..writer.Length].ToArray();
    }
}
