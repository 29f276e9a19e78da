using System;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Proxy.Core.Net;
using Proxy.Server.Config;
using Xunit;

namespace Proxy.Server.Tests.Node;

/// <summary>A node on 127.0.0.1 and on 127.0.0.2, which the outside knows as 203.0.113.9:5080; credentials are asked for with 407 on the first and with 401 on the second.</summary>
public sealed class ListenersTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("siproom-listeners-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private NodeRig Rig()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "trunks"));
        Directory.CreateDirectory(Path.Combine(_folder, "rules"));
        File.WriteAllText(Path.Combine(_folder, "trunks", "a.json"), """{"sip_trunk_id":"ST_a","numbers":["+15550100"],"auth_username":"u","auth_password":"p"}""");
        File.WriteAllText(Path.Combine(_folder, "trunks", "b.json"), """{"sip_trunk_id":"ST_b","numbers":["+15550101"],"allowed_addresses":["127.0.0.0/8"]}""");
        File.WriteAllText(Path.Combine(_folder, "rules", "b.json"), """{"sip_dispatch_rule_id":"SDR_b","rule":{"dispatch_rule_direct":{"room_name":"b","pin":"1234"}}}""");
        var second = new ListenerConfig(At("127.0.0.2:0"), At("203.0.113.9:5080"), At("203.0.113.10:0").Address, 401);
        return new NodeRig(config => config with { IsDev = false, PolicyFolder = _folder, Listeners = [second], RtpPorts = new PortSpan(30_200, 30_300) });
    }

    private static NetEndPoint At(string text) => NetEndPoint.TryParse(text, out NetEndPoint e) ? e : throw new ArgumentException(text);

    [Fact]
    public async Task Each_listener_asks_for_credentials_in_its_own_way()
    {
        using NodeRig rig = Rig();
        await rig.SendAsync("INVITE", "+15550100");
        string first = await AnswerAsync(rig, "SIP/2.0 4");
        Assert.StartsWith("SIP/2.0 407 ", first, StringComparison.Ordinal);
        Assert.Contains("\r\nProxy-Authenticate: Digest ", first, StringComparison.Ordinal);
        rig.Target = rig.Node.SipLocals.Last();
        await rig.SendAsync("INVITE", "+15550100");
        string second = await AnswerAsync(rig, "SIP/2.0 4");
        Assert.StartsWith("SIP/2.0 401 ", second, StringComparison.Ordinal);
        Assert.Contains("\r\nWWW-Authenticate: Digest ", second, StringComparison.Ordinal);
        Assert.Equal([407, 401], rig.Records.Select(r => r.SipStatus));
    }

    [Fact]
    public async Task Each_listener_names_its_own_address_in_contact_and_sdp()
    {
        using NodeRig rig = Rig();
        rig.Target = rig.Node.SipLocals.Last();
        await rig.SendAsync("INVITE", "+15550101");
        string answer = await AnswerAsync(rig, "c=IN");
        Assert.Contains("sip:203.0.113.9:5080", Header(answer, "Contact"), StringComparison.Ordinal);
        Assert.Contains("c=IN IP4 203.0.113.10\r\n", answer, StringComparison.Ordinal);
        rig.Target = rig.Node.SipLocals.First();
        await rig.SendAsync("INVITE", "+15550101");
        answer = await AnswerAsync(rig, "c=IN");
        Assert.Contains($"sip:{rig.Node.SipLocal}", Header(answer, "Contact"), StringComparison.Ordinal);
        Assert.Contains("c=IN IP4 127.0.0.1\r\n", answer, StringComparison.Ordinal);
    }

    private static async Task<string> AnswerAsync(NodeRig rig, string part)
    {
        // The rule asks for a PIN: the call is answered before there is a room. What the first call repeats is not the second's.
        string last = "";
        string tag = $"tag=c{rig.Sent}\r\n";
        for (int i = 0; i < 20 && !(last.Contains(part, StringComparison.Ordinal) && last.Contains(tag, StringComparison.Ordinal)); i++)
        {
            last = await rig.ReceiveAsync();
        }
        return last;
    }

    private static string Header(string message, string name) => message.Split("\r\n").FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.Ordinal)) ?? "";
}
