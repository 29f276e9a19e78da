using Proxy.LiveKit.Protocol;

namespace Proxy.Server.Api;

/// <summary>Any thread. The deprecated media_encryption and media.encryption say one thing after an update: the newer field wins where it is set.</summary>
internal static class SipMediaUpgrade
{
    /// <param name="media">The object's media; made when absent.</param>
    /// <param name="legacy">The object's deprecated field.</param>
    public static SIPMediaConfig Of(SIPMediaConfig? media, ref SIPMediaEncryption legacy)
    {
        media ??= new SIPMediaConfig();
        if (!media.HasEncryption && legacy != SIPMediaEncryption.SipMediaEncryptDisable)
        {
            media.Encryption = legacy;
        }
        if (media.HasEncryption)
        {
            legacy = media.Encryption;
        }
        return media;
    }
}
