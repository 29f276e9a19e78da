using Proxy.LiveKit.Protocol;

namespace Proxy.Participant.Signal;

/// <summary>Any thread. What a join response tells about the room's past.</summary>
internal static class JoinedRoom
{
    /// <summary>Between the making of a room and the join that made it; a stock server measured 2 ms.</summary>
    private const long SameMomentMs = 1_000;

    /// <summary>
    /// Whether the room was there before this join: made longer ago, by the server's own clock, or somebody else is in it.
    /// Agents do not count: the join that makes a room may call them in at once.
    /// </summary>
    public static bool Existed(JoinResponse join)
    {
        foreach (ParticipantInfo other in join.OtherParticipants)
        {
            if (other.Kind != ParticipantInfo.Types.Kind.Agent)
            {
                return true;
            }
        }
        if (join.Room is null || join.Participant is null)
        {
            return false;
        }
        bool hasMillis = join.Room.CreationTimeMs > 0 && join.Participant.JoinedAtMs > 0;
        long made = hasMillis ? join.Room.CreationTimeMs : join.Room.CreationTime * 1000;
        long joined = hasMillis ? join.Participant.JoinedAtMs : join.Participant.JoinedAt * 1000;
        return made > 0 && joined - made > SameMomentMs;
    }
}
