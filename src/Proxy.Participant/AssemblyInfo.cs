using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Proxy.Participant.Tests")]
