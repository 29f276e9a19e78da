using System;
using Proxy.LiveKit.Twirp;

namespace Proxy.Server.Api;

/// <summary>Any thread. A request of the SIP service that is answered with an error; mapped once, at the edge.</summary>
public sealed class SipApiException(TwirpError error) : Exception(error.Message)
{
    public TwirpError Error { get; } = error;

    internal static SipApiException Invalid(string message) => new(new TwirpError(TwirpCode.InvalidArgument, message));

    internal static SipApiException NotFound(string message) => new(new TwirpError(TwirpCode.NotFound, message));
}
