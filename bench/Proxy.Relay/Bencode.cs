using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;

namespace Proxy.Relay;

/// <summary>The notation of rtpengine's control protocol: <c>d3:keyl4:itemi42eee</c>. Strings are Latin-1, lengths are bytes.</summary>
internal static class Bencode
{
    public static string Write(object value) => value switch
    {
        string text => text.Length.ToString(CultureInfo.InvariantCulture) + ":" + text,
        int number => "i" + number.ToString(CultureInfo.InvariantCulture) + "e",
        string[] list => "l" + string.Concat(Array.ConvertAll(list, Write)) + "e",
        IReadOnlyDictionary<string, object> map => WriteMap(map),
        _ => throw new ArgumentException("no notation for " + value.GetType().Name),
    };

    /// <exception cref="InvalidDataException">It is not Bencode.</exception>
    public static object Read(string text)
    {
        int at = 0;
        return Read(text, ref at);
    }

    private static string WriteMap(IReadOnlyDictionary<string, object> map)
    {
        var text = new StringBuilder("d");
        foreach ((string key, object value) in map)
        {
            text.Append(Write(key)).Append(Write(value));
        }
        return text.Append('e').ToString();
    }

    private static object Read(string text, ref int at)
    {
        switch (At(text, at))
        {
            case 'd':
                at++;
                var map = new Dictionary<string, object>();
                while (At(text, at) != 'e')
                {
                    string key = ReadText(text, ref at);
                    map[key] = Read(text, ref at);
                }
                at++;
                return map;
            case 'l':
                at++;
                var list = new List<object>();
                while (At(text, at) != 'e')
                {
                    list.Add(Read(text, ref at));
                }
                at++;
                return list;
            case 'i':
                at++;
                return ReadNumber(text, ref at, 'e');
            default:
                return ReadText(text, ref at);
        }
    }

    private static string ReadText(string text, ref int at)
    {
        long length = ReadNumber(text, ref at, ':');
        if (length < 0 || length > text.Length - at)
        {
            throw new InvalidDataException("a string longer than the message");
        }
        string value = text.Substring(at, (int)length);
        at += (int)length;
        return value;
    }

    private static long ReadNumber(string text, ref int at, char end)
    {
        int stop = text.IndexOf(end, at);
        if (stop < 0 || !long.TryParse(text.AsSpan(at, stop - at), CultureInfo.InvariantCulture, out long value))
        {
            throw new InvalidDataException("no number where one is due");
        }
        at = stop + 1;
        return value;
    }

    private static char At(string text, int at) => at < text.Length ? text[at] : throw new InvalidDataException("the message ends too early");
}
