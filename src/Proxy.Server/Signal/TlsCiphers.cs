using System;
using System.Collections.Generic;
using System.Net.Security;

namespace Proxy.Server.Signal;

/// <summary>Any thread. Names of TLS 1.2 cipher suites as configurations write them: IANA's (and Go's), or OpenSSL's.</summary>
public static class TlsCiphers
{
    private static readonly (string OpenSsl, TlsCipherSuite Suite)[] s_known =
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
        ("ECDHE-RSA-AES128-GCM-SHA256", TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
        ("ECDHE-ECDSA-AES256-GCM-SHA384", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
        ("ECDHE-RSA-AES256-GCM-SHA384", TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
        ("ECDHE-RSA-CHACHA20-POLY1305", TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
        ("DHE-RSA-AES128-GCM-SHA256", TlsCipherSuite.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256),
        ("DHE-RSA-AES256-GCM-SHA384", TlsCipherSuite.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384),
        ("ECDHE-ECDSA-AES128-SHA256", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256),
        ("ECDHE-RSA-AES128-SHA256", TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256),
        ("ECDHE-ECDSA-AES256-SHA384", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384),
        ("ECDHE-RSA-AES256-SHA384", TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384),
        ("ECDHE-ECDSA-AES128-SHA", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA),
        ("ECDHE-RSA-AES128-SHA", TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA),
        ("ECDHE-ECDSA-AES256-SHA", TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA),
        ("ECDHE-RSA-AES256-SHA", TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA),
        ("AES128-GCM-SHA256", TlsCipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256),
        ("AES256-GCM-SHA384", TlsCipherSuite.TLS_RSA_WITH_AES_256_GCM_SHA384),
        ("AES128-SHA256", TlsCipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA256),
        ("AES256-SHA256", TlsCipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA256),
        ("AES128-SHA", TlsCipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA),
        ("AES256-SHA", TlsCipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA),
    ];

    /// <summary>The suites of TLS 1.3 are always offered: none of them is weak, and a list made for 1.2 does not name them.</summary>
    private static readonly TlsCipherSuite[] s_tls13 =
        [TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256];

    /// <param name="policy">Null when nothing is listed: the library's choice.</param>
    /// <returns>False for an unknown name.</returns>
    public static bool TryPolicy(IReadOnlyList<string> names, out CipherSuitesPolicy? policy, out string error)
    {
        (policy, error) = (null, "");
        if (names.Count == 0)
        {
            return true;
        }
        List<TlsCipherSuite> suites = [.. s_tls13];
        foreach (string name in names)
        {
            if (!TryFind(name, out TlsCipherSuite suite))
            {
                error = $"tls.cipher_suites: '{name}' is unknown; known are names such as {s_known[1].Suite} and {s_known[1].OpenSsl}";
                return false;
            }
            suites.Add(suite);
        }
#pragma warning disable CA1416 // this program runs on Linux only
        policy = new CipherSuitesPolicy(suites);
#pragma warning restore CA1416
        return true;
    }

    private static bool TryFind(string name, out TlsCipherSuite suite)
    {
        foreach ((string openSsl, TlsCipherSuite known) in s_known)
        {
            if (string.Equals(name, openSsl, StringComparison.OrdinalIgnoreCase) || string.Equals(name, known.ToString(), StringComparison.OrdinalIgnoreCase))
            {
                suite = known;
                return true;
            }
        }
        foreach (TlsCipherSuite known in s_tls13)
        {
            if (string.Equals(name, known.ToString(), StringComparison.OrdinalIgnoreCase))
            {
                suite = known;
                return true;
            }
        }
        suite = default;
        return false;
    }
}
