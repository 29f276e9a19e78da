using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Proxy.WebRtc.Tests")]
[assembly: InternalsVisibleTo("Proxy.Fuzz")]
