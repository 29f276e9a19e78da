using System;
using System.IO;
using Proxy.Audio.Tones;
using Proxy.Bridge;
using Proxy.Core;

namespace Proxy.Server.Config;

/// <summary>Main thread. <c>prompts:</c>, WAV files in place of the built-in prompts.</summary>
internal static class PromptSettings
{
    public static CallPrompts Read(YamlSection top, Limits limits)
    {
        YamlSection section = top.Section("prompts");
        CallPrompts prompts = CallPrompts.BuiltIn();
        prompts = prompts with
        {
            PinEnter = Take(section, "pin_enter", prompts.PinEnter, limits.PromptSeconds),
            PinWrong = Take(section, "pin_wrong", prompts.PinWrong, limits.PromptSeconds),
            PinGoodbye = Take(section, "pin_goodbye", prompts.PinGoodbye, limits.PromptSeconds),
            Ringback = Take(section, "ringback", prompts.Ringback, limits.PromptSeconds),
            RoomLost = Take(section, "room_lost", prompts.RoomLost, (int)limits.Parting.TotalSeconds),
            Alone = Take(section, "alone", prompts.Alone, limits.PromptSeconds),
        };
        section.Finish();
        return prompts;
    }

    private static short[] Take(YamlSection section, string key, short[] builtIn, int mostSeconds)
    {
        string? file = section.TextOrNull(key);
        if (file is null)
        {
            return builtIn;
        }
        try
        {
            if (WavReader.TryRead(File.ReadAllBytes(file), mostSeconds, out short[] samples, out string error))
            {
                return samples;
            }
            section.Error(key, $"'{file}' cannot be played: {error}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            section.Error(key, $"'{file}' cannot be read ({e.Message})");
        }
        return builtIn;
    }
}
