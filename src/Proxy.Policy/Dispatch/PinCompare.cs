using System;
using System.Security.Cryptography;
using System.Text;

namespace Proxy.Policy.Dispatch;

/// <summary>Any thread. Compares PINs in a time that does not depend on where they differ.</summary>
internal static class PinCompare
{
    private const int Longest = 128;

    /// <param name="keyed">Small letters for the keys A to D, as livekit/sip has them.</param>
    public static bool Equal(string pin, string keyed)
    {
        if (pin.Length > Longest || keyed.Length > Longest)
        {
            return false;
        }
        Span<byte> a = stackalloc byte[Longest * 3];
        Span<byte> b = stackalloc byte[Longest * 3];
        return CryptographicOperations.FixedTimeEquals(a[..Encoding.UTF8.GetBytes(pin, a)], b[..Encoding.UTF8.GetBytes(keyed, b)]);
    }
}
