namespace Proxy.Server.Linux;

/// <summary>Main thread, before other threads run. The process's own environment as C libraries see it; .NET's is a copy.</summary>
internal static class ProcessEnvironment
{
    public static void Set(string name, string value) => LibC.setenv(name, value, 1);
}
