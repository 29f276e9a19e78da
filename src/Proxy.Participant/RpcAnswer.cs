namespace Proxy.Participant;

/// <summary>Any thread. Errors of a called method, with LiveKit's numbers.</summary>
public enum RpcError
{
    None = 0,
    UnsupportedMethod = 1400,
    UnsupportedVersion = 1404,
    Application = 1500,
    ResponseTooLarge = 1504,
}

/// <summary>Any thread. The answer to a <see cref="RoomEventKind.Rpc"/>.</summary>
/// <param name="RequestId">Of the event.</param>
/// <param name="Caller">Identity of the event.</param>
/// <param name="Text">The result, or the error's message.</param>
public readonly record struct RpcAnswer(string RequestId, string Caller, string Text, RpcError Error = RpcError.None);
