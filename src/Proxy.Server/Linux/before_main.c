/* Runs before main, hence before the managed runtime reads its settings (ADR 0010).
   The gen-0 budget can only be set in the environment: 0x200000 = 2 MB, so that a collection that stops the media
   threads has little to look at. A value that the operator set stays. */
#include <malloc.h>
#include <stdlib.h>

__attribute__((constructor)) static void before_main(void)
{
    setenv("DOTNET_GCGen0MaxBudget", "200000", 0);

    /* Two malloc arenas: eight per core would each keep what OpenSSL gave back to them. */
    mallopt(M_ARENA_MAX, 2);
}
