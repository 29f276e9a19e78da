using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Proxy.Policy.Tests")]
[assembly: InternalsVisibleTo("Proxy.Alloc")]
[assembly: InternalsVisibleTo("Proxy.Stopwatch")]
[assembly: InternalsVisibleTo("Proxy.Bench")]
