using System;
using System.Security.Cryptography;
using Proxy.Core.Memory;

namespace Proxy.Server.Linux;

/// <summary>Any thread. The operating system's generator.</summary>
public sealed class SystemRandom : IRandom
{
    public static SystemRandom Instance { get; } = new();

    public void Fill(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);
}
