using System;
using System.Buffers;
using System.Text;
using System.Text.Json;
using Proxy.Bridge;
using Proxy.Server.Node;
using Xunit;

namespace Proxy.Server.Tests.Node;

public sealed class LiveCallTests
{
    [Fact]
    public void Live_call_is_one_JSON_object_with_the_keys_of_the_records()
    {
        var call = new LiveCall
        {
            CallId = "SCL_1",
            SipCallId = "abc@carrier",
            StartedAt = DateTimeOffset.UnixEpoch,
            From = "+15550100",
            To = "room-\"lobby\"",
            Source = "192.0.2.1:5060",
            Transport = "udp",
            Room = "lobby",
            Phase = CallPhase.Connected,
            Age = TimeSpan.FromMilliseconds(12_340),
            Talked = TimeSpan.FromMilliseconds(10_060),
            SipCodec = "PCMU/8000",
            RoomCodec = "pcmu",
        };
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            call.WriteTo(json);
        }
        Assert.Equal(
            """
            {"call_id":"SCL_1","sip_call_id":"abc@carrier","started_at":"1970-01-01T00:00:00Z","state":"connected","seconds":12.3,"talked_seconds":10.1,
            "from":"\u002B15550100","to":"room-\u0022lobby\u0022","source":"192.0.2.1:5060","transport":"udp","trunk_id":"","rule_id":"","room":"lobby","identity":"",
            "sip_codec":"PCMU/8000","room_codec":"pcmu"}
            """.ReplaceLineEndings(""),
            Encoding.UTF8.GetString(buffer.WrittenSpan));
    }
}
