using System;
using System.Linq;
using System.Text;
using Google.Protobuf;
using Proxy.LiveKit.Protocol;
using Proxy.WebRtc;
using Xunit;

namespace Proxy.Participant.Tests.Data;

public sealed class RoomDataTests
{
    [Fact]
    public void Digit_of_the_phone_is_the_golden_packet()
    {
        ParticipantHarness machine = Server.Active();

        Assert.True(machine.Machine.SendDtmf('7', machine.Now));
        machine.Drain();

        Assert.Equal("_reliable", machine.Commands[^1].Label);
        Assert.Equal("MgUYByIBNw==", Convert.ToBase64String(machine.Commands[^1].Payload!));
    }

    [Theory]
    [InlineData('0', 0u, "0")]
    [InlineData('*', 10u, "*")]
    [InlineData('#', 11u, "#")]
    [InlineData('A', 12u, "a")]
    [InlineData('d', 15u, "d")]
    public void Codes_follow_rfc_4733(char digit, uint code, string text)
    {
        ParticipantHarness machine = Server.Active();

        machine.Machine.SendDtmf(digit, machine.Now);
        machine.Drain();

        SipDTMF sent = DataPacket.Parser.ParseFrom(machine.Commands[^1].Payload).SipDtmf;
        Assert.Equal(code, sent.Code);
        Assert.Equal(text, sent.Digit);
    }

    [Fact]
    public void Called_method_is_acknowledged_told_and_answered_to_its_caller()
    {
        ParticipantHarness machine = Server.Active();
        machine.Peer(PeerEventKind.Data, "_reliable", Call("r1", 1));
        DataPacket ack = DataPacket.Parser.ParseFrom(machine.Commands[^1].Payload);
        Assert.Equal(("r1", "agent"), (ack.RpcAck.RequestId, ack.DestinationIdentities.Single()));
        RoomEvent told = machine.Last(RoomEventKind.Rpc)!;
        Assert.Equal(("r1", "greet", "{}", "agent"), (told.RequestId, told.Text, Encoding.UTF8.GetString(told.Payload.Span), told.Identity));
        Assert.True(machine.Machine.Answer(new RpcAnswer("r1", "agent", "hello")));
        machine.Drain();
        DataPacket response = DataPacket.Parser.ParseFrom(machine.Commands[^1].Payload);
        Assert.Equal(("r1", "hello", "agent"), (response.RpcResponse.RequestId, response.RpcResponse.Payload, response.DestinationIdentities.Single()));
        machine.Machine.Answer(new RpcAnswer("r1", "agent", "no such method", Participant.RpcError.UnsupportedMethod));
        machine.Drain();
        Assert.Equal((1400u, "no such method"), (Sent(machine).Error.Code, Sent(machine).Error.Message));
        machine.Machine.Answer(new RpcAnswer("r1", "agent", new string('x', 20_000)));
        machine.Drain();
        Assert.Equal(1504u, Sent(machine).Error.Code);
    }

    [Fact]
    public void Method_called_in_a_later_version_is_refused_and_one_without_id_ignored()
    {
        ParticipantHarness machine = Server.Active();
        int before = machine.Commands.Count;
        machine.Peer(PeerEventKind.Data, "_reliable", Call("", 1));
        machine.Peer(PeerEventKind.Data, "_reliable", Call(new string('r', 129), 1));
        Assert.Equal(before, machine.Commands.Count);
        machine.Peer(PeerEventKind.Data, "_reliable", Call("r1", 2));
        Assert.Equal(1404u, Sent(machine).Error.Code);
        Assert.Null(machine.Last(RoomEventKind.Rpc));
    }

    private static byte[] Call(string id, uint version) => new DataPacket
    {
        ParticipantIdentity = "agent",
        RpcRequest = new RpcRequest { Id = id, Method = "greet", Payload = "{}", Version = version },
    }.ToByteArray();

    private static RpcResponse Sent(ParticipantHarness machine) => DataPacket.Parser.ParseFrom(machine.Commands[^1].Payload).RpcResponse;

    [Theory]
    [InlineData('x')]
    [InlineData('w')]
    [InlineData('\0')]
    public void What_is_no_digit_is_refused(char digit) => Assert.False(Server.Active().Machine.SendDtmf(digit, default));

    [Fact]
    public void Digits_wait_for_the_channel_and_are_bounded()
    {
        ParticipantHarness machine = Server.Joined();
        int taken = Enumerable.Range(0, 100).Count(_ => machine.Machine.SendDtmf('1', machine.Now));
        machine.Drain();
        Assert.Equal(32, taken);
        Assert.Empty(machine.Commands);

        machine.Peer(PeerEventKind.ChannelOpen, "_lossy");
        Assert.Empty(machine.Commands);
        machine.Peer(PeerEventKind.ChannelOpen, "_reliable");

        Assert.Equal(32, machine.Commands.Count(c => c.Kind == MediaCommandKind.SendData));
    }

