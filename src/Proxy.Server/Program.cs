namespace Proxy.Server;

/// <summary>Main thread. The executable.</summary>
public static class Program
{
    public static int Main(string[] args) => args.Length;
}
