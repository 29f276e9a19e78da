using System.Collections.Generic;
using System.CommandLine;
using Proxy.LiveKit.Protocol;

namespace Proxy.Server.Commands;

/// <summary>Main thread. The fields of a dispatch rule that may be given as flags.</summary>
internal sealed class DispatchFields
{
    private readonly Option<string?> _name = new("--name") { Description = "Name of the rule" };
    private readonly Option<string[]> _trunks = ObjectFlags.List("--trunks", "Ids of the trunks it is for, with commas or repeated");
    private readonly Option<string?> _direct = new("--direct") { Description = "Every call into this room", HelpName = "ROOM" };
    private readonly Option<string?> _caller = new("--caller", "--individual") { Description = "A new room for each caller, with this prefix", HelpName = "PREFIX" };
    private readonly Option<string?> _callee = new("--callee") { Description = "A room for each called number, with this prefix", HelpName = "PREFIX" };
    private readonly Option<bool> _randomize = new("--randomize") { Description = "With --callee: a new room for each call" };
    private readonly Option<string?> _encryption = new("--media-enc") { Description = "SRTP: disable, allow or require" };
    private readonly Option<string[]> _codecs = ObjectFlags.List("--codecs", "Codecs of the caller's side such as PCMU/8000");
    private readonly Option<bool> _onlyListed = new("--no-default-codecs") { Description = "No codecs but the listed ones" };

    public DispatchFields(Command command, bool isUpdate)
    {
        foreach (Option option in (Option[])[_name, _trunks, _direct, _caller, _callee, _randomize])
        {
            command.Options.Add(option);
        }
        if (!isUpdate)
        {
            command.Options.Add(_encryption);
            command.Options.Add(_codecs);
            command.Options.Add(_onlyListed);
        }
    }

    public bool TryApply(ParseResult result, SIPDispatchRuleInfo rule, out string error)
    {
        if (!TryKind(result, out SIPDispatchRule? kind, out error) || !TryMedia(result, rule, out error))
        {
            return false;
        }
        if (kind is not null && rule.Rule is not null)
        {
            error = "the file says which rule it is: --direct, --caller and --callee exclude it";
            return false;
        }
        rule.Rule = kind ?? rule.Rule;
        rule.Name = result.GetValue(_name) ?? rule.Name;
        if (ObjectFlags.Texts(result, _trunks) is { } trunks)
        {
            rule.TrunkIds.Clear();
            rule.TrunkIds.AddRange(trunks);
        }
        error = rule.Rule is null ? "which room? give a file, or --direct ROOM, --caller PREFIX or --callee PREFIX" : "";
        return rule.Rule is not null;
    }

    public bool TryChange(ParseResult result, out SIPDispatchRuleUpdate update, out string error)
    {
        update = new SIPDispatchRuleUpdate { TrunkIds = ObjectFlags.Replace(ObjectFlags.Texts(result, _trunks)) };
        if (!TryKind(result, out SIPDispatchRule? kind, out error))
        {
            return false;
        }
        update.Rule = kind;
        if (result.GetValue(_name) is { } name)
        {
            update.Name = name;
        }
        return true;
    }

    private bool TryKind(ParseResult result, out SIPDispatchRule? rule, out string error)
    {
        List<SIPDispatchRule> given = [];
        if (result.GetValue(_direct) is { } room)
        {
            given.Add(new SIPDispatchRule { DispatchRuleDirect = new SIPDispatchRuleDirect { RoomName = room } });
        }
        if (result.GetValue(_caller) is { } caller)
        {
            given.Add(new SIPDispatchRule { DispatchRuleIndividual = new SIPDispatchRuleIndividual { RoomPrefix = caller } });
        }
        if (result.GetValue(_callee) is { } callee)
        {
            given.Add(new SIPDispatchRule { DispatchRuleCallee = new SIPDispatchRuleCallee { RoomPrefix = callee, Randomize = result.GetValue(_randomize) } });
        }
        rule = given.Count == 1 ? given[0] : null;
        error = given.Count > 1 ? "--direct, --caller and --callee exclude each other: keep one"
            : result.GetValue(_randomize) && result.GetValue(_callee) is null ? "--randomize needs --callee" : "";
        return error.Length == 0;
    }

    private bool TryMedia(ParseResult result, SIPDispatchRuleInfo rule, out string error)
    {
        if (!ObjectFlags.TryEncryption(result.GetValue(_encryption), out SIPMediaEncryption encryption, out error))
        {
            return false;
        }
        if (result.GetValue(_encryption) is not null)
        {
            rule.MediaEncryption = encryption;
            rule.Media ??= new SIPMediaConfig();
            rule.Media.Encryption = encryption;
        }
        if (ObjectFlags.Texts(result, _codecs) is { } texts)
        {
            if (!ObjectFlags.TryCodecs(texts, out List<SIPCodec> codecs, out error))
            {
                return false;
            }
            rule.Media ??= new SIPMediaConfig();
            rule.Media.Codecs.Clear();
            rule.Media.Codecs.AddRange(codecs);
            rule.Media.OnlyListedCodecs = result.GetValue(_onlyListed);
        }
        return true;
    }
}