    [Theory]
    [InlineData("EiQSC2Zyb20tc2VydmVyIgNhcGlaEOIR/a56VjF9EuRt35J/3vE=", "api", "from-server", "")]
    [InlineData("IgZyZW1vdGWAAQGKAQ9QQV93RjJ5WHRHQ3JnUzgSLAoPUEFfd0YyeVh0R0NyZ1M4Eg5oZWxsby1yZWxpYWJsZSIBdCoGcmVtb3Rl", "t", "hello-reliable", "remote")]
    [InlineData("CAEiBnJlbW90ZYoBD1BBX3dGMnlYdEdDcmdTOBIpCg9QQV93RjJ5WHRHQ3JnUzgSC2hlbGxvLWxvc3N5IgF0KgZyZW1vdGU=", "t", "hello-lossy", "remote")]
    public void Captured_user_packets_become_events(string base64, string topic, string text, string identity)
    {
        ParticipantHarness machine = Server.Active();

        machine.Peer(PeerEventKind.Data, "_reliable", Convert.FromBase64String(base64));

        RoomEvent data = machine.Last(RoomEventKind.Data)!;
        Assert.Equal(topic, data.Text);
        Assert.Equal(text, Encoding.UTF8.GetString(data.Payload.Span));
        Assert.Equal(identity, data.Identity);
    }

    [Fact]
    public void Captured_digit_becomes_an_event_once()
    {
        ParticipantHarness machine = Server.Active(null, Server.Participant("PA_wF2yXtGCrgS8", "remote"));
        byte[] packet = Convert.FromBase64String("IgZyZW1vdGWAAQKKAQ9QQV93RjJ5WHRHQ3JnUzgyBRgFIgE1");

        machine.Peer(PeerEventKind.Data, "_reliable", packet);
        // A resume may bring it again: same sender, same sequence.
        machine.Peer(PeerEventKind.Data, "_reliable", packet);

        RoomEvent digit = Assert.Single(machine.Events, e => e.Kind == RoomEventKind.Dtmf);
        Assert.Equal("5", digit.Text);
        Assert.Equal(5u, digit.Code);
        Assert.Equal("remote", digit.Identity);
    }

    [Theory]
    [InlineData("12w#", 0u, "12w#")]
    [InlineData("a", 12u, "A")]
    [InlineData("", 11u, "#")]
    [InlineData("", 99u, null)]
    [InlineData("\0", 16u, null)]
    [InlineData("hello\r\n", 1u, null)]
    public void Digits_to_play_are_only_what_a_phone_knows(string text, uint code, string? expected)
    {
        ParticipantHarness machine = Server.Active();

        machine.Peer(PeerEventKind.Data, "_reliable", new DataPacket { SipDtmf = new SipDTMF { Code = code, Digit = text } }.ToByteArray());

        Assert.Equal(expected, machine.Last(RoomEventKind.Dtmf)?.Text);
    }

    [Fact]
    public void Endless_digits_are_cut()
    {
        ParticipantHarness machine = Server.Active();

        machine.Peer(PeerEventKind.Data, "_reliable", new DataPacket { SipDtmf = new SipDTMF { Digit = new string('1', 50_000) } }.ToByteArray());

        Assert.Equal(64, machine.Last(RoomEventKind.Dtmf)!.Text.Length);
    }

    [Fact]
    public void Rubbish_on_the_channel_is_counted()
    {
        ParticipantHarness machine = Server.Active();

        machine.Peer(PeerEventKind.Data, "_reliable", [0xFF, 0xFF, 0xFF]);
        machine.Peer(PeerEventKind.Data, "_reliable", new byte[70_000]);
        machine.Peer(PeerEventKind.Data, "_reliable", null);

        Assert.Equal(3, machine.Machine.FramesIgnored);
    }

    [Fact]
    public void User_data_is_sent_on_the_channel_asked_for_and_bounded()
    {
        ParticipantHarness machine = Server.Active();

        Assert.True(machine.Machine.SendData("t", "hi"u8, isReliable: false, machine.Now));
        Assert.False(machine.Machine.SendData("t", new byte[15_001], isReliable: true, machine.Now));
        machine.Drain();

        Assert.Equal("_lossy", machine.Commands[^1].Label);
        // As the lean client's lossy packet, with our text.
        Assert.Equal("CAESBxICaGkiAXQ=", Convert.ToBase64String(machine.Commands[^1].Payload!));
    }
}
