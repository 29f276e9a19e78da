using System;
using System.CommandLine;
using Proxy.LiveKit.Protocol;
using Proxy.Server.Api;
using Proxy.Server.Config;
using Proxy.Server.Store;
using Proxy.Server.Twilio;

namespace Proxy.Server.Commands;

/// <summary>Main thread. <c>siproom twilio twiml --number N</c>: what goes into a TwiML Bin, or what <c>/twilio/voice</c> would answer.</summary>
internal static class TwilioCommand
{
    public static Command Build()
    {
        Command twilio = new("twilio", "What Twilio needs to send calls here");
        twilio.Subcommands.Add(Twiml());
        return twilio;
    }

    private static Command Twiml()
    {
        Command command = new("twiml", "The TwiML of a number, with its trunk's credentials");
        Option<string> number = new("--number") { Description = "Number that is called", HelpName = "N", Required = true };
        Option<string?> host = new("--sip-host") { Description = "Where Twilio shall send calls; else twilio.sip_host of --config", HelpName = "HOST[:PORT]" };
        Option<string?> conference = new("--conference") { Description = "The form with a conference, and the request that adds us to it", HelpName = "NAME" };
        PolicyFlags flags = new(command);
        command.Options.Add(number);
        command.Options.Add(host);
        command.Options.Add(conference);
        command.SetAction(result =>
        {
            if (!TryConfig(result, result.GetValue(host), out TwilioConfig config))
            {
                return ExitCode.BadInput;
            }
            using PolicyDoor? door = flags.Open(result, out int exit);
            if (door is null || !door.TryCall(SipMethods.SipService, "ListSIPInboundTrunk", new ListSIPInboundTrunkRequest(), out ListSIPInboundTrunkResponse trunks, out _, out exit))
            {
                return exit;
            }
            StoredObjects objects = StoredObjects.Empty;
            foreach (SIPInboundTrunkInfo trunk in trunks.Items)
            {
                objects = objects.With(ObjectKind.InboundTrunk, trunk.SipTrunkId, trunk);
            }
            VoiceAnswer answer = VoiceAnswer.For(result.GetValue(number)!, objects, config);
            if (answer.Problem.Length > 0)
            {
                return Terminal.Fail(ExitCode.BadInput, answer.Problem);
            }
            Write(answer, result.GetValue(number)!, result.GetValue(conference));
            return ExitCode.Done;
        });
        return command;
    }

    private static bool TryConfig(ParseResult result, string? host, out TwilioConfig config)
    {
        string? file = result.GetValue<string?>("--config");
        ServerConfig? read = file is not null || host is not null
            ? Terminal.Load(new ConfigOverrides { File = file, Body = host is null ? null : $"twilio: {{ sip_host: '{host.Replace("'", "", StringComparison.Ordinal)}' }}", IsOffline = true })
            : new ServerConfig();
        config = read?.Twilio ?? new TwilioConfig();
        return read is not null;
    }

    private static void Write(VoiceAnswer answer, string number, string? conference)
    {
        if (conference is null)
        {
            System.Console.Out.Write(answer.Twiml);
            return;
        }
        System.Console.Out.Write(VoiceAnswer.Conference(conference));
        // Without the credentials in this request the call ends at our challenge: Twilio has none to answer it with.
        string login = answer.User.Length == 0 ? "" : $" \\\n  --data-urlencode {Quoted("SipAuthUsername=" + answer.User)} --data-urlencode {Quoted("SipAuthPassword=" + answer.Password)}";
        System.Console.Out.WriteLine(
            $"curl -u \"$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN\" \"https://api.twilio.com/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Conferences/{Uri.EscapeDataString(conference)}/Participants.json\" \\\n"
            + $"  --data-urlencode {Quoted("From=" + number)} --data-urlencode {Quoted("To=" + answer.Target)}{login}");
    }

    private static string Quoted(string text) => "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
