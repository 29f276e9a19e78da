using System.Collections.Generic;
using Proxy.Policy.Dispatch;

namespace Proxy.Policy;

/// <summary>One decision. The verdict of a call that joins a room without trunk and rule: known by its number alone.</summary>
internal static class PlainJoin
{
    public static Verdict For(in CallFacts facts, string room, byte[] secret)
    {
        CallerName caller = CallerName.For(facts.FromUser, new DispatchRule(), Compat.Strict, secret);
        return new Verdict
        {
            Kind = VerdictKind.Join,
            Room = room,
            Identity = caller.Identity,
            Name = caller.Name,
            Attributes = Attributes(facts, caller),
        };
    }

    private static KeyValuePair<string, string>[] Attributes(in CallFacts facts, in CallerName caller)
    {
        var attributes = new CallAttributes();
        attributes.SetHeaders(facts, Trunks.IncludeHeaders.XHeaders, hidesNumber: false);
        attributes.Set("sip.callID", facts.CallId);
        attributes.Set("sip.callIDFull", facts.SipCallId);
        attributes.Set("sip.callTag", facts.FromTag);
        attributes.Set("sip.phoneNumber", caller.User);
        attributes.Set("sip.hostname", facts.FromHost);
        attributes.Set("sip.trunkPhoneNumber", facts.ToUser);
        attributes.SetProvider(facts);
        return attributes.ToArray();
    }
}
