using System;
using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Proxy.Core.Net;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. Reads ICE candidates, alone (RFC 8839 §5.1) or in the JSON of a trickle message.</summary>
internal static class CandidateReader
{
    private const int LongestJson = 4_096;

    /// <summary>Reads <c>{"candidate":"candidate:…","sdpMid":…}</c>.</summary>
    /// <returns>False for anything but a UDP candidate of component 1 with a literal address.</returns>
    public static bool TryReadJson(string json, out NetEndPoint endPoint)
    {
        endPoint = default;
        if (json.Length > LongestJson)
        {
            return false;
        }
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json));
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueTextEquals("candidate"u8))
                {
                    return reader.Read() && reader.TokenType == JsonTokenType.String
                        && TryRead(Encoding.UTF8.GetBytes(reader.GetString() ?? ""), out endPoint);
                }
            }
        }
        catch (JsonException)
        {
        }
        catch (InvalidOperationException)
        {
            // An unpaired surrogate in the text.
        }
        return false;
    }

    /// <summary>Reads <c>[a=]candidate:foundation component transport priority address port typ type …</c>; TCP and mDNS names are left out.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out NetEndPoint endPoint)
    {
        endPoint = default;
        if (text.StartsWith("a="u8))
        {
            text = text[2..];
        }
        if (!text.StartsWith("candidate:"u8))
        {
            return false;
        }
        text = text["candidate:"u8.Length..];
        Next(ref text);
        ReadOnlySpan<byte> component = Next(ref text);
        ReadOnlySpan<byte> transport = Next(ref text);
        Next(ref text);
        ReadOnlySpan<byte> address = Next(ref text);
        ReadOnlySpan<byte> portText = Next(ref text);
        if (!component.SequenceEqual("1"u8) || !Ascii.EqualsIgnoreCase(transport, "udp"u8)
            || !NetAddress.TryParse(address, out NetAddress host) || host.IsUnspecified || host.IsMulticastOrBroadcast
            || !Utf8Parser.TryParse(portText, out ushort port, out int used) || used != portText.Length || port == 0)
        {
            return false;
        }
        endPoint = new NetEndPoint(host, port);
        return true;
    }

    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> text)
    {
        int space = text.IndexOf((byte)' ');
        ReadOnlySpan<byte> word = space < 0 ? text : text[..space];
        text = space < 0 ? default : text[(space + 1)..];
        return word;
    }
}
