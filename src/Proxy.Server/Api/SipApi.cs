using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Twirp;
using Proxy.Policy;
using Proxy.Server.Store;

namespace Proxy.Server.Api;

/// <summary>Any thread. What the SIP service takes from the configuration.</summary>
public sealed record SipApiSettings
{
    /// <summary>LiveKit: its own conflict rule beside ours.</summary>
    public Compat Compat { get; init; } = Compat.Strict;

    /// <summary>A new id with the given prefix, such as <c>ST_</c> and twelve letters.</summary>
    public required Func<string, string> NewId { get; init; }

    /// <summary>The wall clock, for the times in phone numbers.</summary>
    public Func<DateTimeOffset> Utc { get; init; } = () => DateTimeOffset.UtcNow;

    /// <summary>Moves a call that we hold; null where none are.</summary>
    public Func<TransferSIPParticipantRequest, CancellationToken, Task<TransferSIPParticipantResponse>>? Transfer { get; init; }
}

/// <summary>Any thread. The Twirp services <c>livekit.SIP</c> and <c>livekit.PhoneNumberService</c> without their transport.</summary>
public sealed class SipApi
{
    private readonly IObjectStore _store;
    private readonly SipApiSettings _settings;
    private readonly SipInboundTrunks _inbound;
    private readonly SipOutboundTrunks _outbound;
    private readonly SipDispatchRules _rules;
    private readonly SipPhoneNumbers _numbers;

    public SipApi(IObjectStore store, SipApiSettings settings)
    {
        _store = store;
        _settings = settings;
        _inbound = new SipInboundTrunks(store, settings);
        _outbound = new SipOutboundTrunks(store, settings);
        _rules = new SipDispatchRules(store, settings);
        _numbers = new SipPhoneNumbers(store, settings);
    }

    /// <summary>Runs one method.</summary>
    /// <param name="request">The message that <see cref="SipMethods"/> names for the method.</param>
    /// <param name="caller">What the token allows.</param>
    /// <param name="cancellation">The client went away.</param>
    /// <exception cref="SipApiException">Every error that the client gets.</exception>
    public async Task<IMessage> HandleAsync(IMessage request, SipCaller caller, CancellationToken cancellation)
    {
        if (request is TransferSIPParticipantRequest transfer)
        {
            return await TransferAsync(transfer, caller, cancellation).ConfigureAwait(false);
        }
        bool isCall = request is CreateSIPParticipantRequest;
        if (isCall ? !caller.Call : !caller.Admin)
        {
            throw new SipApiException(TwirpError.Denied());
        }
        try
        {
            return await RunAsync(request, cancellation).ConfigureAwait(false);
        }
        catch (ObjectStoreException e)
        {
            throw new SipApiException(new TwirpError(TwirpCode.FailedPrecondition, e.Message));
        }
    }

    private async Task<IMessage> RunAsync(IMessage request, CancellationToken cancellation) => request switch
    {
        CreateSIPInboundTrunkRequest r => await _inbound.CreateAsync(r, cancellation).ConfigureAwait(false),
        UpdateSIPInboundTrunkRequest r => await _inbound.UpdateAsync(r, cancellation).ConfigureAwait(false),
        GetSIPInboundTrunkRequest r => _inbound.Get(r),
        ListSIPInboundTrunkRequest r => _inbound.List(r),
        CreateSIPOutboundTrunkRequest r => await _outbound.CreateAsync(r, cancellation).ConfigureAwait(false),
        UpdateSIPOutboundTrunkRequest r => await _outbound.UpdateAsync(r, cancellation).ConfigureAwait(false),
        GetSIPOutboundTrunkRequest r => _outbound.Get(r),
        ListSIPOutboundTrunkRequest r => _outbound.List(r),
        ListSIPTrunkRequest r => ListLegacy(r),
        DeleteSIPTrunkRequest r => await DeleteTrunkAsync(r, cancellation).ConfigureAwait(false),
        CreateSIPDispatchRuleRequest r => await _rules.CreateAsync(r, cancellation).ConfigureAwait(false),
        UpdateSIPDispatchRuleRequest r => await _rules.UpdateAsync(r, cancellation).ConfigureAwait(false),
        DeleteSIPDispatchRuleRequest r => await _rules.DeleteAsync(r, cancellation).ConfigureAwait(false),
        ListSIPDispatchRuleRequest r => _rules.List(r),
        SearchPhoneNumbersRequest r => _numbers.Search(r),
        PurchasePhoneNumberRequest r => await _numbers.PurchaseAsync(r, cancellation).ConfigureAwait(false),
        ListPhoneNumbersRequest r => _numbers.List(r),
        GetPhoneNumberRequest r => _numbers.Get(r),
        UpdatePhoneNumberRequest r => await _numbers.UpdateAsync(r, cancellation).ConfigureAwait(false),
        ReleasePhoneNumbersRequest r => await _numbers.ReleaseAsync(r, cancellation).ConfigureAwait(false),
        CreateSIPParticipantRequest => throw new SipApiException(new TwirpError(TwirpCode.Unimplemented, "siproom does not place outbound calls yet")),
        _ => throw new SipApiException(new TwirpError(TwirpCode.Unimplemented, "no such method")),
    };

