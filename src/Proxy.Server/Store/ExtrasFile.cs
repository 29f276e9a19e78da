using System;
using System.Text;
using System.Text.Json;

namespace Proxy.Server.Store;

/// <summary>Any thread. One file of <c>x/</c>: our additions beside the object that the file is named after.</summary>
internal static class ExtrasFile
{
    public static PolicyFile Read(string id, string path, byte[] bytes)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            ObjectKind kind = id.StartsWith("SDR_", StringComparison.Ordinal) ? ObjectKind.Rule : ObjectKind.InboundTrunk;
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return new PolicyFile([], [$"{path}:1: an object is wanted"]);
            }
            var errors = new System.Collections.Generic.List<string>();
            foreach (string error in ExtrasJson.Check(kind, document.RootElement))
            {
                errors.Add($"{path}:1: {error}");
            }
            return errors.Count > 0 ? new PolicyFile([], errors) : new PolicyFile([new FileObject(kind, id, null, Encoding.UTF8.GetString(bytes))], []);
        }
        catch (JsonException e)
        {
            return new PolicyFile([], [$"{path}:{(e.LineNumber ?? 0) + 1}: not JSON"]);
        }
    }
}
