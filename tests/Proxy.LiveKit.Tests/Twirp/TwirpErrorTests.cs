using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Text.Json;
using Proxy.LiveKit.Tests.ProtoJson;
using Proxy.LiveKit.Twirp;
using Proxy.Testing;
using Xunit;

namespace Proxy.LiveKit.Tests.Twirp;

public sealed class TwirpErrorTests
{
    [Fact]
    public void Every_recorded_error_is_read_and_written_back_with_its_status()
    {
        HashSet<TwirpCode> seen = [];
        foreach (string path in Directory.GetFiles(TestData.Path("livekit-golden", "api"), "*.jsonl", SearchOption.AllDirectories))
        {
            foreach (string line in File.ReadLines(path))
            {
                using JsonDocument document = JsonDocument.Parse(line);
                if (!document.RootElement.TryGetProperty("response", out JsonElement response) || !response.TryGetProperty("body", out JsonElement body)
                    || body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("code", out _))
                {
                    continue;
                }
                Assert.True(TwirpError.TryRead(Encoding.UTF8.GetBytes(body.GetRawText()), out TwirpError error));
                Assert.Equal(response.GetProperty("status").GetInt32(), error.HttpStatus);
                using JsonDocument again = JsonDocument.Parse(error.ToJson());
                Assert.Null(JsonSame.Difference(body, again.RootElement));
                seen.Add(error.Code);
            }
        }
        Assert.True(seen.Count >= 12);
    }

    [Theory]
    [InlineData("")]
    [InlineData("404 page not found")]
    [InlineData("[]")]
    [InlineData("{\"code\":5}")]
    [InlineData("{\"msg\":\"x\"}")]
    public void Body_that_is_no_error_is_told_apart(string body)
    {
        Assert.False(TwirpError.TryRead(Encoding.UTF8.GetBytes(body), out TwirpError error));
        Assert.Equal(TwirpCode.Unknown, error.Code);
    }

    [Fact]
    public void Every_code_has_a_name_and_a_status()
    {
        foreach (TwirpCode code in Enum.GetValues<TwirpCode>())
        {
            TwirpError error = new(code, "m");
            Assert.InRange(error.HttpStatus, 400, 503);
            Assert.True(TwirpError.TryRead(error.ToJson(), out TwirpError read));
            Assert.Equal(error, read);
        }
    }

    [Fact]
    public void Bad_route_names_method_and_path()
    {
        string json = Encoding.UTF8.GetString(TwirpError.BadRoute("no handler", "GET", "/x").ToJson());
        Assert.Equal("{\"code\":\"bad_route\",\"msg\":\"no handler\",\"meta\":{\"twirp_invalid_route\":\"GET /x\"}}", json);
    }
}
