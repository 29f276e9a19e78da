using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Audio.Codecs;
using Proxy.Audio.Tones;
using Proxy.Bridge.Media;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Rtp.Packets;
using Xunit;

namespace Proxy.Bridge.Tests.Media;

/// <summary>A call's media before it has a room: prompts go out, digits come in.</summary>
public sealed class CallMediaTests : IMediaIo, IDisposable
{
    private readonly NetEndPoint _caller = NetEndPoint.TryParse("198.51.100.7:4000", out NetEndPoint at) ? at : default;
    private readonly PacketSlab _slab = new(64, 1_500);
    private readonly List<byte[]> _sent = [];
    private readonly List<CallEvent> _events = [];
    private readonly CallMedia _media;
    private MonoTime _now = MonoTime.FromMillis(1_000);
    private ushort _sequence;

    public CallMediaTests()
    {
        _media = new CallMedia(new Limits(), new CallMediaOptions { Reservation = default, Cname = "c", SipSsrc = 9, SipSequence = 1, SipTimestamp = 1 });
        _media.Attach(this, new MediaScratch(), _slab);
        _media.Handle(new CallCommand(CallCommandKind.StartSip, new SipAudio { Law = G711Law.Mu, PayloadType = 0, DtmfPayloadType = 101, Remote = _caller, RemoteRtcp = _caller }), _now);
    }

    [Fact]
    public void A_prompt_is_heard_to_its_end_and_its_end_is_told_once()
    {
        short[] prompt = Tone(440, 8_000);
        Play(new Playback(prompt, 7));
        Tick(60);
        short[] heard = Heard();
        Assert.InRange(Goertzel.LevelDbfs(heard.AsSpan(0, 8_000), 440), -10.3, -9.7);
        Assert.All(heard[8_000..], s => Assert.InRange(s, (short)-8, (short)8));
        Assert.Equal(7, Assert.Single(_events, e => e.Kind == CallEventKind.Played).Number);
    }

    [Fact]
    public void Ringing_goes_on_until_it_is_stopped()
    {
        Play(new Playback(Tone(400, 800), 0, Repeats: true));
        Tick(50);
        Assert.InRange(Goertzel.LevelDbfs(Heard(), 400), -10.3, -9.7);
        Play(null);
        _sent.Clear();
        Tick(5);
        Assert.All(Heard(), s => Assert.InRange(s, (short)-8, (short)8));
        Assert.DoesNotContain(_events, e => e.Kind == CallEventKind.Played);
    }

