using System;
using System.Collections.Generic;
using System.Globalization;
using System.Security;
using Proxy.LiveKit.Protocol;
using Proxy.Policy.Numbers;
using Proxy.Server.Config;
using Proxy.Server.Store;

namespace Proxy.Server.Twilio;

/// <summary>Any thread. The TwiML that sends a call to us: for the number that was called, with its trunk's credentials.</summary>
/// <param name="Twiml">What Twilio gets.</param>
/// <param name="Target">The SIP URI that is dialled; empty when the call is refused.</param>
/// <param name="User">The trunk's user name; empty where it asks for none.</param>
/// <param name="Password">A secret, never logged.</param>
/// <param name="Problem">Why the call is refused, one sentence; empty otherwise.</param>
public sealed record VoiceAnswer(string Twiml, string Target, string User, string Password, string Problem)
{
    private const string Head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

    /// <param name="number">The number that was called, as Twilio's form has it in <c>To</c>.</param>
    public static VoiceAnswer For(string number, StoredObjects objects, TwilioConfig config)
    {
        string normal = NumberText.Normalise(number);
        if (!NumberText.IsPhone(number) || normal.Length < 4)
        {
            return Refused($"'{(number.Length > 32 ? "…" : number)}' is no telephone number");
        }
        if (config.SipHost.Length == 0)
        {
            return Refused("twilio.sip_host is missing in the configuration");
        }
        (SIPInboundTrunkInfo? trunk, string problem) = Find(normal, objects);
        if (trunk is null)
        {
            return Refused(problem);
        }
        string target = $"sip:{normal}@{config.SipHost};transport={config.Transport}";
        string credentials = trunk.AuthUsername.Length == 0 ? ""
            : $" username=\"{SecurityElement.Escape(trunk.AuthUsername)}\" password=\"{SecurityElement.Escape(trunk.AuthPassword)}\"";
        // Without answerOnBridge Twilio answers the caller before we do, and bills the ringing.
        string twiml = $"{Head}<Response><Dial answerOnBridge=\"true\"><Sip{credentials}>{SecurityElement.Escape(target)}</Sip></Dial></Response>\n";
        return new VoiceAnswer(twiml, target, trunk.AuthUsername, trunk.AuthPassword, "");
    }

    /// <summary>The other documented form: the caller waits in a conference, and a REST call adds us to it.</summary>
    public static string Conference(string name) =>
        $"{Head}<Response><Dial><Conference>{SecurityElement.Escape(name)}</Conference></Dial></Response>\n";

    private static VoiceAnswer Refused(string problem) =>
        new($"{Head}<Response><!-- siproom: {problem.Replace("--", "- -", StringComparison.Ordinal)} --><Reject/></Response>\n", "", "", "", problem);

    /// <summary>The trunk that lists the number; else the only one that lists no number and asks for credentials.</summary>
    private static (SIPInboundTrunkInfo? Trunk, string Problem) Find(string number, StoredObjects objects)
    {
        List<SIPInboundTrunkInfo> listed = [];
        List<SIPInboundTrunkInfo> open = [];
        foreach (SIPInboundTrunkInfo trunk in objects.Inbound.Values)
        {
            bool holds = false;
            foreach (string text in trunk.Numbers)
            {
                holds |= NumberText.Normalise(text) == number;
            }
            if (holds)
            {
                listed.Add(trunk);
            }
            else if (trunk.Numbers.Count == 0 && trunk.AuthUsername.Length > 0)
            {
                open.Add(trunk);
            }
        }
        // The same number on two carriers: Twilio's is the one that asks for credentials, because its calls come from many addresses.
        List<SIPInboundTrunkInfo> found = listed.Count > 1 ? listed.FindAll(trunk => trunk.AuthUsername.Length > 0) : listed.Count == 1 ? listed : open;
        return found.Count == 1 ? (found[0], "")
            : (null, found.Count == 0
                ? string.Create(CultureInfo.InvariantCulture, $"no trunk lists {number}, and none without numbers asks for credentials")
                : $"trunks {found[0].SipTrunkId} and {found[1].SipTrunkId} both could take {number}");
    }
}
