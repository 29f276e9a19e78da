using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Proxy.LiveKit.Protocol;
using Proxy.Policy;
using Proxy.Policy.Numbers;
using Proxy.Server.Store;

namespace Proxy.Server.Api;

/// <summary>Any thread. Inbound trunks of the SIP service.</summary>
internal sealed class SipInboundTrunks(IObjectStore store, SipApiSettings settings)
{
    public const string Missing = "requested sip trunk does not exist";

    public async Task<SIPInboundTrunkInfo> CreateAsync(CreateSIPInboundTrunkRequest request, CancellationToken cancellation)
    {
        SIPInboundTrunkInfo trunk = request.Trunk?.Clone() ?? throw SipApiException.Invalid("missing trunk");
        if (trunk.SipTrunkId.Length > 0)
        {
            throw SipApiException.Invalid("trunk id must not be set");
        }
        SipObjectRules.CheckInbound(trunk);
        CheckStrict(trunk);
        trunk.SipTrunkId = settings.NewId("ST_");
        return await PutAsync(trunk.SipTrunkId, _ => trunk, isNew: true, cancellation).ConfigureAwait(false);
    }

    public async Task<SIPInboundTrunkInfo> UpdateAsync(UpdateSIPInboundTrunkRequest request, CancellationToken cancellation)
    {
        if (request.SipTrunkId.Length == 0)
        {
            throw SipApiException.Invalid("trunk id must be set");
        }
        switch (request.ActionCase)
        {
            case UpdateSIPInboundTrunkRequest.ActionOneofCase.Replace:
                SIPInboundTrunkInfo trunk = request.Replace.Clone();
                if (trunk.SipTrunkId.Length > 0 && trunk.SipTrunkId != request.SipTrunkId)
                {
                    throw SipApiException.Invalid("trunk id in the info must be empty or match the id in the update");
                }
                SipObjectRules.CheckInbound(trunk);
                CheckStrict(trunk);
                trunk.SipTrunkId = request.SipTrunkId;
                return await PutAsync(request.SipTrunkId, _ => trunk, isNew: false, cancellation).ConfigureAwait(false);
            case UpdateSIPInboundTrunkRequest.ActionOneofCase.Update:
                SIPInboundTrunkUpdate update = request.Update;
                SipListUpdate.Check(update.Numbers);
                SipListUpdate.Check(update.AllowedAddresses);
                SipListUpdate.Check(update.AllowedNumbers);
                SipObjectRules.CheckMedia(update.Media);
                return await PutAsync(request.SipTrunkId, stored => Apply(stored, update), isNew: false, cancellation).ConfigureAwait(false);
            default:
                throw SipApiException.Invalid("missing or unsupported update action");
        }
    }

    public GetSIPInboundTrunkResponse Get(GetSIPInboundTrunkRequest request)
    {
        if (request.SipTrunkId.Length == 0)
        {
            throw SipApiException.Invalid("trunk ID is required");
        }
        return store.Objects.Inbound.TryGetValue(request.SipTrunkId, out SIPInboundTrunkInfo? trunk)
            ? new GetSIPInboundTrunkResponse { Trunk = trunk } : throw SipApiException.NotFound(Missing);
    }

    /// <summary>Ascending ids; a filter by numbers keeps the trunks that take any.</summary>
    public ListSIPInboundTrunkResponse List(ListSIPInboundTrunkRequest request)
    {
        var wanted = new HashSet<string>();
        foreach (string number in request.Numbers)
        {
            wanted.Add(NumberText.Normalise(number));
        }
        var response = new ListSIPInboundTrunkResponse();
        var page = new SipPage(request.Page, request.TrunkIds);
        foreach (SIPInboundTrunkInfo trunk in store.Objects.Inbound.Values)
        {
            if (page.Wants(trunk.SipTrunkId) && (wanted.Count == 0 || trunk.Numbers.Count == 0 || HasAny(trunk, wanted)) && page.Takes())
            {
                response.Items.Add(trunk);
            }
        }
        return response;
    }

    private static bool HasAny(SIPInboundTrunkInfo trunk, HashSet<string> wanted)
    {
        foreach (string number in trunk.Numbers)
        {
            if (wanted.Contains(NumberText.Normalise(number)))
            {
                return true;
            }
        }
        return false;
    }

    private static SIPInboundTrunkInfo Apply(SIPInboundTrunkInfo stored, SIPInboundTrunkUpdate update)
    {
        SIPInboundTrunkInfo trunk = stored.Clone();
        SipListUpdate.Apply(update.Numbers, trunk.Numbers);
        SipListUpdate.Apply(update.AllowedAddresses, trunk.AllowedAddresses);
        SipListUpdate.Apply(update.AllowedNumbers, trunk.AllowedNumbers);
        trunk.AuthUsername = update.HasAuthUsername ? update.AuthUsername : trunk.AuthUsername;
        trunk.AuthPassword = update.HasAuthPassword ? update.AuthPassword : trunk.AuthPassword;
        trunk.AuthRealm = update.HasAuthRealm ? update.AuthRealm : trunk.AuthRealm;
        trunk.Name = update.HasName ? update.Name : trunk.Name;
        trunk.Metadata = update.HasMetadata ? update.Metadata : trunk.Metadata;
        SIPMediaEncryption legacy = update.HasMediaEncryption ? update.MediaEncryption : trunk.MediaEncryption;
        trunk.Media = SipMediaUpgrade.Of(update.Media?.Clone() ?? trunk.Media, ref legacy);
        trunk.MediaEncryption = legacy;
        return trunk;
    }

    private void CheckStrict(SIPInboundTrunkInfo trunk)
    {
        if (settings.Compat == Compat.Strict && trunk.AuthUsername.Length > 0 != trunk.AuthPassword.Length > 0)
        {
            throw SipApiException.Invalid("auth_username and auth_password must be set together (compat: livekit takes one of them as no authentication)");
        }
        foreach (string entry in trunk.AllowedAddresses)
        {
            if (settings.Compat == Compat.Strict && !Policy.Trunks.AddressList.TryBlock(entry, out _, out _) && !Policy.Trunks.AddressList.IsHostName(entry))
            {
                throw SipApiException.Invalid($"allowed_addresses: {entry} is neither an address nor a block nor a host name");
            }
        }
    }

    private async Task<SIPInboundTrunkInfo> PutAsync(string id, System.Func<SIPInboundTrunkInfo, SIPInboundTrunkInfo> make, bool isNew, CancellationToken cancellation)
    {
        SIPInboundTrunkInfo? result = null;
        await store.ChangeAsync(
            objects =>
            {
                if (!objects.Inbound.TryGetValue(id, out SIPInboundTrunkInfo? stored) && !isNew)
                {
                    throw SipApiException.NotFound(Missing);
                }
                result = make(stored ?? new SIPInboundTrunkInfo());
                if (!isNew)
                {
                    CheckResult(result);
                }
                SipConflicts.CheckTrunk(objects, result, isNew, settings.Compat);
                return new ObjectChange(ObjectKind.InboundTrunk, id, result);
            },
            cancellation).ConfigureAwait(false);
        return result!;
    }

    /// <summary>The stock server prefixes what it finds in the result of an update.</summary>
    private void CheckResult(SIPInboundTrunkInfo trunk)
    {
        try
        {
            SipObjectRules.CheckSecurity(trunk);
        }
        catch (SipApiException e)
        {
            throw SipApiException.Invalid("twirp error unknown: " + e.Message);
        }
        CheckStrict(trunk);
    }
}
