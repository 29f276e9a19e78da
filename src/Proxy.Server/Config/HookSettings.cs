using System;
using Proxy.Server.Hook;

namespace Proxy.Server.Config;

/// <summary>Main thread. Reads <c>policy: { hook: … }</c>.</summary>
internal static class HookSettings
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(10);

    /// <param name="policy">The section <c>policy</c>.</param>
    /// <param name="isAlone">There are no rules beside it: it is asked about every call.</param>
    /// <returns>Null without a hook.</returns>
    public static HookConfig? Read(YamlSection policy, bool isAlone)
    {
        YamlSection hook = policy.Section("hook");
        if (!policy.Has("hook"))
        {
            return null;
        }
        string url = hook.Text("url", "");
        bool isUrl = Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0 && uri.UserInfo.Length == 0;
        if (!isUrl)
        {
            hook.Error("url", url.Length == 0 ? "is missing" : $"'{url}' is not a URL such as https://policy.example.com/call (without user and password)");
        }
        var usual = new HookConfig { Url = isUrl ? uri! : new Uri("http://127.0.0.1/") };
        string asks = hook.Choice("asks", isAlone ? "all" : "taken", "taken", "all");
        HookConfig read = usual with
        {
            Secret = hook.Secret("secret", ""),
            Timeout = Between(hook, "timeout", usual.Timeout, TimeSpan.FromMilliseconds(10)),
            AsksAboutAll = asks == "all",
            RefusesWhenDown = hook.Choice("when_down", "local", "local", "refuse") == "refuse",
            MaxOutstanding = hook.Integer("max_outstanding", usual.MaxOutstanding, 1, 1_000),
            Failures = hook.Integer("failures", usual.Failures, 1, 1_000),
            Rest = Between(hook, "rest", usual.Rest, TimeSpan.FromMilliseconds(100)),
        };
        hook.Finish();
        if (isAlone && asks == "taken")
        {
            hook.Error("asks", "taken: without a policy folder or Redis no call is taken; say all");
        }
        return isUrl ? read : null;
    }

    private static TimeSpan Between(YamlSection hook, string key, TimeSpan usual, TimeSpan least)
    {
        TimeSpan given = hook.Duration(key, usual);
        if (given >= least && given <= s_longest)
        {
            return given;
        }
        hook.Error(key, FormattableString.Invariant($"must lie between {least.TotalMilliseconds:0}ms and {s_longest.TotalSeconds:0}s"));
        return usual;
    }
}
