using System;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Proxy.Core.Memory;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;
using Xunit;
using Json = Proxy.LiveKit.ProtoJson.ProtoJson;

namespace Proxy.LiveKit.Tests.ProtoJson;

public sealed class ProtoJsonTests
{
    [Theory]
    [InlineData("{\n  \"name\": \"x\",\n  \"nope\": 1\n}", 3, 3, "unknown field \"nope\"")]
    [InlineData("{\"name\":\"x\",\"emptyTimeout\":-1}", 1, 28, "field \"empty_timeout\" is out of range")]
    [InlineData("{\"name\":5}", 1, 9, "field \"name\" needs a text")]
    [InlineData("{\"empty_timeout\":\"1.5\"}", 1, 18, "field \"empty_timeout\" needs a whole number")]
    [InlineData("{\"empty_timeout\":1,\n\"emptyTimeout\":2}", 2, 1, "field \"empty_timeout\" is given twice")]
    [InlineData("{\"agents\":{}}", 1, 11, "field \"agents\" needs a list")]
    [InlineData("{\"tags\":[]}", 1, 9, "field \"tags\" needs an object")]
    [InlineData("{\"tags\":{\"a\":\"1\",\"a\":\"2\"}}", 1, 18, "a key of \"tags\" is given twice")]
    [InlineData("null", 1, 1, "expected an object")]
    [InlineData("{\"name\":\"x\"} {", 1, 14, "this is not JSON, or it is nested too deeply")]
    [InlineData("{\"name\":\"\\ud800\"}", 1, 9, "this text is not Unicode")]
    public void Fault_is_found_with_its_place(string json, int line, int column, string text)
    {
        Assert.False(Json.TryRead(Encoding.UTF8.GetBytes(json), ProtoJsonRules.Strict, out CreateRoomRequest message, out ProtoJsonError error));
        Assert.Equal(new ProtoJsonError(line, column, text), error);
        Assert.Equal(new CreateRoomRequest(), message);
    }

    [Fact]
    public void Numbers_enums_and_bytes_are_read_in_every_form()
    {
        const string Text = "{\"data\":\"_-8\",\"kind\":1,\"nonce\":\"AAE=\",\"topic\":null,\"destination_sids\":null}";
        Assert.True(Json.TryRead(Encoding.UTF8.GetBytes(Text), ProtoJsonRules.Strict, out SendDataRequest data, out _));
        Assert.Equal([0xFF, 0xEF], data.Data.ToByteArray());
        Assert.Equal(DataPacket.Types.Kind.Lossy, data.Kind);
        Assert.False(data.HasTopic);

        const string Room = "{\"empty_timeout\":\"30\",\"max_participants\":1e1,\"creation_time\":17,\"creationTimeMs\":\"9007199254740993\"}";
        Assert.True(Json.TryRead(Encoding.UTF8.GetBytes(Room), ProtoJsonRules.Strict, out Room room, out _));
        Assert.Equal((30u, 10u, 17L, 9007199254740993L), (room.EmptyTimeout, room.MaxParticipants, room.CreationTime, room.CreationTimeMs));
    }

    [Theory]
    [InlineData("\"RELIABEL\"", false)]
    [InlineData("\"LOSSY\"", true)]
    [InlineData("7", true)]
    [InlineData("1.5", false)]
    public void Enum_is_a_known_name_or_any_number_in_files(string value, bool isRead) =>
        Assert.Equal(isRead, Json.TryRead(Encoding.UTF8.GetBytes("{\"kind\":" + value + "}"), ProtoJsonRules.Strict, out SendDataRequest _, out _));

    [Fact]
    public void Api_rules_pass_over_what_is_unknown()
    {
        const string Text = "{\"kind\":\"NOPE\",\"x\":{\"y\":[1,{}]},\"room\":\"r\"}trailing";
        Assert.True(Json.TryRead(Encoding.UTF8.GetBytes(Text), ProtoJsonRules.Api, out SendDataRequest data, out _));
        Assert.Equal("r", data.Room);
        Assert.False(Json.TryRead(Encoding.UTF8.GetBytes(Text), ProtoJsonRules.IgnoreUnknown, out data, out _));
    }

    [Theory]
    [InlineData("3s", 3, 0, "3s")]
    [InlineData("-1.5s", -1, -500_000_000, "-1.500s")]
    [InlineData("0.000001s", 0, 1_000, "0.000001s")]
    [InlineData("315576000000s", 315_576_000_000, 0, "315576000000s")]
    [InlineData("+2s", 2, 0, "2s")]
    public void Duration_is_read_and_written(string text, long seconds, int nanos, string written)
    {
        byte[] json = Encoding.UTF8.GetBytes("{\"ringingTimeout\":\"" + text + "\"}");
        Assert.True(Json.TryRead(json, ProtoJsonRules.Strict, out SIPInboundTrunkInfo trunk, out _));
        Assert.Equal(new Duration { Seconds = seconds, Nanos = nanos }, trunk.RingingTimeout);
        Assert.Equal("{\"ringingTimeout\":\"" + written + "\"}", Encoding.UTF8.GetString(Json.Write(trunk, ProtoJsonStyle.Camel)));
    }

