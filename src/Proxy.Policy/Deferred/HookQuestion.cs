using System;
using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Proxy.Policy.Explaining;

namespace Proxy.Policy.Deferred;

/// <summary>Any thread. The body that a hook gets: what the INVITE said and what the rules say. Never credentials, never a PIN.</summary>
public static class HookQuestion
{
    /// <param name="facts">The call.</param>
    /// <param name="deferral">What the rules say, and what happened before.</param>
    /// <param name="isExplain">There is no call: somebody asks what would become of one.</param>
    public static byte[] Write(in CallFacts facts, Deferral deferral, bool isExplain)
    {
        Verdict local = deferral.Local;
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 1);
            json.WriteBoolean("explain", isExplain);
            json.WriteString("stage", deferral.IsPinPassed ? "pin" : facts.Method == "REFER" ? "refer" : "invite");
            json.WriteStartObject("call");
            WriteCall(json, facts);
            json.WriteEndObject();
            json.WriteStartObject("local");
            ExplainJson.WriteVerdict(json, facts, local);
            json.WriteNumber("policy_version", local.PolicyVersion);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteCall(Utf8JsonWriter json, in CallFacts facts)
    {
        json.WriteString("call_id", facts.CallId);
        json.WriteString("sip_call_id", facts.SipCallId);
        json.WriteString("time", facts.Utc.UtcDateTime);
        json.WriteString("source", facts.Source.IsSet ? facts.Source.ToString() : "");
        json.WriteString("transport", facts.Transport);
        json.WriteString("request_uri", facts.RequestUri);
        json.WriteString("from", facts.FromUser);
        json.WriteString("from_host", facts.FromHost);
        json.WriteString("from_display", facts.FromDisplay);
        json.WriteString("to", facts.ToUser);
        json.WriteString("to_host", facts.ToHost);
        json.WriteString("asserted", facts.AssertedUser);
        json.WriteString("diverted", facts.DivertedUser);
        json.WriteStartArray("headers");
        foreach (FactHeader header in facts.Headers)
        {
            if (!header.Name.EndsWith("Authorization", StringComparison.OrdinalIgnoreCase))
            {
                json.WriteStartArray();
                json.WriteStringValue(header.Name);
                json.WriteStringValue(header.Value);
                json.WriteEndArray();
            }
        }
        json.WriteEndArray();
    }
}