    private async Task<IMessage> TransferAsync(TransferSIPParticipantRequest request, SipCaller caller, CancellationToken cancellation)
    {
        if (request.RoomName.Length == 0)
        {
            throw SipApiException.Invalid("twirp error unknown: Missing room name");
        }
        if (request.ParticipantIdentity.Length == 0)
        {
            throw SipApiException.Invalid("twirp error unknown: Missing participant identity");
        }
        if (!caller.Call || !caller.IsAdminOf(request.RoomName))
        {
            throw new SipApiException(TwirpError.Denied());
        }
        SipTransferRules.Check(request);
        if (_settings.Transfer is null)
        {
            throw SipApiException.NotFound("twirp error unknown: participant does not exist");
        }
        return await _settings.Transfer(request, cancellation).ConfigureAwait(false);
    }

    /// <summary>Removes a trunk of either kind; one that is not there is no error, as with the stock server.</summary>
    private async Task<SIPTrunkInfo> DeleteTrunkAsync(DeleteSIPTrunkRequest request, CancellationToken cancellation)
    {
        string id = request.SipTrunkId.Length > 0 ? request.SipTrunkId : throw SipApiException.Invalid("trunk ID is required");
        await _store.ChangeAsync(
            objects => objects.Inbound.ContainsKey(id) ? new ObjectChange(ObjectKind.InboundTrunk, id, null)
                : objects.Outbound.ContainsKey(id) ? new ObjectChange(ObjectKind.OutboundTrunk, id, null) : null,
            cancellation).ConfigureAwait(false);
        return new SIPTrunkInfo { SipTrunkId = id };
    }

    /// <summary>Both kinds in the shape of the trunks of old, ascending ids.</summary>
    private ListSIPTrunkResponse ListLegacy(ListSIPTrunkRequest request)
    {
        var all = new SortedDictionary<string, SIPTrunkInfo>(StringComparer.Ordinal);
        foreach (SIPInboundTrunkInfo trunk in _store.Objects.Inbound.Values)
        {
            all[trunk.SipTrunkId] = Legacy(trunk);
        }
        foreach (SIPOutboundTrunkInfo trunk in _store.Objects.Outbound.Values)
        {
            all[trunk.SipTrunkId] = Legacy(trunk);
        }
        var response = new ListSIPTrunkResponse();
        var page = new SipPage(request.Page, []);
        foreach (SIPTrunkInfo trunk in all.Values)
        {
            if (page.Wants(trunk.SipTrunkId) && page.Takes())
            {
                response.Items.Add(trunk);
            }
        }
        return response;
    }

    private static SIPTrunkInfo Legacy(SIPInboundTrunkInfo trunk)
    {
        var legacy = new SIPTrunkInfo
        {
            SipTrunkId = trunk.SipTrunkId,
            Kind = SIPTrunkInfo.Types.TrunkKind.TrunkInbound,
            OutboundNumber = trunk.Numbers.Count > 0 ? trunk.Numbers[0] : "",
            InboundUsername = trunk.AuthUsername,
            InboundPassword = trunk.AuthPassword,
            Name = trunk.Name,
            Metadata = trunk.Metadata,
        };
        legacy.InboundAddresses.Add(trunk.AllowedAddresses);
        legacy.InboundNumbers.Add(trunk.AllowedNumbers);
        return legacy;
    }

    private static SIPTrunkInfo Legacy(SIPOutboundTrunkInfo trunk) => new()
    {
        SipTrunkId = trunk.SipTrunkId,
        Kind = SIPTrunkInfo.Types.TrunkKind.TrunkOutbound,
        OutboundAddress = trunk.Address,
        OutboundNumber = trunk.Numbers.Count > 0 ? trunk.Numbers[0] : "",
        OutboundUsername = trunk.AuthUsername,
        OutboundPassword = trunk.AuthPassword,
        Transport = trunk.Transport,
        Name = trunk.Name,
        Metadata = trunk.Metadata,
    };
}
