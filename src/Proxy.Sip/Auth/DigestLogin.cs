using System.Text;

namespace Proxy.Sip.Auth;

/// <summary>Any thread. The user and password with which challenges to our own requests are answered; a secret, never shown.</summary>
public sealed class DigestLogin(string userName, string password)
{
    internal byte[] UserName { get; } = Encoding.UTF8.GetBytes(userName);

    internal byte[] Password { get; } = Encoding.UTF8.GetBytes(password);

    public override string ToString() => nameof(DigestLogin);
}
