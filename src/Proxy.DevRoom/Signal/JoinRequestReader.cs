using System;
using System.Buffers.Text;
using System.IO;
using System.IO.Compression;
using Google.Protobuf;
using Proxy.LiveKit.Protocol;

namespace Proxy.DevRoom.Signal;

/// <summary>Room loop. Unpacks the <c>join_request</c> query parameter of <c>/rtc/v1</c>; bounded against decompression bombs.</summary>
internal static class JoinRequestReader
{
    /// <summary>Decompressed bytes, as the stock server limits them.</summary>
    private const int BytesMax = 1 << 20;

    /// <param name="refusal">The stock server's words for a 400.</param>
    public static bool TryRead(string? parameter, out JoinRequest request, out string refusal)
    {
        request = new JoinRequest();
        if (string.IsNullOrEmpty(parameter))
        {
            refusal = "join_request is required";
            return false;
        }
        refusal = "cannot base64 decode wrapped join request";
        byte[] wrapped = new byte[Base64Url.GetMaxDecodedLength(parameter.Length)];
        // Measured: the padding is mandatory.
        if (parameter.Length % 4 != 0 || parameter.Length > BytesMax || !Base64Url.TryDecodeFromChars(parameter, wrapped, out int length))
        {
            return false;
        }
        refusal = "cannot unmarshal wrapped join request";
        try
        {
            WrappedJoinRequest outer = WrappedJoinRequest.Parser.ParseFrom(wrapped.AsSpan(0, length));
            byte[]? inner = outer.Compression == WrappedJoinRequest.Types.Compression.Gzip ? Unzip(outer.JoinRequest) : outer.JoinRequest.ToByteArray();
            if (inner is null)
            {
                return false;
            }
            request = JoinRequest.Parser.ParseFrom(inner);
            return true;
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidDataException)
        {
            return false;
        }
    }

    private static byte[]? Unzip(ByteString compressed)
    {
        using GZipStream gzip = new(new MemoryStream(compressed.ToByteArray()), CompressionMode.Decompress);
        MemoryStream plain = new();
        byte[] chunk = new byte[8192];
        int read;
        while ((read = gzip.Read(chunk)) > 0)
        {
            if (plain.Length + read > BytesMax)
            {
                return null;
            }
            plain.Write(chunk, 0, read);
        }
        return plain.ToArray();
    }
}
