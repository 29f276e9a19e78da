using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Proxy.Policy.Explaining;

/// <summary>Any thread. A verdict and its trace for people: the same text for <c>explain</c> and for a refused call's record.</summary>
public static class ExplainText
{
    public static string Write(in CallFacts facts, Verdict verdict, DecisionTrace trace)
    {
        var text = new StringBuilder();
        string source = facts.Source.IsSet ? facts.Source.ToString() : "an address that was not given (addresses not checked)";
        text.Append(CultureInfo.InvariantCulture, $"call from {Shown(facts.FromUser)} to {Shown(facts.ToUser)}, by {facts.Transport} from {source}\n");
        foreach (TraceStep step in trace.Steps)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {(step.Held ? '+' : '-')} {step.Kind} {Shown(step.Id)}");
            if (step.Name.Length > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $" \"{Shown(step.Name)}\"");
            }
            text.Append(step.Held ? ": holds" : ": " + step.Failed);
            text.Append(step.NearMiss.Length > 0 ? " (" + step.NearMiss + ")\n" : "\n");
        }
        if (trace.Dropped > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"  … and {trace.Dropped} more\n");
        }
        if (verdict.Note.Length > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {verdict.Note}\n");
        }
        WriteOutcome(text, verdict);
        return text.ToString();
    }

    private static void WriteOutcome(StringBuilder text, Verdict verdict)
    {
        string status = string.Create(CultureInfo.InvariantCulture, $"{verdict.SipStatus} {verdict.SipReason}");
        switch (verdict.Kind)
        {
            case VerdictKind.Reject:
                text.Append(CultureInfo.InvariantCulture, $"refused: {status} ({Refusals.Name(verdict.Code)}): {verdict.Sentence}\n");
                break;
            case VerdictKind.Challenge:
                text.Append(CultureInfo.InvariantCulture, $"challenged: {status}, realm \"{verdict.Challenge!.Realm}\", {verdict.Challenge.Algorithm}: {verdict.Sentence}\n");
                break;
            case VerdictKind.AskPin:
                text.Append(CultureInfo.InvariantCulture, $"answered, then a PIN is asked: {verdict.Sentence}\n");
                break;
            case VerdictKind.Deferred:
                string who = verdict.Deferral!.Kind == Deferred.DeferralKind.Hook ? "the policy hook" : "Redis";
                text.Append(CultureInfo.InvariantCulture, $"{who} would be asked, for at most {verdict.Deferral.Patience.TotalMilliseconds:0} ms; without an answer:\n");
                WriteOutcome(text, verdict.Deferral.Local);
                return;
            default:
                WriteJoin(text, verdict);
                break;
        }
        text.Append(CultureInfo.InvariantCulture, $"policy version {verdict.PolicyVersion}\n");
    }

    private static void WriteJoin(StringBuilder text, Verdict verdict)
    {
        text.Append(CultureInfo.InvariantCulture, $"joins room {Shown(verdict.Room)} as {Shown(verdict.Identity)} \"{Shown(verdict.Name)}\"\n");
        foreach (KeyValuePair<string, string> attribute in verdict.Attributes)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {Shown(attribute.Key)} = {Shown(attribute.Value)}\n");
        }
        if (verdict.Agents.Length > 0)
        {
            string when = verdict.DispatchAgentsAlways ? "on every call" : "if this call creates the room";
            text.Append(CultureInfo.InvariantCulture, $"  dispatches {string.Join(", ", Array.ConvertAll(verdict.Agents, Shown))} {when}\n");
        }
        if (verdict.Compat != CompatUse.None)
        {
            text.Append(CultureInfo.InvariantCulture, $"  only livekit's lenient meaning lets it pass: {verdict.Compat}\n");
        }
    }

    private static string Shown(string text) => RulePolicy.Shown(text);
}
