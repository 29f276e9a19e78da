using System;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Proxy.LiveKit.Twirp;

namespace Proxy.Server.Api;

/// <summary>Any thread. One answer of the service.</summary>
public readonly record struct SipReply(int Status, string ContentType, byte[] Body);

/// <summary>Any thread. <c>livekit.SIP</c> as bytes in and bytes out: what an HTTP route or the unix socket needs.</summary>
public sealed class SipTwirp(SipApi api)
{
    /// <param name="method">Last part of <c>/twirp/livekit.SIP/{method}</c>.</param>
    /// <param name="isJson">Content type of the request, and of the answer; errors are always JSON.</param>
    /// <param name="body">The request.</param>
    /// <param name="caller">What the token allows; a body that cannot be read is told before a missing grant.</param>
    /// <param name="cancellation">The client went away.</param>
    public async Task<SipReply> HandleAsync(string method, bool isJson, ReadOnlyMemory<byte> body, SipCaller caller, CancellationToken cancellation)
    {
        if (!SipMethods.Exists(method))
        {
            return Reply(TwirpError.BadRoute($"no handler for path \"/twirp/livekit.SIP/{method}\"", "POST", "/twirp/livekit.SIP/" + method));
        }
        IMessage? request = SipMethods.Request(method, body, isJson);
        if (request is null)
        {
            return Reply(TwirpError.Undecodable(isJson));
        }
        try
        {
            IMessage response = await api.HandleAsync(request, caller, cancellation).ConfigureAwait(false);
            return new SipReply(200, isJson ? "application/json" : "application/protobuf", SipMethods.Write(response, isJson));
        }
        catch (SipApiException e)
        {
            return Reply(e.Error);
        }
    }

    private static SipReply Reply(TwirpError error) => new(error.HttpStatus, TwirpError.ContentType, error.ToJson());
}
