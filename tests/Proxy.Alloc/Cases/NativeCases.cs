using System;
using Proxy.Native.OpenSsl;
using Proxy.Native.Opus;
using static Proxy.Alloc.CaseList;

namespace Proxy.Alloc.Cases;

internal static class NativeCases
{
    public static void Add(CaseList list)
    {
        byte[] key = new byte[16];
        byte[] iv = new byte[16];
        byte[] data = new byte[172];
        byte[] tag = new byte[16];
        byte[] sha = new byte[EvpHmacSha1.TagBytes];
        EvpCipher counter = new(EvpAlgorithm.Aes128Ctr, key, true);
        list.Add(nameof(EvpCipher), nameof(EvpCipher.Transform), () => Must(counter.Transform(iv, data)));
        EvpCipher seal = new(EvpAlgorithm.Aes128Gcm, key, true);
        EvpCipher open = new(EvpAlgorithm.Aes128Gcm, key, false);
        list.Add(nameof(EvpCipher), nameof(EvpCipher.Seal), () =>
        {
            Must(seal.Seal(iv.AsSpan(0, 12), key, data, tag));
            Must(open.Open(iv.AsSpan(0, 12), key, data, tag));
            tag[0] ^= 1;
            Must(!open.Open(iv.AsSpan(0, 12), key, data, tag));
        }).Also(nameof(EvpCipher), nameof(EvpCipher.Open));
        EvpHmacSha1 hmac = new(key);
        list.Add(nameof(EvpHmacSha1), nameof(EvpHmacSha1.Compute), () => hmac.Compute(data, iv, sha));

        OpusEncoder encoder = new(8_000, 0, 24_000, false, false);
        OpusDecoder decoder = new(8_000);
        short[] pcm = new short[160];
        byte[] packet = new byte[400];
        for (int i = 0; i < pcm.Length; i++)
        {
            pcm[i] = (short)(i * 71);
        }
        list.Add(nameof(OpusEncoder), nameof(OpusEncoder.Encode), () => Must(encoder.Encode(pcm, packet) > 0));
        int length = encoder.Encode(pcm, packet);
        byte[] frame = packet.AsSpan(0, length).ToArray();
        short[] heard = new short[160];
        list.Add(nameof(OpusDecoder), nameof(OpusDecoder.Decode), () => Must(decoder.Decode(frame, heard) == 160));
        list.Add(nameof(OpusDecoder), nameof(OpusDecoder.Conceal), () =>
        {
            Must(decoder.Conceal(default, heard) == 160);
            Must(decoder.Conceal(frame, heard) == 160);
        });
    }
}
