using System;
using System.Threading.Tasks;
using Proxy.Core.Memory;
using Proxy.Server.Linux;
using Proxy.Server.Signal;
using Proxy.Sip.Targets;

namespace Proxy.Server.Dns;

/// <summary>Async world; the signal thread calls <see cref="Begin"/>. Carries out what <see cref="TargetSearch"/> says, and mails what came of it.</summary>
/// <param name="wantsV6">Whether there is a listener for IPv6.</param>
/// <param name="random">Draws among servers of equal priority; used by one search at a time each.</param>
public sealed class TargetLookups(DnsResolver dns, bool wantsV6, IRandom random, Mailbox<TargetMail> mail)
{
    /// <summary>Begins a search; never blocks. As many run as the endpoint has names, one each.</summary>
    /// <returns>For tests: done when the answer is in the mail.</returns>
    public Task Begin(TargetName name) => Task.Run(() => SearchAsync(name));

    private async Task SearchAsync(TargetName name)
    {
        var search = new TargetSearch(name, wantsV6, random);
        while (search.TryNext(out DnsQuestion? question))
        {
            search.Take(await dns.AskAsync(question).ConfigureAwait(false));
        }
        // A lost answer is asked for again by the endpoint.
        mail.TryPost(new TargetMail(name, search.Result));
    }
}
