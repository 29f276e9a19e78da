using System;
using System.Collections.Generic;
using Proxy.Core.Net;

namespace Proxy.Server.Config;

/// <summary>Main thread. Reads <c>twilio:</c> and <c>public_http:</c>.</summary>
internal static class TwilioSettings
{
    /// <param name="config">With everything about SIP read: the SIP address that Twilio gets follows from it.</param>
    public static TwilioConfig Read(YamlSection top, ServerConfig config, Func<string, string?> environment)
    {
        YamlSection twilio = top.Section("twilio");
        bool isListening = top.Has("public_http");
        NetEndPoint publicHttp = top.EndPoint("public_http", default);
        string url = twilio.Text("public_url", "");
        if (url.Length > 0 && (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || uri.Query.Length > 0))
        {
            twilio.Error("public_url", $"'{url}' is not a URL such as https://sip.example.com/twilio/voice");
        }
        string host = twilio.Text("sip_host", "");
        if (host.Length > 0 && !IsHost(host))
        {
            twilio.Error("sip_host", $"'{host}' is not a host such as sip.example.com or sip.example.com:5080");
            host = "";
        }
        TwilioConfig read = new()
        {
            AuthToken = twilio.Secret("auth_token", environment("TWILIO_AUTH_TOKEN") ?? ""),
            PublicUrl = url,
            TrustedProxies = twilio.Networks("trusted_proxies"),
            Transport = twilio.Choice("transport", "tcp", "tcp", "tls", "udp"),
            PublicHttp = isListening ? publicHttp : null,
        };
        twilio.Finish();
        if (read.Transport == "tls" && config.Tls is null)
        {
            twilio.Error("transport", "tls needs the section 'tls' with a certificate");
        }
        if (isListening && read.AuthToken.Length == 0)
        {
            top.Error("public_http", "serves /twilio/voice, which needs twilio.auth_token or TWILIO_AUTH_TOKEN");
        }
        return read with { SipHost = host.Length > 0 ? host : Usual(config, read.Transport) };
    }

    /// <summary>Our SIP address as others see it: the configured name, then the announced address, then the one we listen on.</summary>
    private static string Usual(ServerConfig config, string transport)
    {
        NetAddress address = config.SignalAddress.IsSet ? config.SignalAddress : config.SipListen.Address;
        string host = IsHost(config.SipHostname) ? config.SipHostname
            : !address.IsSet || address.IsUnspecified ? ""
            : address.IsV6 ? $"[{address}]" : address.ToString();
        int port = transport == "tls" ? config.Tls?.PortAnnounced ?? 5061 : config.SipPortAnnounced;
        return host.Length == 0 || port == (transport == "tls" ? 5061 : 5060) ? host : FormattableString.Invariant($"{host}:{port}");
    }

    private static bool IsHost(string host)
    {
        foreach (char c in host)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or ':' or '[' or ']'))
            {
                return false;
            }
        }
        return host.Length is > 0 and <= 255;
    }
}
