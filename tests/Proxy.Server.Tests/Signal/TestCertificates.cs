using System;
using System.IO;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Proxy.Server.Tests.Signal;

/// <summary>An authority and certificates of it, as PEM files in a folder that goes with the test.</summary>
internal sealed class TestCertificates : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("siproom-tls-").FullName;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public TestCertificates()
    {
        var request = new CertificateRequest("CN=siproom test authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        Authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        File.WriteAllText(AuthorityFile, Authority.ExportCertificatePem());
    }

    public X509Certificate2 Authority { get; }

    public string AuthorityFile => Path.Combine(_folder, "ca.pem");

    /// <summary>Writes <c>NAME.pem</c> and <c>NAME.key</c>; over old ones where they are there.</summary>
    public (string CertFile, string KeyFile) Make(string host, string name)
    {
        using X509Certificate2 certificate = Issue(host, out ECDsa key);
        using (key)
        {
            (string cert, string secret) = (Path.Combine(_folder, name + ".pem"), Path.Combine(_folder, name + ".key"));
            File.WriteAllText(cert, certificate.ExportCertificatePem() + "\n" + Authority.ExportCertificatePem());
            File.WriteAllText(secret, key.ExportPkcs8PrivateKeyPem());
            return (cert, secret);
        }
    }

    /// <summary>A certificate with its key, for a client.</summary>
    public X509Certificate2 Client(string host)
    {
        using X509Certificate2 certificate = Issue(host, out ECDsa key);
        using (key)
        {
            using X509Certificate2 whole = certificate.CopyWithPrivateKey(key);
            return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
        }
    }

    public void Dispose()
    {
        Authority.Dispose();
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private X509Certificate2 Issue(string host, out ECDsa key)
    {
        key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + host, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        return request.Create(Authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(7), Guid.NewGuid().ToByteArray());
    }
}
