using System;
using System.Text;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;

namespace Proxy.Bridge.Transfers;

/// <summary>Signal thread. A REFER of the caller's side: whom it names, and what is told of it.</summary>
/// <remarks>
/// RFC 3515 §2.4. Deviation: we place no call to the target. A target that our policy sends to a room moves the call there; any other is refused.
/// </remarks>
internal sealed class Referral
{
    private readonly SipDialog _dialog;
    private readonly uint _cseq;
    private readonly string _user;
    private readonly string _host;

    private Referral(SipDialog dialog, uint cseq, string target, string user, string host)
    {
        _dialog = dialog;
        _cseq = cseq;
        Target = target;
        _user = user;
        _host = host;
    }

    /// <summary>The URI.</summary>
    public string Target { get; }

    /// <summary>What an INVITE of the same caller to the target would have said.</summary>
    public CallFacts Facts { get; private set; } = new();

    /// <returns>0, or the status of a REFER that cannot be carried out: 400 without a Refer-To that can be read, 416 for another scheme, 603 for
    /// another method than INVITE or an attended transfer (Replaces).</returns>
    public static int TryRead(in SipMessageView refer, SipDialog dialog, out Referral? referral)
    {
        referral = null;
        if (!refer.TryGetHeader(SipHeaderId.ReferTo, out ReadOnlySpan<byte> value) || !NameAddrView.TryParse(value, out NameAddrView address))
        {
            return 400;
        }
        if (!SipUriView.TryParse(address.Uri, out SipUriView uri))
        {
            return address.Uri.Contains((byte)':') ? 416 : 400;
        }
        bool isInvite = !SipParameters.TryGet(uri.Parameters, "method"u8, out ReadOnlySpan<byte> method) || method.SequenceEqual("INVITE"u8);
        if (!isInvite || Encoding.ASCII.GetString(uri.Headers).Contains("Replaces", StringComparison.OrdinalIgnoreCase))
        {
            return 603;
        }
        (string user, string host) = FactsFromInvite.ReadUri(address.Uri);
        referral = new Referral(dialog, refer.CSeq.Number, Encoding.UTF8.GetString(address.Uri), user, host);
        return 0;
    }

    /// <summary>Makes <see cref="Facts"/> of those of the call's INVITE.</summary>
    public void Read(in CallFacts invite, in SipMessageView refer, DateTimeOffset utc) => Facts = invite with
    {
        Method = "REFER",
        RequestUri = Encoding.UTF8.GetString(refer.RequestUri),
        RequestUser = _user,
        RequestHost = _host,
        ToUser = _user,
        ToHost = _host,
        Credentials = FactsFromInvite.ReadCredentials(in refer),
        Utc = utc,
    };

    public void Tell(int status, bool isLast, MonoTime now) => _dialog.Notify(_cseq, status, isLast, now);
}
