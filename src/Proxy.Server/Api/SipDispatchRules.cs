using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Proxy.LiveKit.Protocol;
using Proxy.Server.Store;

namespace Proxy.Server.Api;

/// <summary>Any thread. Dispatch rules of the SIP service.</summary>
internal sealed class SipDispatchRules(IObjectStore store, SipApiSettings settings)
{
    private const string Missing = "requested sip dispatch rule does not exist";

    public async Task<SIPDispatchRuleInfo> CreateAsync(CreateSIPDispatchRuleRequest request, CancellationToken cancellation)
    {
        SIPDispatchRuleInfo rule = request.DispatchRule?.Clone() ?? FromFlat(request);
        if (rule.Rule is null)
        {
            throw SipApiException.Invalid("missing rule");
        }
        if (rule.SipDispatchRuleId.Length > 0)
        {
            throw SipApiException.Invalid("rule id must not be set");
        }
        SipObjectRules.CheckMedia(rule.Media);
        if (request.DispatchRule is not null)
        {
            Upgrade(rule);
        }
        rule.SipDispatchRuleId = settings.NewId("SDR_");
        return await PutAsync(rule.SipDispatchRuleId, _ => rule, isNew: true, cancellation).ConfigureAwait(false);
    }

    public async Task<SIPDispatchRuleInfo> UpdateAsync(UpdateSIPDispatchRuleRequest request, CancellationToken cancellation)
    {
        if (request.SipDispatchRuleId.Length == 0)
        {
            throw SipApiException.Invalid("rule id must be set");
        }
        switch (request.ActionCase)
        {
            case UpdateSIPDispatchRuleRequest.ActionOneofCase.Replace:
                SIPDispatchRuleInfo rule = request.Replace.Clone();
                if (rule.SipDispatchRuleId.Length > 0 && rule.SipDispatchRuleId != request.SipDispatchRuleId)
                {
                    throw SipApiException.Invalid("rule id in the info must be empty or match the id in the update");
                }
                if (rule.Rule is null)
                {
                    throw SipApiException.Invalid("missing rule");
                }
                SipObjectRules.CheckMedia(rule.Media);
                rule.SipDispatchRuleId = request.SipDispatchRuleId;
                return await PutAsync(request.SipDispatchRuleId, _ => rule, isNew: false, cancellation).ConfigureAwait(false);
            case UpdateSIPDispatchRuleRequest.ActionOneofCase.Update:
                SipListUpdate.Check(request.Update.TrunkIds);
                SipObjectRules.CheckMedia(request.Update.Media);
                return await PutAsync(request.SipDispatchRuleId, stored => Apply(stored, request.Update), isNew: false, cancellation).ConfigureAwait(false);
            default:
                throw SipApiException.Invalid("missing or unsupported update action");
        }
    }

    public async Task<SIPDispatchRuleInfo> DeleteAsync(DeleteSIPDispatchRuleRequest request, CancellationToken cancellation)
    {
        string id = request.SipDispatchRuleId.Length > 0 ? request.SipDispatchRuleId : throw SipApiException.Invalid("dispatch rule ID is required");
        SIPDispatchRuleInfo? deleted = null;
        await store.ChangeAsync(
            objects =>
            {
                deleted = objects.Rules.GetValueOrDefault(id) ?? throw SipApiException.NotFound(Missing);
                return new ObjectChange(ObjectKind.Rule, id, null);
            },
            cancellation).ConfigureAwait(false);
        return deleted!;
    }

    /// <summary>Ascending ids; a filter by trunks keeps the rules for any trunk.</summary>
    public ListSIPDispatchRuleResponse List(ListSIPDispatchRuleRequest request)
    {
        var response = new ListSIPDispatchRuleResponse();
        var page = new SipPage(request.Page, request.DispatchRuleIds);
        foreach (SIPDispatchRuleInfo rule in store.Objects.Rules.Values)
        {
            bool isWanted = request.TrunkIds.Count == 0 || rule.TrunkIds.Count == 0;
            foreach (string trunk in request.TrunkIds)
            {
                isWanted |= rule.TrunkIds.Contains(trunk);
            }
            if (page.Wants(rule.SipDispatchRuleId) && isWanted && page.Takes())
            {
                response.Items.Add(rule);
            }
        }
        return response;
    }

    /// <summary>The legacy form: the members stand in the request itself.</summary>
    private static SIPDispatchRuleInfo FromFlat(CreateSIPDispatchRuleRequest request)
    {
        var rule = new SIPDispatchRuleInfo
        {
            Rule = request.Rule?.Clone(),
            HidePhoneNumber = request.HidePhoneNumber,
            Name = request.Name,
            Metadata = request.Metadata,
            RoomPreset = request.RoomPreset,
            RoomConfig = request.RoomConfig?.Clone(),
        };
        rule.TrunkIds.Add(request.TrunkIds);
        rule.InboundNumbers.Add(request.InboundNumbers);
        rule.Attributes.Add(request.Attributes);
        return rule;
    }

    private static SIPDispatchRuleInfo Apply(SIPDispatchRuleInfo stored, SIPDispatchRuleUpdate update)
    {
        SIPDispatchRuleInfo rule = stored.Clone();
        SipListUpdate.Apply(update.TrunkIds, rule.TrunkIds);
        rule.Rule = update.Rule?.Clone() ?? rule.Rule;
        rule.Name = update.HasName ? update.Name : rule.Name;
        rule.Metadata = update.HasMetadata ? update.Metadata : rule.Metadata;
        foreach (KeyValuePair<string, string> attribute in update.Attributes)
        {
            if (attribute.Value.Length == 0)
            {
                rule.Attributes.Remove(attribute.Key);
            }
            else
            {
                rule.Attributes[attribute.Key] = attribute.Value;
            }
        }
        rule.MediaEncryption = update.HasMediaEncryption ? update.MediaEncryption : rule.MediaEncryption;
        rule.Media = update.Media?.Clone() ?? rule.Media;
        Upgrade(rule);
        return rule;
    }

    private static void Upgrade(SIPDispatchRuleInfo rule)
    {
        SIPMediaEncryption legacy = rule.MediaEncryption;
        rule.Media = SipMediaUpgrade.Of(rule.Media, ref legacy);
        rule.MediaEncryption = legacy;
    }

    private async Task<SIPDispatchRuleInfo> PutAsync(string id, Func<SIPDispatchRuleInfo, SIPDispatchRuleInfo> make, bool isNew, CancellationToken cancellation)
    {
        SIPDispatchRuleInfo? result = null;
        await store.ChangeAsync(
            objects =>
            {
                if (!objects.Rules.TryGetValue(id, out SIPDispatchRuleInfo? stored) && !isNew)
                {
                    throw SipApiException.NotFound(Missing);
                }
                result = make(stored ?? new SIPDispatchRuleInfo());
                if (result.Rule.RuleCase == SIPDispatchRule.RuleOneofCase.None)
                {
                    throw SipApiException.Invalid("twirp error unknown: unsupported SIP Dispatch Rule: <nil>");
                }
                SipConflicts.CheckRule(objects, result, isNew);
                return new ObjectChange(ObjectKind.Rule, id, result);
            },
            cancellation).ConfigureAwait(false);
        return result!;
    }
}
