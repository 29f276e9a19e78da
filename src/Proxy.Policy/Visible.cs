using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Proxy.Policy.Tests")]
