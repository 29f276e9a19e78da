using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Proxy.Bridge.Transfers;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Twirp;
using Proxy.Server.Api;
using Proxy.Server.Store;
using Xunit;

namespace Proxy.Server.Tests.Api;

public sealed class SipTransferTests
{
    private static SipTwirp Service(System.Func<TransferSIPParticipantRequest, TransferOutcome> outcome) => new(new SipApi(new MemoryStore(), new SipApiSettings
    {
        NewId = SipIds.New,
        Transfer = (request, _) => Task.FromResult(TransferReply.Of(outcome(request))),
    }));

    [Fact]
    public async Task Recorded_transfers_of_a_stock_server_are_answered_alike_but_for_the_result_it_did_not_have()
    {
        bool isGone = false;
        SipTwirp service = Service(request =>
        {
            string who = request.ParticipantIdentity;
            TransferOutcome outcome = who switch
            {
                "live1" when !isGone => new TransferOutcome("STR_1", TransferResult.Completed, 200, "OK"),
                "okrefer405" => new TransferOutcome("STR_1", TransferResult.Refused, 405, "Method Not Allowed"),
                "okrefer603" => new TransferOutcome("STR_1", TransferResult.Failed, 603, "Decline"),
                "okrefer486" => new TransferOutcome("STR_1", TransferResult.Failed, 486, "Busy Here"),
                "okrefernonotify" or "okrefersilent" => new TransferOutcome("STR_1", TransferResult.TimedOut, 0, ""),
                _ => new TransferOutcome("", TransferResult.NoSuchCall, 0, ""),
            };
            isGone |= who == "live1";
            return outcome;
        });
        List<(string Step, string Difference)> differences = await new GoldenPairs().RunFileAsync("TransferSIPParticipant.jsonl", service);
        (string step, string difference) = Assert.Single(differences);
        Assert.Equal("transfer.ok", step);
        Assert.Equal("""{"transfer_id":"STR_1","status":"STS_TRANSFER_SUCCESSFUL","reason":"STR_COMPLETED","sip_status":{"code":"SIP_STATUS_OK","status":"OK"}}, stock {}""", difference);
    }

    [Theory]
    [InlineData("tel:+15550300", "tel:+15550300")]
    [InlineData("sip:a@b", "sip:a@b")]
    [InlineData("<sips:a@b:5061;transport=tls?X=1>", "sips:a@b:5061;transport=tls?X=1")]
    [InlineData("<tel:+1>", "tel:+1")]
    [InlineData("+15550300", "")]
    [InlineData("http://x", "")]
    [InlineData("sip:", "")]
    [InlineData("sip:a@b>\r\nEvil: 1", "")]
    [InlineData("<sip:a@b", "")]
    [InlineData("sip:a b@c", "")]
    public void Target_is_a_uri_with_or_without_brackets(string given, string target) => Assert.Equal(target, SipTransferRules.Target(given));

    [Theory]
    [InlineData("Call-ID")]
    [InlineData("To")]
    [InlineData("Via")]
    [InlineData("Route")]
    [InlineData("Proxy-Authorization")]
    public async Task Header_that_the_refer_itself_writes_is_refused(string name)
    {
        string body = $$$"""{"participantIdentity": "i", "roomName": "r", "transferTo": "tel:+1", "headers": {"{{{name}}}": "x"}}""";
        SipReply reply = await Service(_ => default).HandleAsync(SipMethods.SipService, "TransferSIPParticipant", true, Encoding.UTF8.GetBytes(body), new SipCaller(false, true, "r"), default);
        Assert.Equal(400, reply.Status);
        Assert.Contains($"invalid header name: header name {name} not supported", Encoding.UTF8.GetString(reply.Body), System.StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TransferResult.NotEstablished, TwirpCode.FailedPrecondition, "twirp error unknown: can't transfer non established call")]
    [InlineData(TransferResult.Elsewhere, TwirpCode.InvalidArgument, "twirp error unknown: call already being transferred elsewhere")]
    [InlineData(TransferResult.Unreported, TwirpCode.FailedPrecondition, "twirp error unknown: call transfer failed: the subscription ended without a result")]
    [InlineData(TransferResult.Cancelled, TwirpCode.Canceled, "twirp error unknown: the call ended before the transfer was accepted")]
    public void Transfer_that_did_not_come_about_is_an_error_with_a_text(TransferResult result, TwirpCode code, string text)
    {
        TwirpError error = Assert.Throws<SipApiException>(() => TransferReply.Of(new TransferOutcome("", result, 0, ""))).Error;
        Assert.Equal((code, text), (error.Code, error.Message));
    }

    [Fact]
    public void Call_that_ended_after_the_refer_was_accepted_counts_as_transferred()
    {
        TransferSIPParticipantResponse response = TransferReply.Of(new TransferOutcome("STR_1", TransferResult.CallEnded, 0, ""));
        Assert.Equal((SIPTransferStatus.StsTransferSuccessful, SIPTransferReason.StrCallEnded, null), (response.Status, response.Reason, response.SipStatus));
    }

    [Fact]
    public void Every_failure_status_has_a_code()
    {
        int[] recorded = [302, 403, 404, 405, 408, 480, 486, 488, 500, 503, 603];
        Assert.Equal([404, 403, 404, 400, 408, 429, 429, 400, 412, 412, 403], recorded.Select(s => new TwirpError(TransferReply.CodeOf(s), "").HttpStatus));
        Assert.All(Enumerable.Range(300, 400), status => Assert.InRange(new TwirpError(TransferReply.CodeOf(status), "").HttpStatus, 400, 599));
    }
}
