using System.Runtime.InteropServices;

namespace Proxy.Native.Opus;

/// <summary>Any thread. The imports from libopus; nothing else stands here.</summary>
/// <remarks>
/// The ctl functions are variadic in C. With one integer or pointer argument the calling conventions of x86-64 and arm64 Linux
/// pass it as in a plain call.
/// </remarks>
internal static unsafe partial class OpusImports
{
    [LibraryImport(NativeLibraries.Opus)]
    internal static partial nint opus_get_version_string();

    [LibraryImport(NativeLibraries.Opus)]
    internal static partial nint opus_encoder_create(int rate, int channels, int application, int* error);

    [LibraryImport(NativeLibraries.Opus)]
    internal static partial int opus_encode(nint encoder, short* pcm, int samples, byte* packet, int packetBytes);

    [LibraryImport(NativeLibraries.Opus)]
    internal static partial int opus_encoder_ctl(nint encoder, int request, int value);

    [LibraryImport(NativeLibraries.Opus)]
    internal static partial void opus_encoder_destroy(nint encoder);

    [LibraryImport(NativeLibraries.Opus)]
    internal static partial nint opus_decoder_create(int rate, int channels, int* error);

    [LibraryImport(NativeLibraries.Opus)]
    internal static partial int opus_decode(nint decoder, byte* packet, int packetBytes, short* pcm, int samples, int useFec);

    [LibraryImport(NativeLibraries.Opus)]
    internal static partial void opus_decoder_destroy(nint decoder);
}
