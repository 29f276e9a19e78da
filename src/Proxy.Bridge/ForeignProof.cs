using System.Text;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Sip;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;

namespace Proxy.Bridge;

/// <summary>Signal thread. Whether somebody from elsewhere may speak in a call: who it is, it proves by the credentials of the call's trunk.</summary>
internal sealed class ForeignProof : IForeignJudge
{
    private readonly Call _call;
    private readonly CallServices _services;
    private readonly CallFacts _facts;

    /// <param name="facts">Of the call's INVITE.</param>
    public ForeignProof(Call call, CallServices services, in CallFacts facts)
    {
        _call = call;
        _services = services;
        _facts = facts;
    }

    /// <summary>A request of this call's dialog from elsewhere: the credentials of the call's trunk, or nothing.</summary>
    public ForeignVerdict Judge(in SipMessageView request, in SipFlow flow, MonoTime now, out byte[] challenge)
    {
        Verdict verdict = Decide(
            _facts with
            {
                Method = Encoding.ASCII.GetString(request.MethodText),
                Source = flow.Remote,
                Transport = FactsFromInvite.TransportName(flow.Transport),
                Credentials = FactsFromInvite.ReadCredentials(request),
                Utc = _services.UtcAt(now),
            },
            now);
        challenge = verdict.Challenge is { } asked ? Encoding.UTF8.GetBytes(Turnstile.ChallengeText(asked)) : [];
        return verdict.Kind switch
        {
            VerdictKind.Join => ForeignVerdict.Take,
            VerdictKind.Challenge => ForeignVerdict.Ask,
            _ => ForeignVerdict.Refuse,
        };
    }

    /// <returns>Join, or the challenge, or a refusal.</returns>
    public Verdict Decide(in CallFacts facts, MonoTime now) => _services.Policy.Prove(facts, _call.Verdict.TrunkId, _services.Caps.At(now));
}
