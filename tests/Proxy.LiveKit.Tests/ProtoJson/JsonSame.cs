using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.Json;

namespace Proxy.LiveKit.Tests.ProtoJson;

/// <summary>Any thread. Compares JSON as values; the recorded placeholder <c>{word}</c> matches anything.</summary>
internal static class JsonSame
{
    /// <param name="isSubset">Members of <paramref name="actual"/> that are not expected are defaults and do not count.</param>
    /// <returns>Null when equal, else where and what differs.</returns>
    internal static string? Difference(JsonElement expected, JsonElement actual, bool isSubset = false, string path = "$")
    {
        if (expected.ValueKind == JsonValueKind.String && expected.GetString()!.Contains('{', StringComparison.Ordinal))
        {
            return null;
        }
        if (expected.ValueKind != actual.ValueKind)
        {
            return path + ": " + expected.GetRawText() + " / " + actual.GetRawText();
        }
        switch (expected.ValueKind)
        {
            case JsonValueKind.Object:
                return Objects(expected, actual, isSubset, path);
            case JsonValueKind.Array:
                if (expected.GetArrayLength() != actual.GetArrayLength())
                {
                    return path + ": length";
                }
                for (int i = 0; i < expected.GetArrayLength(); i++)
                {
                    if (Difference(expected[i], actual[i], isSubset, path + "[" + i.ToString(CultureInfo.InvariantCulture) + "]") is string inner)
                    {
                        return inner;
                    }
                }
                return null;
            case JsonValueKind.Number:
                return expected.GetDouble().Equals(actual.GetDouble()) || (float)expected.GetDouble() == (float)actual.GetDouble()
                    ? null : path + ": " + expected.GetRawText() + " / " + actual.GetRawText();
            case JsonValueKind.String:
                return expected.GetString() == actual.GetString() ? null : path + ": " + expected.GetRawText() + " / " + actual.GetRawText();
            default:
                return null;
        }
    }

    private static string? Objects(JsonElement expected, JsonElement actual, bool isSubset, string path)
    {
        HashSet<string> names = [];
        foreach (JsonProperty property in expected.EnumerateObject())
        {
            names.Add(property.Name);
            if (!actual.TryGetProperty(property.Name, out JsonElement other))
            {
                return path + "." + property.Name + ": missing";
            }
            if (Difference(property.Value, other, isSubset, path + "." + property.Name) is string inner)
            {
                return inner;
            }
        }
        foreach (JsonProperty property in actual.EnumerateObject())
        {
            if (!isSubset && !names.Contains(property.Name))
            {
                return path + "." + property.Name + ": not expected";
            }
        }
        return null;
    }
}