    [Theory]
    [InlineData("2026-11-22T18:00:00Z", "2026-11-22T18:00:00Z")]
    [InlineData("2026-11-22T18:00:00.25+01:30", "2026-11-22T16:30:00.250Z")]
    [InlineData("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z")]
    [InlineData("2026-11-22T18:00:00", null)]
    [InlineData("2026-11-22 18:00:00Z", null)]
    [InlineData("0001-01-01T00:00:00+01:00", null)]
    [InlineData("2026-11-22T18:00:00.1234567891Z", null)]
    public void Timestamp_is_read_and_written(string text, string? written)
    {
        byte[] json = Encoding.UTF8.GetBytes("{\"createdAt\":\"" + text + "\"}");
        Assert.Equal(written is not null, Json.TryRead(json, ProtoJsonRules.Strict, out SIPInboundTrunkInfo trunk, out _));
        if (written is not null)
        {
            Assert.Equal("{\"createdAt\":\"" + written + "\"}", Encoding.UTF8.GetString(Json.Write(trunk, ProtoJsonStyle.Camel)));
        }
    }

    [Fact]
    public void Nesting_ends_at_the_limit()
    {
        string deep = "{\"x\":" + new string('[', 31) + new string(']', 31) + "}";
        Assert.True(Json.TryRead(Encoding.UTF8.GetBytes(deep), ProtoJsonRules.Api, out Room _, out _));
        deep = "{\"x\":" + new string('[', 32) + new string(']', 32) + "}";
        Assert.False(Json.TryRead(Encoding.UTF8.GetBytes(deep), ProtoJsonRules.Api, out Room _, out _));
    }

    [Fact]
    public void Twirp_style_shows_defaults_and_camel_style_does_not()
    {
        SIPMediaConfig media = new();
        Assert.Equal("{\"only_listed_codecs\":false,\"codecs\":[]}", Encoding.UTF8.GetString(Json.Write(media, ProtoJsonStyle.Twirp)));
        Assert.Equal("{}", Encoding.UTF8.GetString(Json.Write(media, ProtoJsonStyle.Camel)));
        media.Encryption = SIPMediaEncryption.SipMediaEncryptDisable;
        Assert.Equal("{\"encryption\":\"SIP_MEDIA_ENCRYPT_DISABLE\"}", Encoding.UTF8.GetString(Json.Write(media, ProtoJsonStyle.Camel)));
        Assert.Contains("\"rule\":null", Encoding.UTF8.GetString(Json.Write(new SIPDispatchRuleInfo(), ProtoJsonStyle.Twirp)), StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_enum_number_and_text_outside_ascii_are_kept()
    {
        ParticipantInfo info = new() { State = (ParticipantInfo.Types.State)99, Name = "Zo\u00eb <\u6f22\U0001F600>", Attributes = { ["k"] = "v" } };
        byte[] json = Json.Write(info, ProtoJsonStyle.Camel);
        Assert.Contains("\"state\":99", Encoding.UTF8.GetString(json), StringComparison.Ordinal);
        Assert.True(Json.TryRead(json, ProtoJsonRules.Strict, out ParticipantInfo read, out _));
        Assert.Equal(info, read);
    }

    [Fact]
    public void Member_of_a_oneof_is_written_even_when_it_is_empty()
    {
        SignalRequest request = new() { Ping = 0 };
        Assert.Equal("{\"ping\":\"0\"}", Encoding.UTF8.GetString(Json.Write(request, ProtoJsonStyle.Camel)));
        Assert.Equal("{}", Encoding.UTF8.GetString(Json.Write(new SignalRequest(), ProtoJsonStyle.Twirp)));
        Assert.Equal("{\"media_sections_requirement\":{\"num_audios\":0,\"num_videos\":0}}",
            Encoding.UTF8.GetString(Json.Write(new SignalResponse { MediaSectionsRequirement = new MediaSectionsRequirement() }, ProtoJsonStyle.Twirp)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(77)]
    public void Mutated_json_never_throws(int seed)
    {
        SeededRandom random = new((ulong)seed);
        JoinResponse join = new()
        {
            Room = new Room { Name = "r", EnabledCodecs = { new Codec { Mime = "audio/opus" } } },
            Participant = new ParticipantInfo { Identity = "i", Tracks = { new TrackInfo { Sid = "TR_1" } }, Attributes = { ["a"] = "b" } },
            SifTrailer = ByteString.CopyFrom(1, 2, 3),
        };
        byte[] source = Json.Write(join, ProtoJsonStyle.Twirp);
        int read = 0;
        for (int round = 0; round < 3_000; round++)
        {
            byte[] json = (byte[])source.Clone();
            for (int i = random.Next(4); i >= 0; i--)
            {
                json[random.Next(json.Length)] = (byte)random.Next();
            }
            read += Json.TryRead(json, ProtoJsonRules.Api, out JoinResponse _, out _) ? 1 : 0;
            Json.FromWire("JoinResponse", json, ProtoJsonStyle.Twirp);
        }
        Assert.True(read > 100);
    }

    [Fact]
    public void Message_that_does_not_exist_is_told()
    {
        Assert.False(Json.TryToWire("Nope", "{}"u8, ProtoJsonRules.Strict, out _, out _));
        Assert.Null(Json.FromWire("Nope", [], ProtoJsonStyle.Camel));
        Assert.True(Json.TryToWire("DataStream.Header", "{\"stream_id\":\"x\"}"u8, ProtoJsonRules.Strict, out byte[] wire, out _));
        Assert.Equal("x", DataStream.Types.Header.Parser.ParseFrom(wire).StreamId);
        Assert.Equal("{\"streamId\":\"x\"}", Encoding.UTF8.GetString(Json.Write(DataStream.Types.Header.Parser.ParseFrom(wire), ProtoJsonStyle.Camel)));
    }
}
