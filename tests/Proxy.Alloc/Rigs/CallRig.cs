using System;
using System.Collections.Generic;
using Proxy.Audio.Codecs;
using Proxy.Bridge.Media;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Participant;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Srtp;
using Proxy.WebRtc;
using Proxy.WebRtc.Dtls;

namespace Proxy.Rigs;

/// <summary>
/// One owner. The packet path of one call without sockets: <see cref="CallMedia"/> as the shard runs it, a room server's
/// transport (real OpenSSL, real SRTP) behind it, virtual time. Shared by the allocation cases and the benchmarks.
/// </summary>
internal sealed class CallRig : IMediaIo, IDisposable
{
    public const uint RemoteSsrc = 918470551;
    public static readonly NetEndPoint Caller = EndPoint("127.0.0.1:5004");
    public static readonly NetEndPoint RoomServer = EndPoint("127.0.0.1:17002");
    public static readonly NetEndPoint RoomSide = EndPoint("127.0.0.1:40000");
    private const uint OurSsrc = 0x1234_5678;
    private const uint CallerSsrc = 77;

    private readonly DtlsIdentity _ourIdentity = DtlsIdentity.Create();
    private readonly DtlsIdentity _serverIdentity = DtlsIdentity.Create();
    private readonly SeededRandom _random = new(7);
    private readonly PacketSlab _slab = new(256, 1_500);
    private readonly Queue<byte[]> _toServer = new();
    private readonly byte[] _buffer = new byte[2_048];
    private readonly byte[] _frame = new byte[160];
    private readonly byte[] _check = new byte[400];
    private int _checkLength;
    private readonly byte[] _opusFrame;
    private readonly SrtpSession? _callerSrtp;
    private readonly bool _isOpus;
    private bool _isConnecting = true;
    private ushort _callerSequence;
    private ushort _roomSequence;

    /// <param name="codec">Of the room's track: PCMU means passthrough.</param>
    /// <param name="profile">Encrypts the caller's leg; null leaves it plain.</param>
    public CallRig(RoomCodec codec, SrtpProfile? profile = null)
    {
        _isOpus = codec == RoomCodec.Opus;
        _opusFrame = OpusFrame();
        for (int i = 0; i < _frame.Length; i++)
        {
            _frame[i] = (byte)(0x80 | ((i * 7) & 0x3F));
        }
        IceCredentials ourIce = IceCredentials.Create(_random);
        IceCredentials serverIce = IceCredentials.Create(_random);
        Server = new PeerConnection(new PeerOptions { Local = serverIce, IsControlling = false, Setup = SetupRole.Active }, _serverIdentity, _random, Now);
        Server.SetRemote(new RemoteDescription(ourIce, false, _ourIdentity.FingerprintSha256, SetupRole.ActPass, []), Now);
        var peer = new PeerOptions { Local = ourIce, IsControlling = true, Setup = SetupRole.ActPass };
        Media = new CallMedia(new Limits(), new CallMediaOptions
        {
            Reservation = default,
            Cname = "cname",
            SipSsrc = 99,
            SipSequence = 1,
            SipTimestamp = 1,
        });
        Media.Attach(this, new MediaScratch(), _slab);
        Func<MonoTime, RoomMedia> makeRoom = now => new RoomMedia(new PeerConnection(peer, _ourIdentity, _random, now), OurSsrc, "cname", 65_530, 1_000);
        Media.Handle(new CallCommand(CallCommandKind.OpenRoom, makeRoom), Now);
        Room(new MediaCommand(MediaCommandKind.SetPublish) { Publish = new PublishTrack(codec, (byte)(_isOpus ? 111 : 0), 1, OurSsrc) });
        PayloadCodec[] codecs = [new(0, RoomCodec.Pcmu), new(111, RoomCodec.Opus)];
        Room(new MediaCommand(MediaCommandKind.SetDownTracks) { DownTracks = [new DownTrack(RemoteSsrc, codecs, "TR_a", "PA_a", "agent")] });
        Room(new MediaCommand(MediaCommandKind.SetRemote)
        {
            Remote = new RemoteDescription(serverIce, false, _serverIdentity.FingerprintSha256, SetupRole.Active, []),
        });
        Room(new MediaCommand(MediaCommandKind.AddCandidate) { Candidate = RoomServer });
        Connect();
        SipAudio audio = Audio(profile, out _callerSrtp);
        Media.Handle(new CallCommand(CallCommandKind.StartSip, audio), Now);
    }

    public MonoTime Now { get; private set; } = MonoTime.FromMillis(5_000);

    public CallMedia Media { get; }

    /// <summary>The room server's end of the transport.</summary>
    public PeerConnection Server { get; }

    public long ToRoom { get; private set; }

    public long ToCaller { get; private set; }

    /// <summary>Bytes of the datagram that went out last; it lies in <see cref="MediaScratch.Packet"/>.</summary>
    public int LastLength { get; private set; }

    public static NetEndPoint EndPoint(string text) => NetEndPoint.TryParse(text, out NetEndPoint parsed) ? parsed : default;

    /// <summary>A 20 ms packet of the caller goes in; in passthrough it comes out at once.</summary>
    public void Uplink()
    {
        var header = new RtpHeader(0, false, _callerSequence, _callerSequence * 160u, CallerSsrc);
        _callerSequence++;
        int length = RtpWriter.Write(_buffer, header, _frame);
        if (_callerSrtp is not null)
        {
            length = _callerSrtp.ProtectRtp(_buffer, length);
        }
        Media.HandleSip(_buffer.AsSpan(0, length), Caller, Now);
    }

