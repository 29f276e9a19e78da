/* Runs before main, hence before the managed runtime reads its settings (ADR 0010).
   The budgets of the young generations can only be set in the environment: 0x200000 = 2 MB each, so that a collection that
   stops the media threads has little to look at and little to move. A value that the operator set stays. */
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

/* OpenSSL is linked in with Debian's folder of authorities; other distributions keep theirs elsewhere. */
static void find_authorities(void)
{
    static const char *const files[] = {
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
    };
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (access(files[i], R_OK) == 0) {
            setenv("SSL_CERT_FILE", files[i], 0);
            return;
        }
    }
}

__attribute__((constructor)) static void before_main(void)
{
    setenv("DOTNET_GCGen0MaxBudget", "200000", 0);
    setenv("DOTNET_GCGen1MaxBudget", "200000", 0);

    /* Two malloc arenas: eight per core would each keep what OpenSSL gave back to them. */
    mallopt(M_ARENA_MAX, 2);

    find_authorities();
}
