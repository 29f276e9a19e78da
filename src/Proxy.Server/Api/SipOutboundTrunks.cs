using System.Threading;
using System.Threading.Tasks;
using Proxy.LiveKit.Protocol;
using Proxy.Server.Store;

namespace Proxy.Server.Api;

/// <summary>Any thread. Outbound trunks of the SIP service: kept for the day when calls are placed.</summary>
internal sealed class SipOutboundTrunks(IObjectStore store, SipApiSettings settings)
{
    public async Task<SIPOutboundTrunkInfo> CreateAsync(CreateSIPOutboundTrunkRequest request, CancellationToken cancellation)
    {
        SIPOutboundTrunkInfo trunk = request.Trunk?.Clone() ?? throw SipApiException.Invalid("missing trunk");
        if (trunk.SipTrunkId.Length > 0)
        {
            throw SipApiException.Invalid("trunk id must not be set");
        }
        SipObjectRules.CheckOutbound(trunk);
        trunk.SipTrunkId = settings.NewId("ST_");
        return await PutAsync(trunk.SipTrunkId, _ => trunk, isNew: true, cancellation).ConfigureAwait(false);
    }

    public async Task<SIPOutboundTrunkInfo> UpdateAsync(UpdateSIPOutboundTrunkRequest request, CancellationToken cancellation)
    {
        if (request.SipTrunkId.Length == 0)
        {
            throw SipApiException.Invalid("trunk id must be set");
        }
        switch (request.ActionCase)
        {
            case UpdateSIPOutboundTrunkRequest.ActionOneofCase.Replace:
                SIPOutboundTrunkInfo trunk = request.Replace.Clone();
                if (trunk.SipTrunkId.Length > 0 && trunk.SipTrunkId != request.SipTrunkId)
                {
                    throw SipApiException.Invalid("trunk id in the info must be empty or match the id in the update");
                }
                SipObjectRules.CheckOutbound(trunk);
                trunk.SipTrunkId = request.SipTrunkId;
                return await PutAsync(request.SipTrunkId, _ => trunk, isNew: false, cancellation).ConfigureAwait(false);
            case UpdateSIPOutboundTrunkRequest.ActionOneofCase.Update:
                SipListUpdate.Check(request.Update.Numbers);
                SipObjectRules.CheckMedia(request.Update.Media);
                return await PutAsync(request.SipTrunkId, stored => Apply(stored, request.Update), isNew: false, cancellation).ConfigureAwait(false);
            default:
                throw SipApiException.Invalid("missing or unsupported update action");
        }
    }

    public GetSIPOutboundTrunkResponse Get(GetSIPOutboundTrunkRequest request)
    {
        if (request.SipTrunkId.Length == 0)
        {
            throw SipApiException.Invalid("trunk ID is required");
        }
        return store.Objects.Outbound.TryGetValue(request.SipTrunkId, out SIPOutboundTrunkInfo? trunk)
            ? new GetSIPOutboundTrunkResponse { Trunk = trunk } : throw SipApiException.NotFound(SipInboundTrunks.Missing);
    }

    /// <summary>Ascending ids; the filter by numbers compares the text exactly, as the stock server does.</summary>
    public ListSIPOutboundTrunkResponse List(ListSIPOutboundTrunkRequest request)
    {
        var response = new ListSIPOutboundTrunkResponse();
        var page = new SipPage(request.Page, request.TrunkIds);
        foreach (SIPOutboundTrunkInfo trunk in store.Objects.Outbound.Values)
        {
            bool isWanted = request.Numbers.Count == 0;
            foreach (string number in request.Numbers)
            {
                isWanted |= trunk.Numbers.Contains(number);
            }
            if (page.Wants(trunk.SipTrunkId) && isWanted && page.Takes())
            {
                response.Items.Add(trunk);
            }
        }
        return response;
    }

    private static SIPOutboundTrunkInfo Apply(SIPOutboundTrunkInfo stored, SIPOutboundTrunkUpdate update)
    {
        SIPOutboundTrunkInfo trunk = stored.Clone();
        SipListUpdate.Apply(update.Numbers, trunk.Numbers);
        trunk.Address = update.HasAddress ? update.Address : trunk.Address;
        trunk.Transport = update.HasTransport ? update.Transport : trunk.Transport;
        trunk.AuthUsername = update.HasAuthUsername ? update.AuthUsername : trunk.AuthUsername;
        trunk.AuthPassword = update.HasAuthPassword ? update.AuthPassword : trunk.AuthPassword;
        trunk.Name = update.HasName ? update.Name : trunk.Name;
        trunk.Metadata = update.HasMetadata ? update.Metadata : trunk.Metadata;
        trunk.DestinationCountry = update.HasDestinationCountry ? update.DestinationCountry : trunk.DestinationCountry;
        trunk.FromHost = update.HasFromHost ? update.FromHost : trunk.FromHost;
        SIPMediaEncryption legacy = update.HasMediaEncryption ? update.MediaEncryption : trunk.MediaEncryption;
        trunk.Media = SipMediaUpgrade.Of(update.Media?.Clone() ?? trunk.Media, ref legacy);
        trunk.MediaEncryption = legacy;
        return trunk;
    }

    private async Task<SIPOutboundTrunkInfo> PutAsync(string id, System.Func<SIPOutboundTrunkInfo, SIPOutboundTrunkInfo> make, bool isNew, CancellationToken cancellation)
    {
        SIPOutboundTrunkInfo? result = null;
        await store.ChangeAsync(
            objects =>
            {
                if (!objects.Outbound.TryGetValue(id, out SIPOutboundTrunkInfo? stored) && !isNew)
                {
                    throw SipApiException.NotFound(SipInboundTrunks.Missing);
                }
                result = make(stored ?? new SIPOutboundTrunkInfo());
                SipObjectRules.CheckOutbound(result);
                return new ObjectChange(ObjectKind.OutboundTrunk, id, result);
            },
            cancellation).ConfigureAwait(false);
        return result!;
    }
}
