using System;
using System.Text;
using System.Text.Json;
using Proxy.Core.Net;
using Proxy.Sdp;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. Picks the ICE candidates that a UDP transport can use (RFC 8839 §5.1).</summary>
internal static class CandidateReader
{
    private const int LongestJson = 4_096;

    /// <summary>Reads the text of a trickle message: <c>{"candidate":"candidate:…","sdpMid":…}</c>.</summary>
    /// <returns>False for anything but a candidate that <see cref="TryAccept"/> takes.</returns>
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
                        && SdpCandidate.TryParse(Encoding.UTF8.GetBytes(reader.GetString() ?? ""), out SdpCandidate candidate)
                        && TryAccept(candidate, out endPoint);
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

    /// <summary>UDP, component 1 (RTCP is multiplexed), a literal unicast address: TCP and mDNS ones are left out.</summary>
    public static bool TryAccept(in SdpCandidate candidate, out NetEndPoint endPoint)
    {
        endPoint = candidate.EndPoint;
        return candidate is { IsUdp: true, Component: 1 } && endPoint.IsSet && endPoint.Port != 0
            && !endPoint.Address.IsUnspecified && !endPoint.Address.IsMulticastOrBroadcast;
    }
}
