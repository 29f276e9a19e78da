using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf.WellKnownTypes;
using Proxy.Bridge.Transfers;
using Proxy.LiveKit.Protocol;
using Proxy.Server.Api;

namespace Proxy.Server.Node;

/// <summary>Any thread. Carries a transfer that the API was asked for to the signal thread, and what became of it back.</summary>
public sealed class NodeTransfers(SiproomNode node)
{
    /// <param name="request">Checked by the API.</param>
    /// <param name="cancellation">The client went away: it hears nothing, the transfer goes on.</param>
    /// <exception cref="SipApiException">The transfer did not come about.</exception>
    public async Task<TransferSIPParticipantResponse> RunAsync(TransferSIPParticipantRequest request, CancellationToken cancellation)
    {
        var headers = new List<KeyValuePair<string, string>>(request.Headers);
        var wish = new TransferRequest(SipTransferRules.Target(request.TransferTo), headers, request.PlayDialtone, TimeOf(request.RingingTimeout));
        var answer = new TaskCompletionSource<TransferOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        await node.Ask((loop, now) =>
        {
            loop.Calls.Transfer(request.RoomName, request.ParticipantIdentity, wish, answer.SetResult, now);
            return true;
        }).WaitAsync(cancellation).ConfigureAwait(false);
        TransferOutcome outcome = await answer.Task.WaitAsync(cancellation).ConfigureAwait(false);
        return TransferReply.Of(outcome);
    }

    private static TimeSpan TimeOf(Duration? duration) =>
        duration is { Seconds: > 0 and < 86_400 } or { Nanos: > 0, Seconds: 0 } ? duration.ToTimeSpan() : duration is { Seconds: >= 86_400 } ? TimeSpan.FromDays(1) : TimeSpan.Zero;
}
