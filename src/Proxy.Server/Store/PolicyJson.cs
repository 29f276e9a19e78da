using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace Proxy.Server.Store;

/// <summary>Any thread. The one place where policy objects meet JSON.</summary>
internal static class PolicyJson
{
    private static readonly JsonParser s_parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(false));
    private static readonly JsonFormatter s_formatter = new(JsonFormatter.Settings.Default);

    /// <returns>False with a sentence when the text is no such object.</returns>
    public static bool TryRead<T>(string json, [NotNullWhen(true)] out T? message, out string error)
        where T : class, IMessage<T>, new()
    {
        message = null;
        error = "";
        try
        {
            message = s_parser.Parse<T>(json);
            return true;
        }
        catch (InvalidProtocolBufferException e)
        {
            error = e.Message;
            return false;
        }
    }

    public static string Write(IMessage message) => s_formatter.Format(message);
}
