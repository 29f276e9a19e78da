using System.Runtime.InteropServices;

namespace Proxy.Native.OpenSsl;

/// <summary>Any thread. The imports from libcrypto that packet protection needs; nothing else stands here.</summary>
/// <remarks>Calls that work on a block at most are made without a GC transition; those that work on a whole packet are not.</remarks>
internal static unsafe partial class EvpImports
{
    [LibraryImport(NativeLibraries.Crypto)]
    internal static partial nint EVP_CIPHER_fetch(nint libraryContext, byte* algorithm, byte* properties);

    [LibraryImport(NativeLibraries.Crypto)]
    internal static partial void EVP_CIPHER_free(nint cipher);

    [LibraryImport(NativeLibraries.Crypto)]
    internal static partial nint EVP_CIPHER_CTX_new();

    [LibraryImport(NativeLibraries.Crypto)]
    internal static partial void EVP_CIPHER_CTX_free(nint context);

    [LibraryImport(NativeLibraries.Crypto)]
    [SuppressGCTransition]
    internal static partial int EVP_CIPHER_CTX_ctrl(nint context, int type, int argument, byte* pointer);

    [LibraryImport(NativeLibraries.Crypto)]
    [SuppressGCTransition]
    internal static partial int EVP_CipherInit_ex(nint context, nint cipher, nint engine, byte* key, byte* iv, int encrypt);

    [LibraryImport(NativeLibraries.Crypto)]
    internal static partial int EVP_CipherUpdate(nint context, byte* output, int* outputLength, byte* input, int inputLength);

    [LibraryImport(NativeLibraries.Crypto)]
    [SuppressGCTransition]
    internal static partial int EVP_CipherFinal_ex(nint context, byte* output, int* outputLength);

    [LibraryImport(NativeLibraries.Crypto)]
    internal static partial void ERR_clear_error();

    [LibraryImport(NativeLibraries.Crypto)]
    internal static partial void OPENSSL_cleanse(void* memory, nuint length);

    [LibraryImport(NativeLibraries.Crypto)]
    internal static partial int SHA1_Init(void* state);

    [LibraryImport(NativeLibraries.Crypto)]
    internal static partial int SHA1_Update(void* state, byte* data, nuint length);

    [LibraryImport(NativeLibraries.Crypto)]
    internal static partial int SHA1_Final(byte* digest, void* state);
}
