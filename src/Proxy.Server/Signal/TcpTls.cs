using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Server.Config;
using Proxy.Server.Metrics;

namespace Proxy.Server.Signal;

/// <summary>
/// Any thread. Certificates and rules of the TLS listener. Each handshake takes what is in force then; a reload swaps it as a whole, and connections that
/// stand are not touched.
/// </summary>
public sealed class TcpTls : IMetricsSource
{
    private Identity _identity;

    private TcpTls(Identity identity) => _identity = identity;

    /// <returns>Null when something cannot be read or is unknown; <paramref name="error"/> names the key and the value.</returns>
    public static TcpTls? TryLoad(TlsConfig config, out string error) => TryRead(config, out error) is { } identity ? new TcpTls(identity) : null;

    /// <summary>Reads a configuration; <see cref="Swap"/> puts it in force.</summary>
    /// <returns>Null when it cannot be used.</returns>
    public static Identity? TryRead(TlsConfig config, out string error)
    {
        List<(X509Certificate2 Certificate, SslServerAuthenticationOptions Options)> all = [];
        X509Certificate2Collection? authorities = null;
        if (!TlsCiphers.TryPolicy(config.Ciphers, out CipherSuitesPolicy? ciphers, out error) || !TryAuthorities(config.ClientCaFile, out authorities, out error))
        {
            return null;
        }
        foreach ((string certFile, string keyFile) in config.Certificates)
        {
            if (TryCertificate(certFile, keyFile, out X509Certificate2Collection chain, out error) is not { } certificate)
            {
                return null;
            }
            all.Add((certificate, Options(config, SslStreamCertificateContext.Create(certificate, chain, offline: true), ciphers, authorities)));
        }
        return new Identity(all);
    }

    public void Swap(Identity identity) => Volatile.Write(ref _identity, identity);

    /// <summary>What a handshake is done with, by the name that the client asks for (SNI); the first certificate where none fits.</summary>
    public ValueTask<SslServerAuthenticationOptions> ChooseAsync(SslStream stream, SslClientHelloInfo hello, object? state, CancellationToken cancellation) =>
        ValueTask.FromResult(Volatile.Read(ref _identity).Choose(hello.ServerName));

    public void Write(MetricsWriter writer) =>
        writer.Gauge("siproom_tls_certificate_expires_seconds", "When the first of the TLS certificates expires, seconds since 1970.", Volatile.Read(ref _identity).Expires.ToUnixTimeSeconds());

    private static SslServerAuthenticationOptions Options(
        TlsConfig config, SslStreamCertificateContext context, CipherSuitesPolicy? ciphers, X509Certificate2Collection? authorities)
    {
        bool isOnly13 = config.MinVersion.Contains("1.3", StringComparison.Ordinal);
        var options = new SslServerAuthenticationOptions
        {
            EnabledSslProtocols = isOnly13 ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13,
            ServerCertificateContext = context,
            CipherSuitesPolicy = ciphers,
            AllowRenegotiation = false,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (config.Alpn.Count > 0)
        {
            options.ApplicationProtocols = [];
            foreach (string name in config.Alpn)
            {
                options.ApplicationProtocols.Add(new SslApplicationProtocol(name));
            }
        }
        if (authorities is not null)
        {
            // The callback says no where a certificate is wanted and absent: this flag only makes the client be asked.
            options.ClientCertificateRequired = true;
            options.CertificateChainPolicy = Trusting(authorities);
            options.RemoteCertificateValidationCallback = (_, certificate, chain, _) => Vouches(certificate, chain, authorities, config.ClientMustAuthenticate);
        }
        return options;
    }

    /// <summary>Whether one of our authorities stands behind the client. Its name is not compared with anything, and a server's certificate is as good as a client's.</summary>
    private static bool Vouches(X509Certificate? given, X509Chain? sent, X509Certificate2Collection authorities, bool isRequired)
    {
        if (given is not X509Certificate2 certificate)
        {
            return !isRequired;
        }
        using var chain = new X509Chain { ChainPolicy = Trusting(authorities) };
        if (sent is not null)
        {
            chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        }
        return chain.Build(certificate);
    }

    /// <summary>Nothing is fetched from the net while a stranger waits.</summary>
    private static X509ChainPolicy Trusting(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    private static bool TryAuthorities(string file, out X509Certificate2Collection? authorities, out string error)
    {
        (authorities, error) = (null, "");
        if (file.Length == 0)
        {
            return true;
        }
        try
        {
            authorities = [];
            authorities.ImportFromPemFile(file);
            error = authorities.Count == 0 ? $"tls.client_ca: '{file}' holds no certificate" : "";
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            error = $"tls.client_ca: '{file}' cannot be read: {e.Message}";
        }
        return error.Length == 0;
    }

    private static X509Certificate2? TryCertificate(string certFile, string keyFile, out X509Certificate2Collection chain, out string error)
    {
        chain = [];
        error = "";
        try
        {
            X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(certFile, keyFile);
            chain.ImportFromPemFile(certFile);
            return certificate;
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            error = $"tls.certs: {certFile} with {keyFile}: {e.Message}";
            return null;
        }
    }

    /// <summary>Any thread. Certificates as they were read at one moment.</summary>
    public sealed class Identity(IReadOnlyList<(X509Certificate2 Certificate, SslServerAuthenticationOptions Options)> all)
    {
        /// <summary>When the first of them expires.</summary>
        public DateTimeOffset Expires
        {
            get
            {
                DateTime first = DateTime.MaxValue;
                foreach ((X509Certificate2 certificate, _) in all)
                {
                    first = certificate.NotAfter < first ? certificate.NotAfter : first;
                }
                return first;
            }
        }

        internal SslServerAuthenticationOptions Choose(string host)
        {
            foreach ((X509Certificate2 certificate, SslServerAuthenticationOptions options) in all)
            {
                if (host.Length > 0 && Uri.CheckHostName(host) == UriHostNameType.Dns && certificate.MatchesHostname(host))
                {
                    return options;
                }
            }
            return all[0].Options;
        }
    }
}
