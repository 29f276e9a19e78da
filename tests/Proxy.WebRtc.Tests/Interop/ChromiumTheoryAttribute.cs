using System.IO;
using Xunit;

namespace Proxy.WebRtc.Tests.Interop;

/// <summary>A theory that needs Chromium; without it the test says so and is skipped.</summary>
public sealed class ChromiumTheoryAttribute : TheoryAttribute
{
    public const string Binary = "/usr/bin/chromium";

    public ChromiumTheoryAttribute()
    {
        if (!File.Exists(Binary))
        {
            Skip = Binary + " is not installed (Debian package chromium): libwebrtc cannot be asked";
        }
    }
}
