using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Audio.Codecs;
using Proxy.Bridge.Media;
using Proxy.Bridge.Records;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Srtp;
using Xunit;

namespace Proxy.Bridge.Tests.Media;

/// <summary>A call's media with SDES keys (RFC 4568): what goes out fits the caller's session, what comes in is taken only with its keys.</summary>
public sealed class SecureMediaTests : IMediaIo, IDisposable
{
    private readonly NetEndPoint _caller = NetEndPoint.TryParse("198.51.100.7:4000", out NetEndPoint at) ? at : default;
    private readonly PacketSlab _slab = new(64, 1_500);
    private readonly List<byte[]> _sent = [];
    private readonly List<CallEvent> _events = [];
    private readonly CallMedia _media;
    private SrtpSession _peer;
    private MonoTime _now = MonoTime.FromMillis(1_000);
    private ushort _sequence;

    public SecureMediaTests()
    {
        _media = new CallMedia(new Limits(), new CallMediaOptions { Reservation = default, Cname = "c", SipSsrc = 9, SipSequence = 1, SipTimestamp = 1 });
        _media.Attach(this, new MediaScratch(), _slab);
        _peer = Agree(CallCommandKind.StartSip, 1);
    }

    /// <summary>Both sides get keys made of one number; returns the caller's session.</summary>
    private SrtpSession Agree(CallCommandKind kind, byte seed, SrtpProfile profile = SrtpProfile.AesCm128HmacSha1_80)
    {
        byte[] ours = [.. Enumerable.Range(seed, 30).Select(i => (byte)i)];
        byte[] theirs = [.. Enumerable.Range(seed + 100, 30).Select(i => (byte)i)];
        _media.Handle(
            new CallCommand(kind, new SipAudio
            {
                Law = G711Law.Mu,
                PayloadType = 0,
                DtmfPayloadType = 101,
                Remote = _caller,
                RemoteRtcp = _caller,
                Srtp = profile,
                LocalKeyAndSalt = ours,
                RemoteKeyAndSalt = theirs,
            }),
            _now);
        return new SrtpSession(profile, theirs, ours);
    }

    [Fact]
    public void What_goes_out_fits_the_callers_keys_and_nothing_goes_out_in_clear()
    {
        Tick(50);
        Assert.Equal(50, _sent.Count(p => Demux.Of(p) == PacketClass.Rtp));
        foreach (byte[] packet in _sent)
        {
            bool isRtp = Demux.Of(packet) == PacketClass.Rtp;
            int length;
            Assert.Equal(SrtpVerdict.Ok, isRtp ? _peer.UnprotectRtp(packet, out length) : _peer.UnprotectRtcp(packet, out length));
            Assert.True(!isRtp || length == 172);
        }
    }

    [Fact]
    public void What_comes_in_is_taken_with_the_keys_only()
    {
        Send(Press(5));
        Assert.Equal("5", Digits());
        byte[] clear = new byte[200];
        Receive(clear[..RtpWriter.Write(clear, new RtpHeader(0, false, 40, 6400, 5), new byte[160])]);
        byte[] forged = Protect(Press(7));
        forged[^1] ^= 1;
        Receive(forged);
        byte[] twice = Protect(Press(8));
        Receive((byte[])twice.Clone());
        Receive(twice);
        Assert.Equal("58", Digits());
        MediaReport report = Report();
        Assert.Equal((2, 1, 0), (report.SrtpFailures, report.Duplicates, report.Unreadable));
    }

    [Fact]
    public void Rtcp_in_clear_is_unreadable_and_no_sign_of_wrong_keys_as_baresip_sends_it()
    {
        Receive(Convert.FromHexString("80CC0003B209AD7650494E47504F4E47"));
        Receive(Convert.FromHexString("81CB0003B209AD760441646A6F00000081CA0008B209AD7601187369703A2B3135353530313131403132372E302E32322E310000"));
        MediaReport report = Report();
        Assert.Equal((0, 2), (report.SrtpFailures, report.Unreadable));
    }

    [Fact]
    public void New_keys_of_a_reinvite_take_the_place_of_the_old_ones()
    {
        Send(Press(1));
        byte[] old = Protect(Press(2));
        _peer.Dispose();
        _peer = Agree(CallCommandKind.Renegotiate, 50);
        Receive(old);
        Send(Press(3));
        _sent.Clear();
        Tick(5);
        Assert.Equal("13", Digits());
        Assert.All(_sent.Where(p => Demux.Of(p) == PacketClass.Rtp), p => Assert.Equal(SrtpVerdict.Ok, _peer.UnprotectRtp(p, out _)));
        Assert.Equal(1, Report().SrtpFailures);
    }

    [Fact]
    public void Short_tags_are_carried_too()
    {
        _peer.Dispose();
        _peer = Agree(CallCommandKind.Renegotiate, 70, SrtpProfile.AesCm128HmacSha1_32);
        _sent.Clear();
        Tick(5);
        Assert.All(_sent.Where(p => Demux.Of(p) == PacketClass.Rtp), p => Assert.Equal((SrtpVerdict.Ok, 176), (_peer.UnprotectRtp(p, out _), p.Length)));
        Send(Press(4));
        Assert.Equal("4", Digits());
    }

    bool IMediaIo.Send(CallMedia media, MediaSide side, ReadOnlySpan<byte> datagram, in NetEndPoint to)
    {
        _sent.Add(datagram.ToArray());
        return true;
    }

    void IMediaIo.Emit(CallMedia media, in CallEvent mediaEvent) => _events.Add(mediaEvent);

    public void Dispose()
    {
        _peer.Dispose();
        _slab.Dispose();
    }

    private string Digits() => string.Concat(_events.Where(e => e.Kind == CallEventKind.Dtmf).Select(e => (char)e.Number));

    private MediaReport Report()
    {
        _media.Handle(new CallCommand(CallCommandKind.Close, null), _now);
        return (MediaReport)_events[^1].Payload!;
    }

    private void Tick(int times)
    {
        for (int i = 0; i < times; i++)
        {
            _now = _now.AddMillis(20);
            _media.Tick(_now);
        }
    }

    /// <summary>A key press as one plain RTP packet.</summary>
    private byte[] Press(byte code)
    {
        byte[] packet = new byte[64];
        int length = RtpWriter.Write(packet, new RtpHeader(101, true, _sequence, _sequence * 160u, 5), [code, 0x8A, 3, 32]);
        _sequence++;
        return packet[..length];
    }

    private byte[] Protect(byte[] plain)
    {
        byte[] packet = new byte[plain.Length + SrtpSession.MaxOverheadBytes];
        plain.CopyTo(packet, 0);
        return packet[.._peer.ProtectRtp(packet, plain.Length)];
    }

    private void Send(byte[] plain) => Receive(Protect(plain));

    private void Receive(byte[] packet)
    {
        _now = _now.AddMillis(20);
        _media.HandleSip(packet, _caller, _now);
    }
}
