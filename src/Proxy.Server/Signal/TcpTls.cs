using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Proxy.Server.Config;

namespace Proxy.Server.Signal;

/// <summary>Main thread. Makes the TLS listener's settings out of the configuration.</summary>
public static class TcpTls
{
    /// <returns>Null when a certificate cannot be read; <paramref name="error"/> names it.</returns>
    public static SslServerAuthenticationOptions? TryLoad(TlsConfig config, out string error)
    {
        error = "";
        List<SslStreamCertificateContext> contexts = [];
        List<X509Certificate2> certificates = [];
        foreach ((string certFile, string keyFile) in config.Certificates)
        {
            try
            {
                X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(certFile, keyFile);
                X509Certificate2Collection chain = [];
                chain.ImportFromPemFile(certFile);
                certificates.Add(certificate);
                contexts.Add(SslStreamCertificateContext.Create(certificate, chain, offline: true));
            }
            catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
            {
                error = $"tls.certs: {certFile} with {keyFile}: {e.Message}";
                return null;
            }
        }
        return new SslServerAuthenticationOptions
        {
            EnabledSslProtocols = config.MinVersion.Contains("1.3", StringComparison.Ordinal) ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13,
            ServerCertificateContext = contexts.Count == 1 ? contexts[0] : null,
            ServerCertificateSelectionCallback = contexts.Count == 1 ? null : (_, host) => Choose(certificates, host),
        };
    }

    private static X509Certificate2 Choose(List<X509Certificate2> certificates, string? host)
    {
        foreach (X509Certificate2 certificate in certificates)
        {
            if (host is not null && certificate.MatchesHostname(host))
            {
                return certificate;
            }
        }
        return certificates[0];
    }
}
