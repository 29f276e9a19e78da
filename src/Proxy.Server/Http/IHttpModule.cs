using Microsoft.AspNetCore.Builder;

namespace Proxy.Server.Http;

/// <summary>Async world. A set of routes on the HTTP address; given to <see cref="HttpHost.Build"/> by the composition root.</summary>
/// <remarks>Map with the <c>RequestDelegate</c> overloads (<c>HttpContext → Task</c>): they need no reflection and no generated binder.</remarks>
public interface IHttpModule
{
    /// <summary>Called once, before the host listens. WebSockets are enabled; routes of all modules share one table.</summary>
    void Map(WebApplication app);
}
