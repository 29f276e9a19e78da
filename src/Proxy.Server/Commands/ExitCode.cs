namespace Proxy.Server.Commands;

/// <summary>What every verb ends with.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int BadInput = 2;

    /// <summary><c>explain</c> says that the call would be refused.</summary>
    public const int Refused = 3;
}