    [Fact]
    public void Digits_are_told_without_a_room_and_while_the_room_is_deaf()
    {
        Press(5);
        _media.Handle(new CallCommand(CallCommandKind.Deafen, true), _now);
        Press(11);
        Assert.Equal("5#", string.Concat(_events.Where(e => e.Kind == CallEventKind.Dtmf).Select(e => (char)e.Number)));
        Assert.Equal(_now, _media.HeardAt);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Caller_on_hold_that_sends_nothing_is_not_timed_out_until_it_resumed(bool sends, bool receives)
    {
        SipAudio both = new()
        {
            Law = G711Law.Mu,
            PayloadType = 0,
            Remote = _caller,
            RemoteRtcp = _caller,
            MediaTimeout = TimeSpan.FromSeconds(2),
            MediaTimeoutInitial = TimeSpan.FromSeconds(2),
        };
        _media.Handle(new CallCommand(CallCommandKind.Renegotiate, both), _now);
        Press(5);
        _media.Handle(new CallCommand(CallCommandKind.Renegotiate, both with { Sends = sends, Receives = receives }), _now);
        _sent.Clear();
        Tick(500);
        Assert.Empty(_sent);
        Assert.DoesNotContain(_events, e => e.Kind == CallEventKind.MediaTimeout);
        _media.Handle(new CallCommand(CallCommandKind.Renegotiate, both), _now);
        Tick(95);
        Assert.NotEmpty(_sent);
        Assert.DoesNotContain(_events, e => e.Kind == CallEventKind.MediaTimeout);
        Tick(10);
        Assert.Single(_events, e => e.Kind == CallEventKind.MediaTimeout);
    }

    [Fact]
    public void While_the_timeout_rests_a_silent_caller_is_not_timed_out_and_then_has_the_whole_time_again()
    {
        SipAudio audio = new()
        {
            Law = G711Law.Mu,
            PayloadType = 0,
            Remote = _caller,
            RemoteRtcp = _caller,
            MediaTimeout = TimeSpan.FromSeconds(2),
            MediaTimeoutInitial = TimeSpan.FromSeconds(2),
        };
        _media.Handle(new CallCommand(CallCommandKind.Renegotiate, audio), _now);
        Press(5);
        _media.Handle(new CallCommand(CallCommandKind.RestTimeout, true), _now);
        Tick(500);
        Assert.DoesNotContain(_events, e => e.Kind == CallEventKind.MediaTimeout);
        _media.Handle(new CallCommand(CallCommandKind.RestTimeout, false), _now);
        Tick(95);
        Assert.DoesNotContain(_events, e => e.Kind == CallEventKind.MediaTimeout);
        Tick(10);
        Assert.Single(_events, e => e.Kind == CallEventKind.MediaTimeout);
    }

    [Fact]
    public void Closing_without_a_room_tells_the_counts()
    {
        Tick(3);
        _media.Handle(new CallCommand(CallCommandKind.Close, null), _now);
        Assert.Equal(3, ((Records.MediaReport)_events[^1].Payload!).SipPacketsOut);
    }

    [Fact]
    public void Built_in_prompts_are_speech_of_two_to_five_seconds()
    {
        CallPrompts prompts = CallPrompts.BuiltIn();
        foreach (short[] speech in new[] { prompts.PinEnter, prompts.PinWrong, prompts.PinGoodbye, prompts.RoomLost })
        {
            Assert.InRange(speech.Length, 16_000, 40_000);
            double rms = Math.Sqrt(speech.Average(s => (double)s * s)) / short.MaxValue;
            Assert.InRange(rms, 0.03, 0.3);
        }
        Assert.Equal(40_000, prompts.Ringback.Length);
        Assert.InRange(Goertzel.LevelDbfs(prompts.Ringback.AsSpan(0, 8_000), 425), -19, -18);
    }

    [Fact]
    public void The_hold_tone_is_two_soft_notes_every_four_seconds_as_heard_by_the_caller()
    {
        Play(new Playback(CallPrompts.BuiltIn().Alone, 0, Repeats: true));
        Tick(600);
        short[] heard = Heard();
        Assert.Equal(96_000, heard.Length);
        for (int period = 0; period < 3; period++)
        {
            Span<short> part = heard.AsSpan(period * 32_000, 32_000);
            Assert.InRange(Goertzel.LevelDbfs(part.Slice(2_000, 2_000), 440), -28, -25);
            Assert.InRange(Goertzel.LevelDbfs(part.Slice(8_000, 2_000), 660), -28, -25);
            Assert.True(Goertzel.LevelDbfs(part.Slice(2_000, 2_000), 660) < -50);
            Assert.All(part[12_100..].ToArray(), s => Assert.InRange(s, (short)-8, (short)8));
        }
    }

    [Fact]
    public void The_tone_is_heard_without_a_gap_from_the_moment_it_is_asked_for_to_the_moment_it_is_not()
    {
        Tick(10);
        Play(new Playback(Tone(440, 32_000), 0, Repeats: true));
        Tick(500);
        Play(null);
        Tick(10);
        short[] heard = Heard();
        Assert.True(ToneGaps.LongestMs(heard.AsSpan(1_600, 80_000), 440, -12) < 5);
        Assert.All(heard[..1_600].Concat(heard[81_600..]), s => Assert.InRange(s, (short)-8, (short)8));
    }

    bool IMediaIo.Send(CallMedia media, MediaSide side, ReadOnlySpan<byte> datagram, in NetEndPoint to)
    {
        if (side == MediaSide.Sip && (datagram[1] & 0x7F) == 0)
        {
            _sent.Add(datagram.ToArray());
        }
        return true;
    }

    void IMediaIo.Emit(CallMedia media, in CallEvent mediaEvent) => _events.Add(mediaEvent);

    public void Dispose() => _slab.Dispose();

    private static short[] Tone(double hz, int length)
    {
        short[] pcm = new short[length];
        new SineWave(hz, -10).Fill(pcm);
        return pcm;
    }

    private void Play(Playback? playback) => _media.Handle(new CallCommand(CallCommandKind.Play, playback), _now);

    private void Tick(int times)
    {
        for (int i = 0; i < times; i++)
        {
            _now = _now.AddMillis(20);
            _media.Tick(_now);
        }
    }

    private short[] Heard()
    {
        short[] samples = new short[_sent.Count * 160];
        var codec = new G711Codec(G711Law.Mu);
        for (int i = 0; i < _sent.Count; i++)
        {
            codec.Decode(_sent[i].AsSpan(12), samples.AsSpan(i * 160));
        }
        return samples;
    }

    private void Press(byte code)
    {
        byte[] packet = new byte[64];
        _now = _now.AddMillis(20);
        int length = RtpWriter.Write(packet, new RtpHeader(101, true, _sequence, _sequence * 160u, 5), [code, 0x8A, 3, 32]);
        _sequence++;
        _media.HandleSip(packet.AsSpan(0, length), _caller, _now);
    }
}
