using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.DevRoom.Forwarding;
using Proxy.DevRoom.Rooms;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;
using Room = Proxy.DevRoom.Rooms.Room;
using Proxy.Rtp.Packets;

namespace Proxy.DevRoom.DemoAgent;

/// <summary>
/// Room loop. A participant inside the room server: it needs no transport, its frames go straight to the forwarder. It
/// speaks in the codec of the first caller that it meets: greets with 440 Hz, then sends the caller's packets back.
/// </summary>
internal sealed class DemoAgentParticipant
{
    public const string Identity = "demo-agent";
    private const int FrameMs = 20;
    private const int GreetingFrames = 100;
    private readonly RoomEnvironment _environment;
    private readonly Participant _self;
    private readonly DemoAgentOptions _options;
    private Track? _track;
    private Track? _caller;
    private ToneLoop? _tone;
    private long _frame;
    private readonly SlotId _key;
    private MonoTime _nextFrame = MonoTime.Never;

    public DemoAgentParticipant(RoomEnvironment environment, Room room, DemoAgentOptions options)
    {
        _environment = environment;
        _options = options;
        AccessClaims claims = new() { ApiKey = environment.Options.ApiKey, Identity = Identity, Name = "Demo agent", Kind = "agent" };
        _self = new Participant(room, environment.NewSid("PA_"), claims, null, room.Info.CreationTimeMs * 1000) { IsDemoAgent = true, IsConnected = true };
        _self.Info.State = ParticipantInfo.Types.State.Active;
        environment.Agents.TryAdd(this, out _key);
    }

    /// <summary>Joins the room and meets who is there.</summary>
    public void Enter(MonoTime now)
    {
        Room room = _self.Room;
        room.Add(_self);
        room.Announce(_self);
        if (_options.Mode == DemoAgentMode.Tone)
        {
            Speak(_options.Codec, now);
        }
        foreach (Participant participant in room.Participants)
        {
            foreach (Track track in participant.Tracks)
            {
                OnPublished(track, now);
            }
        }
    }

    /// <summary>The room is closed.</summary>
    public void Leave()
    {
        _environment.AgentTimers.Cancel(_key.Index);
        _environment.Agents.Remove(_key);
    }

    /// <summary>Sends the frames that are due; late ones are sent at once, so that the count is right over time.</summary>
    public void HandleTimeout(MonoTime now)
    {
        while (_nextFrame <= now)
        {
            SendFrame(now);
            _frame++;
            bool isOver = _options.Mode == DemoAgentMode.GreetAndEcho && _frame >= GreetingFrames;
            _nextFrame = isOver ? MonoTime.Never : _nextFrame.AddMillis(FrameMs);
            if (isOver)
            {
                StartEcho();
            }
        }
        _environment.AgentTimers.Set(_key.Index, _nextFrame);
    }

    private void SendFrame(MonoTime now)
    {
        if (_track is { IsPublished: true, IsMuted: false } track && _tone is { } tone)
        {
            uint timestamp = (uint)(_frame * TrackCodecs.ClockHz(track.Codec) * FrameMs / 1000);
            _environment.Forwarder.Send(track, new RtpHeader(0, _frame == 0, (ushort)_frame, timestamp, track.Ssrc), tone.Frame(_frame), now);
        }
    }

    /// <summary>A track of somebody else became audible: the first one is the caller's.</summary>
    public void OnPublished(Track track, MonoTime now)
    {
        if (_caller is not null || !track.IsPublished || track.Publisher == _self || _options.Mode == DemoAgentMode.Tone)
        {
            return;
        }
        _caller = track;
        if (_track is { } old && old.Codec != track.Codec)
        {
            // Nothing is transcoded: a caller with another codec gets another track.
            _self.Room.Unpublish(old, isAnnounced: true);
            _track = null;
        }
        if (_track is null)
        {
            Speak(track.Codec, now);
        }
        if (_options.Mode == DemoAgentMode.Echo || _nextFrame.IsNever)
        {
            StartEcho();
        }
    }

    /// <summary>The caller hung up: the next one who publishes with the same codec is echoed.</summary>
    public void OnUnpublished(Track track)
    {
        if (_caller == track)
        {
            track.Echo = null;
            _caller = null;
        }
    }

    /// <summary>Answers a DTMF digit with the same one, where asked to.</summary>
    public void OnData(Participant sender, DataPacket packet, MonoTime now)
    {
        if (_options.AnswersDtmf && packet.ValueCase == DataPacket.ValueOneofCase.SipDtmf && sender != _self)
        {
            DataPacket answer = new() { SipDtmf = packet.SipDtmf, ParticipantIdentity = Identity, ParticipantSid = _self.Sid };
            DataRelay.Spread(_self.Room, _self, answer, DataRelay.Reliable, now);
        }
    }

    private void StartEcho()
    {
        if (_caller is not null && _track is not null)
        {
            Forwarder.Break(_track);
            _caller.Echo = _track;
        }
    }

    private void Speak(TrackCodec codec, MonoTime now)
    {
        AddTrackRequest request = new() { Cid = "demo", Name = "demo", Source = TrackSource.Microphone, DisableRed = true, DisableDtx = true };
        _track = new Track(_self, _environment.NewSid("TR_AM"), request, _environment.UnixMicros(now))
        {
            Mid = "0",
            Ssrc = _environment.NewSsrc(),
            Codec = codec,
        };
        _track.FillNegotiated();
        _self.Tracks.Add(_track);
        _self.Room.Publish(_track);
        if (_options.Mode != DemoAgentMode.Echo)
        {
            _tone = ToneLoop.Load(codec);
            _frame = 0;
            _nextFrame = now.AddMillis(FrameMs);
            _environment.AgentTimers.Set(_key.Index, _nextFrame);
        }
    }
}
