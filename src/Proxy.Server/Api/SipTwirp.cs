using System;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Proxy.LiveKit.Twirp;

namespace Proxy.Server.Api;

/// <summary>Any thread. One answer of the service.</summary>
public readonly record struct SipReply(int Status, string ContentType, byte[] Body);

/// <summary>Any thread. The services as bytes in and bytes out: what an HTTP route or the unix socket needs.</summary>
public sealed class SipTwirp(SipApi api)
{
    /// <param name="service">One of <see cref="SipMethods.Services"/>.</param>
    /// <param name="method">Last part of <c>/twirp/{service}/{method}</c>.</param>
    /// <param name="isJson">Content type of the request, and of the answer; errors are always JSON.</param>
    /// <param name="body">The request.</param>
    /// <param name="caller">What the token allows; a body that cannot be read is told before a missing grant.</param>
    /// <param name="cancellation">The client went away.</param>
    public async Task<SipReply> HandleAsync(
        string service, string method, bool isJson, ReadOnlyMemory<byte> body, SipCaller caller, CancellationToken cancellation)
    {
        if (!SipMethods.Exists(service, method))
        {
            string path = $"/twirp/{service}/{method}";
            return Reply(TwirpError.BadRoute($"no handler for path \"{path}\"", "POST", path));
        }
        IMessage? request = SipMethods.Request(service, method, body, isJson);
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
