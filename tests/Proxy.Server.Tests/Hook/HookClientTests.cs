using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using System.Buffers;
using Proxy.Policy;
using Proxy.Policy.Deferred;
using Proxy.Server.Dns;
using Proxy.Server.Hook;
using Proxy.Server.Metrics;
using Xunit;

namespace Proxy.Server.Tests.Hook;

/// <summary>A hook that behaves badly in every way: bytes over a socket of loopback.</summary>
public sealed class HookClientTests : IDisposable
{
    private const string Join = """{"verdict":"join","room":"vip"}""";
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly CallFacts _facts = new() { CallId = "SCL_1", FromUser = "+1", ToUser = "+2" };
    private readonly Deferral _local = new(DeferralKind.Hook, TimeSpan.FromMilliseconds(500), new Verdict { Kind = VerdictKind.Join, Room = "lobby" });

    public HookClientTests() => _listener.Start();

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Stop();
    }

    private HookConfig Config => new() { Url = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/call?tenant=a"), Secret = "hook secret", Failures = 3 };

    private HookClient Client(HookConfig? config = null, TimeProvider? time = null) => new(config ?? Config, new DnsCache(), time);

    private static string Answer(string body, string status = "200 OK", string headers = "") =>
        $"HTTP/1.1 {status}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{headers}\r\n{body}";

    /// <summary>Serves each request on its connection: reads it whole, then writes what the test wants.</summary>
    /// <returns>The first request.</returns>
    private async Task<string> Serve(Func<string> answer)
    {
        var first = new TaskCompletionSource<string>();
        _ = Task.Run(async () =>
        {
            while (!_stop.IsCancellationRequested)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                _ = Task.Run(async () =>
                {
                    using TcpClient own = client;
                    NetworkStream stream = own.GetStream();
                    byte[] buffer = new byte[64 * 1024];
                    while (true)
                    {
                        int length = 0;
                        while (!IsWhole(buffer.AsSpan(0, length)))
                        {
                            int read = await stream.ReadAsync(buffer.AsMemory(length), _stop.Token);
                            if (read == 0)
                            {
                                return;
                            }
                            length += read;
                        }
                        first.TrySetResult(Encoding.UTF8.GetString(buffer, 0, length));
                        await stream.WriteAsync(Encoding.UTF8.GetBytes(answer()), _stop.Token);
                    }
                });
            }
        });
        await Task.Yield();
        return await first.Task;
    }

    private static bool IsWhole(ReadOnlySpan<byte> request)
    {
        string text = Encoding.UTF8.GetString(request);
        int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return end > 0 && request.Length >= end + 4 + int.Parse(Header(text, "Content-Length"), CultureInfo.InvariantCulture);
    }

    private static string Header(string request, string name) =>
        request.Split("\r\n").First(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))[(name.Length + 1)..].Trim();

    private Task<DeferredAnswer> Ask(HookClient hook, CancellationToken giveUp = default)
    {
        Assert.True(hook.TryEnter(out string why), why);
        return hook.AskAsync(_facts, _local, giveUp);
    }

    private static string Metrics(HookClient hook)
    {
        var buffer = new ArrayBufferWriter<byte>();
        hook.Write(new MetricsWriter(buffer));
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    [Fact]
    public async Task The_question_is_signed_and_its_answer_is_taken()
    {
        Task<string> request = Serve(() => Answer(Join));
        using HookClient hook = Client();
        DeferredAnswer answer = await Ask(hook);
        Assert.Equal((true, HookVerdict.Join, "vip"), (answer.IsAnswered, answer.Hook!.Kind, answer.Hook.Room));
        Assert.Matches("^answered in [0-9]+ ms$", answer.Note);
        string asked = await request;
        Assert.StartsWith("POST /call?tenant=a HTTP/1.1", asked);
        string body = asked[(asked.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        byte[] expected = HMACSHA256.HashData("hook secret"u8, Encoding.UTF8.GetBytes(Header(asked, "X-Siproom-Timestamp") + "." + body));
        Assert.Equal("sha256=" + Convert.ToHexStringLower(expected), Header(asked, "X-Siproom-Signature"));
        Assert.DoesNotContain("hook secret", asked);
        Assert.Contains("siproom_hook_questions_total{result=\"answered\"} 1", Metrics(hook));
        Assert.Contains("siproom_hook_outstanding 0", Metrics(hook));
    }

    [Theory]
    [InlineData("500 Internal Server Error", "", "answered 500")]
    [InlineData("302 Found", "Location: http://127.0.0.1:1/\r\n", "answered 302")]
    [InlineData("204 No Content", "", "answered 204")]
    [InlineData("200 OK", "", "cannot be understood: the answer is no JSON")]
    public async Task An_answer_that_is_none_is_named(string status, string headers, string note)
    {
        _ = Serve(() => Answer(status == "204 No Content" ? "" : "<html>it works</html>", status, headers));
        using HookClient hook = Client();
        DeferredAnswer answer = await Ask(hook);
        Assert.Equal((false, note), (answer.IsAnswered, answer.Note));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_MiB_are_not_read(bool isAnnounced)
    {
        string long2 = "{\"verdict\":\"join\",\"room\":\"" + new string('r', 2 << 20) + "\"}";
        _ = Serve(() => isAnnounced ? Answer(long2) : $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{long2.Length:x}\r\n{long2}\r\n0\r\n\r\n");
        using HookClient hook = Client();
        Assert.Equal("gave an answer of more than 64 KiB", (await Ask(hook)).Note);
    }

    [Fact]
    public async Task A_chunked_answer_of_fitting_length_is_read()
    {
        string body = "{\"verdict\":\"join\",\"room\":\"vip\",\"unknown\":\"" + new string('r', 20_000) + "\"}";
        _ = Serve(() => $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{body}\r\n0\r\n\r\n");
        using HookClient hook = Client();
        Assert.Equal("vip", (await Ask(hook)).Hook?.Room);
    }

    [Fact]
    public async Task A_hook_that_is_down_or_no_HTTP_or_hangs_up_is_named()
    {
        _ = Serve(() => "SSH-2.0-OpenSSH\r\n");
        using HookClient hook = Client();
        Assert.StartsWith("down: ", (await Ask(hook)).Note);
        _listener.Stop();
        using HookClient down = Client(Config with { Url = new Uri("http://127.0.0.1:1/") });
        Assert.StartsWith("down: ", (await Ask(down)).Note);
    }

    [Fact]
    public async Task A_slow_hook_is_given_up_and_counts_as_late()
    {
        Task<string> asked = Serve(() =>
        {
            _stop.Token.WaitHandle.WaitOne();
            return "";
        });
        using HookClient hook = Client();
        using var giveUp = new CancellationTokenSource();
        Task<DeferredAnswer> asking = Ask(hook, giveUp.Token);
        await asked;
        hook.GaveUp(isLate: true);
        await giveUp.CancelAsync();
        Assert.Equal("no answer in 500 ms", (await asking).Note);
        string metrics = Metrics(hook);
        Assert.Contains("{result=\"late\"} 1", metrics);
        Assert.Contains("{result=\"failed\"} 0", metrics);
        Assert.Contains("siproom_hook_outstanding 0", metrics);
    }

    [Fact]
    public async Task After_three_failures_nobody_is_asked_until_a_probe_succeeds()
    {
        bool works = false;
        _ = Serve(() => works ? Answer(Join) : Answer("", "503 Service Unavailable"));
        var time = new StepTime();
        using HookClient hook = Client(time: time);
        for (int i = 0; i < 3; i++)
        {
            await Ask(hook);
        }
        Assert.False(hook.TryEnter(out string why));
        Assert.Equal("left alone, it failed too often", why);
        Assert.Contains("siproom_hook_open 1", Metrics(hook));
        time.Step(TimeSpan.FromSeconds(5));
        await Ask(hook);
        Assert.False(hook.TryEnter(out _));
        time.Step(TimeSpan.FromSeconds(5));
        works = true;
        Task<DeferredAnswer> probe = Ask(hook);
        Assert.False(hook.TryEnter(out _) && !probe.IsCompleted);
        Assert.True((await probe).IsAnswered);
        Assert.True((await Ask(hook)).IsAnswered);
        Assert.Contains("siproom_hook_open 0", Metrics(hook));
    }

    [Fact]
    public void More_questions_than_may_be_under_way_are_not_asked()
    {
        using HookClient hook = Client(Config with { MaxOutstanding = 2 });
        Assert.True(hook.TryEnter(out _));
        Assert.True(hook.TryEnter(out _));
        Assert.False(hook.TryEnter(out string why));
        Assert.Equal("not asked, 2 questions are under way", why);
    }

    [Fact]
    public void The_secret_is_not_shown() => Assert.DoesNotContain("secret", Config.ToString());

    private sealed class StepTime : TimeProvider
    {
        private long _now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _now);

        public void Step(TimeSpan by) => Interlocked.Add(ref _now, by.Ticks);
    }
}
