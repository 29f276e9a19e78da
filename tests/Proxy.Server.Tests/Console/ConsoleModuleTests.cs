using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Threading.Tasks;
using Proxy.LiveKit.Tokens;
using Proxy.Server.Api;
using Proxy.Server.Console;
using Proxy.Server.Http;
using Proxy.Server.Tests.Http;
using Xunit;

namespace Proxy.Server.Tests.Console;

public sealed class ConsoleModuleTests
{
    internal static readonly TokenKeys Keys = new([KeyValuePair.Create("devkey", "secret")]);

    internal static ConsoleAccess Access(bool isDev, bool isControlSocket = false) => new(new AdminGate(Keys, isControlSocket), isDev);

    internal static AuthenticationHeaderValue Bearer(SipGrant grant) =>
        new("Bearer", AccessToken.Mint(new AccessClaims { ApiKey = "devkey", Sip = grant }, "secret"u8));

    private static byte[] Gzip(string text)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }
        return packed.ToArray();
    }

    [Fact]
    public async Task Page_of_a_dev_node_asks_for_no_token_and_takes_nothing_from_elsewhere()
    {
        await using HttpHost host = await HttpHostTests.StartAsync(new ConsoleModule(PageFiles.Embedded(), Access(isDev: true)));
        using HttpClient client = new() { BaseAddress = new Uri($"http://{host.Local}") };
        using HttpResponseMessage page = await client.GetAsync("/");
        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        Assert.Contains("development page", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        string policy = string.Join("", page.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'self';", policy, StringComparison.Ordinal);
        Assert.EndsWith($"connect-src 'self' ws://{host.Local}", policy, StringComparison.Ordinal);
        foreach (string path in new[] { "/page.js", "/stay.js", "/page.css", "/icon.svg", "/licences.txt" })
        {
            using HttpResponseMessage file = await client.GetAsync(path);
            Assert.Equal((path, HttpStatusCode.OK), (path, file.StatusCode));
        }
    }

    [Fact]
    public async Task Gzipped_file_goes_out_as_it_is_and_unpacked_to_whoever_takes_no_gzip()
    {
        byte[] packed = Gzip("let it = 1;");
        var files = new Dictionary<string, byte[]> { ["lib.js.gz"] = packed };
        await using HttpHost host = await HttpHostTests.StartAsync(new ConsoleModule(files, Access(isDev: true)));
        using HttpClient client = new() { BaseAddress = new Uri($"http://{host.Local}") };
        Assert.Equal("let it = 1;", await client.GetStringAsync("/lib.js"));
        using HttpRequestMessage request = new(HttpMethod.Get, "/lib.js");
        request.Headers.AcceptEncoding.ParseAdd("br, gzip");
        using HttpResponseMessage response = await client.SendAsync(request);
        Assert.Equal("text/javascript", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("gzip", Assert.Single(response.Content.Headers.ContentEncoding));
        Assert.Equal(packed, await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Page_of_any_other_node_needs_an_admin_token_or_the_control_socket()
    {
        await using HttpHost host = await HttpHostTests.StartAsync(new ConsoleModule(PageFiles.Embedded(), Access(isDev: false)));
        using HttpClient client = new() { BaseAddress = new Uri($"http://{host.Local}") };
        using HttpResponseMessage refused = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Contains("sip.admin", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        client.DefaultRequestHeaders.Authorization = Bearer(new SipGrant(Admin: false, Call: true));
        using HttpResponseMessage caller = await client.GetAsync("/page.js");
        Assert.Equal(HttpStatusCode.Unauthorized, caller.StatusCode);
        client.DefaultRequestHeaders.Authorization = Bearer(new SipGrant(Admin: true, Call: false));
        using HttpResponseMessage admin = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.OK, admin.StatusCode);

        await using HttpHost socket = await HttpHostTests.StartAsync(new ConsoleModule(PageFiles.Embedded(), Access(isDev: false, isControlSocket: true)));
        using HttpClient local = new() { BaseAddress = new Uri($"http://{socket.Local}") };
        Assert.Contains("siproom", await local.GetStringAsync("/"), StringComparison.Ordinal);
    }

    [Fact]
    public void Licence_note_names_the_version_that_the_build_fetches()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Proxy.sln")))
        {
            root = Path.GetDirectoryName(root)!;
        }
        string script = File.ReadAllText(Path.Combine(root, "tools", "page"));
        int start = script.IndexOf("\nversion=", StringComparison.Ordinal) + "\nversion=".Length;
        string version = script[start..script.IndexOf('\n', start)];
        Assert.Contains($"livekit-client {version}, unchanged", Encoding.UTF8.GetString(PageFiles.Embedded()["licences.txt"]), StringComparison.Ordinal);
        Assert.Contains($"\"livekit-client\": \"{version}\"", File.ReadAllText(Path.Combine(root, "tests", "interop", "rooms", "package.json")), StringComparison.Ordinal);
    }
}
