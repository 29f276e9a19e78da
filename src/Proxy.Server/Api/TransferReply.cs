using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Google.Protobuf;
using Proxy.Bridge.Transfers;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Twirp;

namespace Proxy.Server.Api;

/// <summary>Any thread. What the API says of a transfer: LiveKit's response, or its error with LiveKit's code, text and meta.</summary>
public static class TransferReply
{
    private const string Prefix = "twirp error unknown: ";

    /// <exception cref="SipApiException">The transfer did not come about.</exception>
    public static TransferSIPParticipantResponse Of(in TransferOutcome outcome) => outcome.Result switch
    {
        TransferResult.Completed => Done(outcome, SIPTransferReason.StrCompleted),
        TransferResult.CallEnded => Done(outcome, SIPTransferReason.StrCallEnded),
        TransferResult.Refused => throw BySip(outcome, "sip status: "),
        TransferResult.Failed => throw BySip(outcome, "call transfer failed: sip status: "),
        TransferResult.TimedOut => throw Fail(TwirpCode.DeadlineExceeded, "request timed out"),
        TransferResult.Unreported => throw Fail(TwirpCode.FailedPrecondition, "call transfer failed: the subscription ended without a result"),
        TransferResult.Cancelled => throw Fail(TwirpCode.Canceled, "the call ended before the transfer was accepted"),
        TransferResult.NotEstablished => throw Fail(TwirpCode.FailedPrecondition, "can't transfer non established call"),
        TransferResult.Elsewhere => throw Fail(TwirpCode.InvalidArgument, "call already being transferred elsewhere"),
        _ => throw Fail(TwirpCode.NotFound, "participant does not exist"),
    };

    /// <summary>The code that LiveKit gives a SIP status.</summary>
    public static TwirpCode CodeOf(int status) => status switch
    {
        >= 300 and < 400 or 404 or 410 or 604 => TwirpCode.NotFound,
        401 or 403 or 603 or 607 or 608 => TwirpCode.PermissionDenied,
        407 or 428 => TwirpCode.Unauthenticated,
        408 or 504 => TwirpCode.DeadlineExceeded,
        480 or 486 or 600 => TwirpCode.ResourceExhausted,
        487 => TwirpCode.Aborted,
        >= 400 and < 500 or 606 => TwirpCode.InvalidArgument,
        >= 500 and < 600 => TwirpCode.FailedPrecondition,
        _ => TwirpCode.Unknown,
    };

    private static TransferSIPParticipantResponse Done(in TransferOutcome outcome, SIPTransferReason reason)
    {
        var response = new TransferSIPParticipantResponse { TransferId = outcome.Id, Status = SIPTransferStatus.StsTransferSuccessful, Reason = reason };
        if (outcome.SipStatus > 0)
        {
            response.SipStatus = StatusOf(outcome);
        }
        return response;
    }

    private static SipApiException Fail(TwirpCode code, string text) => new(new TwirpError(code, Prefix + text));

    private static SipApiException BySip(in TransferOutcome outcome, string what)
    {
        string status = outcome.SipStatus.ToString(CultureInfo.InvariantCulture);
        string text = $"{what}{status}: {outcome.SipReason}";
        TwirpCode code = CodeOf(outcome.SipStatus);
        return new SipApiException(new TwirpError(code, Prefix + text, new Dictionary<string, string>
        {
            ["error_details"] = Convert.ToBase64String(Details(code, text, StatusOf(outcome))),
            ["sip_status"] = outcome.SipReason,
            ["sip_status_code"] = status,
        }));
    }

    private static SIPStatus StatusOf(in TransferOutcome outcome) => new() { Code = (SIPStatusCode)outcome.SipStatus, Status = outcome.SipReason };

    /// <summary>google.rpc.Status { 1 code, 2 message, 3 details: Any }, as the SDKs unpack it.</summary>
    private static byte[] Details(TwirpCode code, string text, SIPStatus status)
    {
        using var any = new MemoryStream();
        using (var output = new CodedOutputStream(any, leaveOpen: true))
        {
            output.WriteTag(1, WireFormat.WireType.LengthDelimited);
            output.WriteString("type.googleapis.com/livekit.SIPStatus");
            output.WriteTag(2, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(status.ToByteString());
        }
        using var whole = new MemoryStream();
        using (var output = new CodedOutputStream(whole, leaveOpen: true))
        {
            output.WriteTag(1, WireFormat.WireType.Varint);
            output.WriteInt32(GrpcOf(code));
            output.WriteTag(2, WireFormat.WireType.LengthDelimited);
            output.WriteString(text);
            output.WriteTag(3, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(any.ToArray()));
        }
        return whole.ToArray();
    }

    private static int GrpcOf(TwirpCode code) => code switch
    {
        TwirpCode.InvalidArgument => 3,
        TwirpCode.DeadlineExceeded => 4,
        TwirpCode.NotFound => 5,
        TwirpCode.PermissionDenied => 7,
        TwirpCode.ResourceExhausted => 8,
        TwirpCode.FailedPrecondition => 9,
        TwirpCode.Aborted => 10,
        TwirpCode.Unauthenticated => 16,
        _ => 2,
    };
}
