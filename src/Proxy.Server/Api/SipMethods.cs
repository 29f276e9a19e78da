using System;
using System.Collections.Frozen;
using System.Collections.Generic;
using Google.Protobuf;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;

namespace Proxy.Server.Api;

/// <summary>Any thread. The methods of <c>livekit.SIP</c> and <c>livekit.PhoneNumberService</c>: how their requests are read. CreateSIPTrunk is gone from the protocol.</summary>
public static class SipMethods
{
    public const string SipService = "livekit.SIP";
    public const string PhoneNumberService = "livekit.PhoneNumberService";

    private static readonly FrozenDictionary<string, Func<ReadOnlyMemory<byte>, bool, IMessage?>> s_methods = new Dictionary<string, Func<ReadOnlyMemory<byte>, bool, IMessage?>>
    {
        [SipService + "/CreateSIPInboundTrunk"] = Read(CreateSIPInboundTrunkRequest.Parser),
        [SipService + "/UpdateSIPInboundTrunk"] = Read(UpdateSIPInboundTrunkRequest.Parser),
        [SipService + "/GetSIPInboundTrunk"] = Read(GetSIPInboundTrunkRequest.Parser),
        [SipService + "/ListSIPInboundTrunk"] = Read(ListSIPInboundTrunkRequest.Parser),
        [SipService + "/CreateSIPOutboundTrunk"] = Read(CreateSIPOutboundTrunkRequest.Parser),
        [SipService + "/UpdateSIPOutboundTrunk"] = Read(UpdateSIPOutboundTrunkRequest.Parser),
        [SipService + "/GetSIPOutboundTrunk"] = Read(GetSIPOutboundTrunkRequest.Parser),
        [SipService + "/ListSIPOutboundTrunk"] = Read(ListSIPOutboundTrunkRequest.Parser),
        [SipService + "/ListSIPTrunk"] = Read(ListSIPTrunkRequest.Parser),
        [SipService + "/DeleteSIPTrunk"] = Read(DeleteSIPTrunkRequest.Parser),
        [SipService + "/CreateSIPDispatchRule"] = Read(CreateSIPDispatchRuleRequest.Parser),
        [SipService + "/UpdateSIPDispatchRule"] = Read(UpdateSIPDispatchRuleRequest.Parser),
        [SipService + "/DeleteSIPDispatchRule"] = Read(DeleteSIPDispatchRuleRequest.Parser),
        [SipService + "/ListSIPDispatchRule"] = Read(ListSIPDispatchRuleRequest.Parser),
        [SipService + "/CreateSIPParticipant"] = Read(CreateSIPParticipantRequest.Parser),
        [SipService + "/TransferSIPParticipant"] = Read(TransferSIPParticipantRequest.Parser),
        [PhoneNumberService + "/SearchPhoneNumbers"] = Read(SearchPhoneNumbersRequest.Parser),
        [PhoneNumberService + "/PurchasePhoneNumber"] = Read(PurchasePhoneNumberRequest.Parser),
        [PhoneNumberService + "/ListPhoneNumbers"] = Read(ListPhoneNumbersRequest.Parser),
        [PhoneNumberService + "/GetPhoneNumber"] = Read(GetPhoneNumberRequest.Parser),
        [PhoneNumberService + "/UpdatePhoneNumber"] = Read(UpdatePhoneNumberRequest.Parser),
        [PhoneNumberService + "/ReleasePhoneNumbers"] = Read(ReleasePhoneNumbersRequest.Parser),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Names of the services.</summary>
    public static IReadOnlyList<string> Services { get; } = [SipService, PhoneNumberService];

    public static bool Exists(string service, string method) => s_methods.ContainsKey(service + "/" + method);

    /// <returns>Null when the body cannot be read.</returns>
    public static IMessage? Request(string service, string method, ReadOnlyMemory<byte> body, bool isJson) => s_methods[service + "/" + method](body, isJson);

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
