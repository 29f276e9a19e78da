using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Google.Protobuf;
using Proxy.Server.Store;

namespace Proxy.Server.Commands;

/// <summary>Main thread. Policy objects as they are given to <c>create</c> and <c>update</c>: a file, <c>-</c>, or the JSON itself; bare, or in the request form of <c>lk</c>.</summary>
internal static class ObjectFile
{
    /// <summary>Stands for an id that the file does not give.</summary>
    private const string NoName = "?";

    /// <param name="argument">Path, <c>-</c> for stdin, or JSON that begins with <c>{</c> or <c>[</c>.</param>
    /// <param name="problems">Each <c>file:line: sentence</c>; the file is taken only when there is none.</param>
    public static IReadOnlyList<(IMessage Message, string? Extras)> Read(ObjectKind kind, string argument, out IReadOnlyList<string> problems)
    {
        List<(IMessage, string?)> objects = [];
        if (!TryBytes(argument, out byte[] bytes, out string shown, out string error))
        {
            problems = [error];
            return objects;
        }
        PolicyFile file = PolicyFile.Read(kind, NoName, shown, bytes);
        problems = file.Errors;
        foreach (FileObject held in file.Objects)
        {
            if (held.Message is not null)
            {
                objects.Add((held.Message, held.Extras));
            }
        }
        return objects;
    }

    /// <summary>The id that the file gave; empty for none.</summary>
    public static string IdOf(string id) => id.Contains(NoName, StringComparison.Ordinal) ? "" : id;

    /// <summary>Reads a text file, or stdin for <c>-</c>.</summary>
    public static bool TryBytes(string argument, out byte[] bytes, out string shown, out string error)
    {
        (bytes, shown, error) = ([], argument, "");
        try
        {
            if (argument.StartsWith('{') || argument.StartsWith('['))
            {
                shown = "(given)";
                bytes = Encoding.UTF8.GetBytes(argument);
            }
            else if (argument == "-")
            {
                shown = "(stdin)";
                using Stream input = System.Console.OpenStandardInput();
                using var copy = new MemoryStream();
                input.CopyTo(copy);
                bytes = copy.ToArray();
            }
            else
            {
                bytes = File.ReadAllBytes(argument);
            }
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = $"'{argument}' cannot be read: {e.Message}";
            return false;
        }
    }
}
