using Proxy.Bridge.Media;
using Proxy.Bridge.Transfers;
using Proxy.Core.Time;

namespace Proxy.Bridge;

/// <summary>Signal thread. What a caller hears from us instead of the room: ringing, the hold tone, the last message. The prompts of a PIN are those of <see cref="Admission"/>.</summary>
internal sealed class CallerSound(Call call, CallServices services, TransferDesk transfers)
{
    /// <summary>Of the last message; those of a PIN's prompts count from 1.</summary>
    private const int PartingNumber = -1;

    private short[]? _sound;

    /// <summary>How the call ends when the last message is said.</summary>
    public Outcome Parting { get; private set; }

    /// <summary>When it ends even if nobody told that the message is said.</summary>
    public MonoTime PartAt { get; private set; } = MonoTime.Never;

    public bool CanTellRoomLost => services.Prompts.RoomLost.Length > 0;

    /// <summary>Ringing while the caller is transferred, else a tone while the rule waits for somebody to come.</summary>
    public void Choose(MonoTime aloneAt)
    {
        short[]? sound = transfers.IsRinging ? services.Prompts.Ringback : aloneAt.IsNever ? null : services.Prompts.Alone;
        if (!call.IsBridged || sound == _sound)
        {
            return;
        }
        if (sound == services.Prompts.Alone)
        {
            services.Comforts.Alone++;
            call.Flag("hold_tone");
        }
        _sound = sound;
        call.Command(CallCommandKind.Play, sound is null ? null : new Playback(sound, 0, Repeats: true));
    }

    public void Ring()
    {
        _sound = null;
        transfers.StopRinging();
        call.Command(CallCommandKind.Deafen, true);
        call.Command(CallCommandKind.Play, new Playback(services.Prompts.Ringback, 0, Repeats: true));
    }

    /// <summary>From here on the room is heard.</summary>
    public void GiveWay()
    {
        call.Command(CallCommandKind.Play, null);
        call.Command(CallCommandKind.Deafen, false);
    }

    public void TellRoomLost(in Outcome outcome, MonoTime now)
    {
        short[] message = services.Prompts.RoomLost;
        Parting = outcome;
        // A little more than it takes, for the shard's grid; its end is told.
        PartAt = MonoTime.Min(now.AddMillis((message.Length / 8) + 200), now + services.Limits.Parting);
        services.Comforts.RoomLost++;
        call.Flag("told_room_lost");
        call.Command(CallCommandKind.Deafen, true);
        call.Command(CallCommandKind.Play, new Playback(message, PartingNumber));
    }

    /// <summary>Whether that was the last message.</summary>
    public static bool IsParting(int number) => number == PartingNumber;
}
