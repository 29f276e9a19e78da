using System.Buffers;
using System.Collections.Generic;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Proxy.Policy.Explaining;

/// <summary>Any thread. A verdict and its trace for programs: the object that <c>explain --json</c> prints.</summary>
public static class ExplainJson
{
    public static string Write(in CallFacts facts, Verdict verdict, DecisionTrace trace)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            WriteVerdict(json, facts, verdict);
            if (verdict.Deferral is { } deferral)
            {
                json.WriteStartObject("local");
                WriteVerdict(json, facts, deferral.Local);
                json.WriteEndObject();
            }
            WriteSteps(json, trace);
            json.WriteNumber("policy_version", verdict.PolicyVersion);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    internal static void WriteVerdict(Utf8JsonWriter json, in CallFacts facts, Verdict verdict)
    {
        json.WriteString("verdict", Name(verdict.Kind));
        json.WriteStartObject("sip");
        json.WriteNumber("status", verdict.SipStatus);
        json.WriteString("reason", verdict.SipReason);
        json.WriteEndObject();
        json.WriteString("code", verdict.Code == RefusalCode.None ? "" : Refusals.Name(verdict.Code));
        json.WriteString("sentence", verdict.Sentence);
        json.WriteString("note", verdict.Note);
        json.WriteString("trunk_id", verdict.TrunkId);
        json.WriteString("rule_id", verdict.RuleId);
        json.WriteString("room", verdict.Room);
        json.WriteString("identity", verdict.Identity);
        json.WriteString("name", verdict.Name);
        json.WriteStartObject("attributes");
        foreach (KeyValuePair<string, string> attribute in verdict.Attributes)
        {
            json.WriteString(attribute.Key, attribute.Value);
        }
        json.WriteEndObject();
        json.WriteStartArray("agents");
        foreach (string agent in verdict.Agents)
        {
            json.WriteStringValue(agent);
        }
        json.WriteEndArray();
        json.WriteString("compat", verdict.Compat == CompatUse.None ? "" : verdict.Compat.ToString());
        json.WriteBoolean("addresses_checked", facts.Source.IsSet);
    }

    private static void WriteSteps(Utf8JsonWriter json, DecisionTrace trace)
    {
        json.WriteStartArray("steps");
        foreach (TraceStep step in trace.Steps)
        {
            json.WriteStartObject();
            json.WriteString("kind", step.Kind);
            json.WriteString("id", step.Id);
            json.WriteString("name", step.Name);
            json.WriteBoolean("held", step.Held);
            json.WriteString("failed", step.Failed);
            json.WriteString("near_miss", step.NearMiss);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static string Name(VerdictKind kind) => kind switch
    {
        VerdictKind.Reject => "reject",
        VerdictKind.Challenge => "challenge",
        VerdictKind.AskPin => "pin",
        VerdictKind.Deferred => "deferred",
        _ => "join",
    };
}
