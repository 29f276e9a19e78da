using Microsoft.AspNetCore.Http;
using Proxy.Server.Api;
using Proxy.Server.Http;

namespace Proxy.Server.Console;

/// <summary>
/// Any thread. Who may see the console: whoever an operator's gate admits (a <c>sip.admin</c> token, the control socket); with
/// <c>--dev</c> also every program on this machine.
/// </summary>
/// <param name="gate">Of the address that the console is served on.</param>
/// <param name="isDev">Started with <c>--dev</c>.</param>
public sealed class ConsoleAccess(AdminGate gate, bool isDev)
{
    public bool IsDev => isDev;

    /// <summary>Wraps a handler: whoever may not gets 401 and a sentence.</summary>
    public RequestDelegate Guard(RequestDelegate handler) => context =>
        (isDev && HttpPeer.IsLoopback(context)) || gate.Admits(context)
            ? handler(context)
            : ConsoleReply.TextAsync(
                context, StatusCodes.Status401Unauthorized, "this needs an access token with the grant sip.admin (Authorization: Bearer …), or the control socket");
}