    /// <summary>A 20 ms packet of the room's track goes in.</summary>
    public void Downlink() => Media.HandleRoom(_buffer.AsSpan(0, ProtectDownlink(_buffer)), RoomServer, Now);

    /// <summary>Writes the room track's next packet, encrypted by the server.</summary>
    /// <returns>Its bytes.</returns>
    public int ProtectDownlink(Span<byte> buffer)
    {
        uint step = _isOpus ? 960u : 160u;
        var header = new RtpHeader((byte)(_isOpus ? 111 : 0), false, _roomSequence, _roomSequence * step, RemoteSsrc);
        _roomSequence++;
        int length = RtpWriter.Write(buffer, header, _isOpus ? _opusFrame : _frame);
        return Server.ProtectRtp(buffer, length);
    }

    /// <summary>The 20 ms grid.</summary>
    public void Tick()
    {
        Now = Now.AddMillis(20);
        Media.Tick(Now);
    }

    /// <summary>Both directions for 20 ms.</summary>
    public void Turn()
    {
        Uplink();
        Downlink();
        Tick();
        if (Media.NextDeadline <= Now)
        {
            Media.HandleTimeout(Now);
        }
        if (Server.NextDeadline <= Now)
        {
            Server.HandleTimeout(Now);
        }
        AnswerChecks();
    }

    public bool Send(CallMedia media, MediaSide side, ReadOnlySpan<byte> datagram, in NetEndPoint to)
    {
        if (_isConnecting)
        {
            _toServer.Enqueue(datagram.ToArray());
            return true;
        }
        if (side == MediaSide.Room && datagram[0] < 4)
        {
            // A consent check (RFC 7675) or the answer to one; the last one is enough to stay connected.
            datagram.CopyTo(_check);
            _checkLength = datagram.Length;
            return true;
        }
        LastLength = datagram.Length;
        ToRoom += side == MediaSide.Room ? 1 : 0;
        ToCaller += side == MediaSide.Sip ? 1 : 0;
        return true;
    }

    public void Emit(CallMedia media, in CallEvent mediaEvent)
    {
    }

    public void Dispose()
    {
        Media.Handle(new CallCommand(CallCommandKind.Close, null), Now);
        Server.Dispose();
        _callerSrtp?.Dispose();
        _ourIdentity.Dispose();
        _serverIdentity.Dispose();
        _slab.Dispose();
    }

    private static byte[] OpusFrame()
    {
        using OpusCodec codec = new(new OpusOptions(), CodecUse.Encode);
        short[] pcm = new short[160];
        byte[] packet = new byte[400];
        int length = 0;
        for (int i = 0; i < 5; i++)
        {
            for (int at = 0; at < pcm.Length; at++)
            {
                pcm[at] = (short)(8_000 * Math.Sin((i * 160 + at) * 0.3));
            }
            length = codec.Encode(pcm, packet);
        }
        return packet[..length];
    }

    private static SipAudio Audio(SrtpProfile? profile, out SrtpSession? callerSrtp)
    {
        callerSrtp = null;
        byte[] local = [];
        byte[] remote = [];
        if (profile is { } chosen)
        {
            local = new byte[SrtpParameters.Of(chosen).KeyAndSaltBytes];
            remote = new byte[local.Length];
            local[0] = 1;
            remote[0] = 2;
            callerSrtp = new SrtpSession(chosen, remote, local);
        }
        return new SipAudio
        {
            Law = G711Law.Mu,
            PayloadType = 0,
            DtmfPayloadType = 101,
            Remote = Caller,
            RemoteRtcp = Caller,
            Srtp = profile,
            LocalKeyAndSalt = local,
            RemoteKeyAndSalt = remote,
        };
    }

    private void Room(MediaCommand command) => Media.Handle(new CallCommand(CallCommandKind.Room, command), Now);

    /// <summary>Lets virtual time pass, 1 ms a step, until both sides are up.</summary>
    private void Connect()
    {
        for (int i = 0; i < 2_000 && !(Server.State == PeerState.Connected && Media.Room!.State == PeerState.Connected); i++)
        {
            Now = Now.AddMillis(1);
            if (Media.NextDeadline <= Now)
            {
                Media.HandleTimeout(Now);
            }
            if (Server.NextDeadline <= Now)
            {
                Server.HandleTimeout(Now);
            }
            Carry();
        }
        if (Media.Room!.State != PeerState.Connected)
        {
            throw new InvalidOperationException("the rig's transport did not come up");
        }
        _isConnecting = false;
    }

    private void AnswerChecks()
    {
        if (_checkLength > 0)
        {
            Server.HandleDatagram(_check.AsSpan(0, _checkLength), RoomSide, Now, out _);
            _checkLength = 0;
        }
        while (Server.TryPollDatagram(_buffer, out int length, out _))
        {
            Media.HandleRoom(_buffer.AsSpan(0, length), RoomServer, Now);
        }
    }

    private void Carry()
    {
        bool hasMoved;
        do
        {
            hasMoved = false;
            while (_toServer.TryDequeue(out byte[]? datagram))
            {
                hasMoved = true;
                Server.HandleDatagram(datagram, RoomSide, Now, out _);
            }
            while (Server.TryPollDatagram(_buffer, out int length, out _))
            {
                hasMoved = true;
                Media.HandleRoom(_buffer.AsSpan(0, length), RoomServer, Now);
            }
        }
        while (hasMoved);
    }
}
