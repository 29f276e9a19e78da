using System;
using System.IO;
using System.Reflection;
using Proxy.Audio.Codecs;
using Proxy.Audio.Tones;

namespace Proxy.Bridge;

/// <summary>Any thread. What callers are told and what they hear ringing, 8 kHz samples; made once in the composition root.</summary>
public sealed record CallPrompts
{
    /// <summary>Asks for the PIN.</summary>
    public required short[] PinEnter { get; init; }

    /// <summary>The PIN was wrong; another attempt follows.</summary>
    public required short[] PinWrong { get; init; }

    /// <summary>The PIN was wrong; the call ends.</summary>
    public required short[] PinGoodbye { get; init; }

    /// <summary>Played again and again while a caller who was answered, or has early media, waits for somebody in the room.</summary>
    public required short[] Ringback { get; init; }

    /// <summary>Said to an answered caller whose room is lost, before the BYE; empty says nothing.</summary>
    public required short[] RoomLost { get; init; }

    /// <summary>Played again and again to a caller whom everybody else has left, while the rule waits for somebody to come.</summary>
    public required short[] Alone { get; init; }

    /// <summary>The built-in ones: generated speech (see Prompts/README.md), the European ringing tone, and a soft tone of ours.</summary>
    public static CallPrompts BuiltIn() => new()
    {
        PinEnter = Read("pin_enter"),
        PinWrong = Read("pin_wrong"),
        PinGoodbye = Read("pin_goodbye"),
        Ringback = RingingTone.Make(),
        RoomLost = Read("room_lost"),
        Alone = HoldTone.Make(),
    };

    private static short[] Read(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("prompts/" + name + ".ulaw")!;
        byte[] law = new byte[stream.Length];
        stream.ReadExactly(law);
        short[] samples = new short[law.Length];
        var codec = new G711Codec(G711Law.Mu);
        for (int at = 0; at < law.Length; at += 160)
        {
            int length = Math.Min(160, law.Length - at);
            codec.Decode(law.AsSpan(at, length), samples.AsSpan(at));
        }
        return samples;
    }
}
