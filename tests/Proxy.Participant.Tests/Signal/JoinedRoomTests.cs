using Proxy.LiveKit.Protocol;
using Proxy.Participant.Signal;
using Xunit;

namespace Proxy.Participant.Tests.Signal;

public sealed class JoinedRoomTests
{
    private static JoinResponse Join(long madeMs, long joinedMs, params ParticipantInfo.Types.Kind[] others)
    {
        JoinResponse join = new()
        {
            Room = new Room { CreationTimeMs = madeMs, CreationTime = madeMs / 1000 },
            Participant = new ParticipantInfo { JoinedAtMs = joinedMs, JoinedAt = joinedMs / 1000 },
        };
        foreach (ParticipantInfo.Types.Kind kind in others)
        {
            join.OtherParticipants.Add(new ParticipantInfo { Kind = kind });
        }
        return join;
    }

    [Fact]
    public void A_room_made_in_the_same_moment_was_made_by_the_join()
    {
        Assert.False(JoinedRoom.Existed(Join(1_795_365_286_659, 1_795_365_286_661)));
        Assert.False(JoinedRoom.Existed(Join(1_795_365_286_659, 1_795_365_286_661, ParticipantInfo.Types.Kind.Agent)));
        Assert.False(JoinedRoom.Existed(new JoinResponse()));
    }

    [Fact]
    public void An_older_room_and_one_with_somebody_in_it_existed()
    {
        Assert.True(JoinedRoom.Existed(Join(1_795_365_286_659, 1_795_365_288_000)));
        Assert.True(JoinedRoom.Existed(Join(1_795_365_286_659, 1_795_365_286_661, ParticipantInfo.Types.Kind.Sip)));
    }

    [Fact]
    public void A_server_without_milliseconds_is_read_in_seconds()
    {
        JoinResponse join = Join(5_000, 6_000);
        join.Room.CreationTimeMs = 0;
        Assert.False(JoinedRoom.Existed(join));
        join.Participant.JoinedAt = 8;
        Assert.True(JoinedRoom.Existed(join));
    }
}
