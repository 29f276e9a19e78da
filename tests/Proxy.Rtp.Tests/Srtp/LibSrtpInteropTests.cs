using System;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Proxy.Rtp.Srtp;
using Xunit;

namespace Proxy.Rtp.Tests.Srtp;

/// <summary>Our packets through Debian's libsrtp2 and back: an implementation that none of us wrote.</summary>
[Collection("libsrtp2")]
public sealed class LibSrtpInteropTests
{
    private const string Library = "libsrtp2.so.1";
    private const int AnyInbound = 2;
    private const int AnyOutbound = 3;
    private static readonly int s_init = srtp_init();

    [Theory]
    [InlineData(SrtpProfile.AesCm128HmacSha1_80, "srtp_crypto_policy_set_rtp_default")]
    [InlineData(SrtpProfile.AesCm128HmacSha1_32, "srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32")]
    [InlineData(SrtpProfile.AesCm256HmacSha1_80, "srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80")]
    [InlineData(SrtpProfile.AeadAes128Gcm, "srtp_crypto_policy_set_aes_gcm_128_16_auth")]
    [InlineData(SrtpProfile.AeadAes256Gcm, "srtp_crypto_policy_set_aes_gcm_256_16_auth")]
    public void Packets_pass_both_ways_over_a_wrap(SrtpProfile profile, string policy)
    {
        byte[] keys = new byte[SrtpParameters.Of(profile).KeyAndSaltBytes];
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = (byte)((i * 7) + 1);
        }
        using SrtpSession ours = new(profile, keys, keys);
        nint inbound = Create(policy, keys, AnyInbound);
        nint outbound = Create(policy, keys, AnyOutbound);
        for (int sequence = 65_400; sequence < 65_700; sequence++)
        {
            RtpBothWays(ours, inbound, outbound, sequence);
        }
        for (int i = 0; i < 5; i++)
        {
            RtcpBothWays(ours, inbound, outbound);
        }
        Assert.Equal(0, srtp_dealloc(inbound));
        Assert.Equal(0, srtp_dealloc(outbound));
    }

    private static void RtpBothWays(SrtpSession ours, nint inbound, nint outbound, int sequence)
    {
        byte[] plain = SrtpSessionTests.Packet(0x1122_3344, sequence)[..172];
        byte[] buffer = new byte[256];
        plain.CopyTo(buffer, 0);
        int length = ours.ProtectRtp(buffer, plain.Length);
        Assert.Equal(0, srtp_unprotect(inbound, buffer, ref length));
        Assert.Equal(plain, buffer[..length]);

        length = plain.Length;
        Assert.Equal(0, srtp_protect(outbound, buffer, ref length));
        Assert.Equal(SrtpVerdict.Ok, ours.UnprotectRtp(buffer.AsSpan(0, length), out int plainLength));
        Assert.Equal(plain, buffer[..plainLength]);
    }

    private static void RtcpBothWays(SrtpSession ours, nint inbound, nint outbound)
    {
        byte[] plain = new byte[28];
        plain[0] = 0x80;
        plain[1] = 200;
        plain[3] = 6;
        BinaryPrimitives.WriteUInt32BigEndian(plain.AsSpan(4), 0x1122_3344);
        byte[] buffer = new byte[128];
        plain.CopyTo(buffer, 0);
        int length = ours.ProtectRtcp(buffer, plain.Length);
        Assert.Equal(0, srtp_unprotect_rtcp(inbound, buffer, ref length));
        Assert.Equal(plain, buffer[..length]);

        length = plain.Length;
        Assert.Equal(0, srtp_protect_rtcp(outbound, buffer, ref length));
        Assert.Equal(SrtpVerdict.Ok, ours.UnprotectRtcp(buffer.AsSpan(0, length), out int plainLength));
        Assert.Equal(plain, buffer[..plainLength]);
    }

    /// <summary>srtp_policy_t of libsrtp 2.5: SSRC type and value, two crypto policies of six ints, key, MKI, window and flags.</summary>
    private static nint Create(string policyName, byte[] keys, int direction)
    {
        Assert.Equal(0, s_init);
        nint library = NativeLibrary.Load(Library);
        byte[] policy = new byte[256];
        nint key = Marshal.AllocHGlobal(64);
        nint at = Marshal.AllocHGlobal(policy.Length);
        try
        {
            Marshal.Copy(keys, 0, key, keys.Length);
            Marshal.Copy(policy, 0, at, policy.Length);
            Marshal.WriteInt32(at, direction);
            SetPolicy set = Marshal.GetDelegateForFunctionPointer<SetPolicy>(NativeLibrary.GetExport(library, policyName));
            set(at + 8);
            // RTCP always carries the long tag (RFC 4568 §6.2).
            string rtcp = policyName.EndsWith("_32", StringComparison.Ordinal) ? "srtp_crypto_policy_set_rtp_default" : policyName;
            Marshal.GetDelegateForFunctionPointer<SetPolicy>(NativeLibrary.GetExport(library, rtcp))(at + 32);
            Marshal.WriteIntPtr(at, 56, key);
            Marshal.WriteIntPtr(at, 88, 128);
            Assert.Equal(0, srtp_create(out nint session, at));
            return session;
        }
        finally
        {
            Marshal.FreeHGlobal(at);
            Marshal.FreeHGlobal(key);
        }
    }

    private delegate void SetPolicy(nint policy);

    [DllImport(Library)]
    private static extern int srtp_init();

    [DllImport(Library)]
    private static extern int srtp_create(out nint session, nint policy);

    [DllImport(Library)]
    private static extern int srtp_dealloc(nint session);

    [DllImport(Library)]
    private static extern int srtp_protect(nint session, byte[] packet, ref int length);

    [DllImport(Library)]
    private static extern int srtp_unprotect(nint session, byte[] packet, ref int length);

    [DllImport(Library)]
    private static extern int srtp_protect_rtcp(nint session, byte[] packet, ref int length);

    [DllImport(Library)]
    private static extern int srtp_unprotect_rtcp(nint session, byte[] packet, ref int length);
}
