using System;
using System.Collections.Frozen;
using System.Collections.Generic;
using Google.Protobuf;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;

namespace Proxy.Server.Api;

/// <summary>Any thread. The methods of <c>livekit.SIP</c>: how their requests are read. CreateSIPTrunk is gone from the protocol.</summary>
public static class SipMethods
{
    private static readonly FrozenDictionary<string, Func<ReadOnlyMemory<byte>, bool, IMessage?>> s_methods = new Dictionary<string, Func<ReadOnlyMemory<byte>, bool, IMessage?>>
    {
        ["CreateSIPInboundTrunk"] = Read(CreateSIPInboundTrunkRequest.Parser),
        ["UpdateSIPInboundTrunk"] = Read(UpdateSIPInboundTrunkRequest.Parser),
        ["GetSIPInboundTrunk"] = Read(GetSIPInboundTrunkRequest.Parser),
        ["ListSIPInboundTrunk"] = Read(ListSIPInboundTrunkRequest.Parser),
        ["CreateSIPOutboundTrunk"] = Read(CreateSIPOutboundTrunkRequest.Parser),
        ["UpdateSIPOutboundTrunk"] = Read(UpdateSIPOutboundTrunkRequest.Parser),
        ["GetSIPOutboundTrunk"] = Read(GetSIPOutboundTrunkRequest.Parser),
        ["ListSIPOutboundTrunk"] = Read(ListSIPOutboundTrunkRequest.Parser),
        ["ListSIPTrunk"] = Read(ListSIPTrunkRequest.Parser),
        ["DeleteSIPTrunk"] = Read(DeleteSIPTrunkRequest.Parser),
        ["CreateSIPDispatchRule"] = Read(CreateSIPDispatchRuleRequest.Parser),
        ["UpdateSIPDispatchRule"] = Read(UpdateSIPDispatchRuleRequest.Parser),
        ["DeleteSIPDispatchRule"] = Read(DeleteSIPDispatchRuleRequest.Parser),
        ["ListSIPDispatchRule"] = Read(ListSIPDispatchRuleRequest.Parser),
        ["CreateSIPParticipant"] = Read(CreateSIPParticipantRequest.Parser),
        ["TransferSIPParticipant"] = Read(TransferSIPParticipantRequest.Parser),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static bool Exists(string method) => s_methods.ContainsKey(method);

    /// <returns>Null when the body cannot be read.</returns>
    public static IMessage? Request(string method, ReadOnlyMemory<byte> body, bool isJson) => s_methods[method](body, isJson);

    /// <summary>A response's body.</summary>
    public static byte[] Write(IMessage message, bool isJson) => isJson
        ? ProtoJson.FromWire(message.Descriptor.Name, message.ToByteArray(), ProtoJsonStyle.Twirp)!
        : message.ToByteArray();

    private static Func<ReadOnlyMemory<byte>, bool, IMessage?> Read<T>(MessageParser<T> parser)
        where T : class, IMessage<T>, new() => (body, isJson) =>
    {
        if (isJson)
        {
            return ProtoJson.TryRead(body.Span, ProtoJsonRules.Api, out T message, out _) ? message : null;
        }
        try
        {
            return parser.ParseFrom(body.Span);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    };
}
