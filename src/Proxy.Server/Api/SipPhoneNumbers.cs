using System;
using System.Collections.Generic;
using System.Globalization;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf.WellKnownTypes;
using Proxy.LiveKit.Protocol;
using Proxy.Policy.Numbers;
using Proxy.Server.Store;
using PhoneNumber = Proxy.LiveKit.Protocol.PhoneNumber;
using PhoneNumberStatus = Proxy.LiveKit.Protocol.PhoneNumberStatus;

namespace Proxy.Server.Api;

/// <summary>
/// Any thread. <c>livekit.PhoneNumberService</c> over the carrier's own stock: purchase takes a number from the stock, release gives it
/// back; a number points at its rule, and without one it is offline.
/// </summary>
internal sealed class SipPhoneNumbers(IObjectStore store, SipApiSettings settings)
{
    private const int DefaultLimit = 50;
    private const int MostPerPage = 1_000;
    private const string Missing = "requested phone number does not exist";

    /// <summary>Numbers of the stock that nobody owns, by country and area.</summary>
    public SearchPhoneNumbersResponse Search(SearchPhoneNumbersRequest request)
    {
        if (request.CountryCode.Length == 0)
        {
            throw SipApiException.Invalid("country code is required");
        }
        var response = new SearchPhoneNumbersResponse();
        (string after, int limit) = Page(request.PageToken, request.HasLimit ? request.Limit : 0);
        foreach (PhoneNumber number in store.Objects.Numbers.Values)
        {
            bool isWanted = !IsOwned(number) && string.Equals(number.CountryCode, request.CountryCode, StringComparison.OrdinalIgnoreCase)
                && (!request.HasAreaCode || number.AreaCode == request.AreaCode) && string.CompareOrdinal(number.Id, after) > 0;
            if (isWanted && response.Items.Count == limit)
            {
                response.NextPageToken = new TokenPagination { Token = response.Items[^1].Id };
                break;
            }
            if (isWanted)
            {
                response.Items.Add(number);
            }
        }
        return response;
    }

    public async Task<PurchasePhoneNumberResponse> PurchaseAsync(PurchasePhoneNumberRequest request, CancellationToken cancellation)
    {
        if (request.PhoneNumbers.Count == 0)
        {
            throw SipApiException.Invalid("phone numbers are required");
        }
        foreach (string wanted in request.PhoneNumbers)
        {
            CheckFree(store.Objects, wanted);
        }
        var response = new PurchasePhoneNumberResponse();
        foreach (string wanted in request.PhoneNumbers)
        {
            await store.ChangeAsync(
                objects =>
                {
                    PhoneNumber number = CheckFree(objects, wanted).Clone();
                    Point(number, request.HasSipDispatchRuleId ? request.SipDispatchRuleId : "", objects);
                    number.AssignedAt = Timestamp.FromDateTimeOffset(settings.Utc());
                    number.ReleasedAt = null;
                    response.PhoneNumbers.Add(number);
                    return new ObjectChange(ObjectKind.Number, number.Id, number);
                },
                cancellation).ConfigureAwait(false);
        }
        return response;
    }

    /// <summary>The numbers that somebody owns, ascending ids, with the count of all and of those without a rule.</summary>
    public ListPhoneNumbersResponse List(ListPhoneNumbersRequest request)
    {
        var response = new ListPhoneNumbersResponse();
        (string after, int limit) = Page(request.PageToken, request.HasLimit ? request.Limit : 0);
        foreach (PhoneNumber number in store.Objects.Numbers.Values)
        {
            bool isWanted = request.Statuses.Count == 0 ? IsOwned(number) : request.Statuses.Contains(number.Status);
            if (!isWanted || (request.HasSipDispatchRuleId && !number.SipDispatchRuleIds.Contains(request.SipDispatchRuleId)))
            {
                continue;
            }
            response.TotalCount++;
            response.OfflineCount += number.Status == PhoneNumberStatus.Offline ? 1 : 0;
            if (string.CompareOrdinal(number.Id, after) <= 0)
            {
                continue;
            }
            if (response.Items.Count < limit)
            {
                response.Items.Add(number);
            }
            else
            {
                response.NextPageToken ??= new TokenPagination { Token = response.Items[^1].Id };
            }
        }
        return response;
    }

    public GetPhoneNumberResponse Get(GetPhoneNumberRequest request) =>
        new() { PhoneNumber = Find(store.Objects, request.HasId ? request.Id : "", request.HasPhoneNumber ? request.PhoneNumber : "") };

    /// <summary>Points a number at a rule; an empty rule takes it offline.</summary>
    public async Task<UpdatePhoneNumberResponse> UpdateAsync(UpdatePhoneNumberRequest request, CancellationToken cancellation)
    {
        PhoneNumber? result = null;
        await store.ChangeAsync(
            objects =>
            {
                result = Find(objects, request.HasId ? request.Id : "", request.HasPhoneNumber ? request.PhoneNumber : "").Clone();
                if (!request.HasSipDispatchRuleId)
                {
                    return null;
                }
                Point(result, request.SipDispatchRuleId, objects);
                return new ObjectChange(ObjectKind.Number, result.Id, result);
            },
            cancellation).ConfigureAwait(false);
        return new UpdatePhoneNumberResponse { PhoneNumber = result };
    }

    public async Task<ReleasePhoneNumbersResponse> ReleaseAsync(ReleasePhoneNumbersRequest request, CancellationToken cancellation)
    {
        List<(string Id, string Number)> released = [];
        foreach (string id in request.Ids)
        {
            released.Add((id, ""));
        }
        foreach (string number in request.PhoneNumbers)
        {
            released.Add(("", number));
        }
        if (released.Count == 0)
        {
            throw SipApiException.Invalid("ids or phone numbers are required");
        }
        foreach ((string id, string text) in released)
        {
            await store.ChangeAsync(
                objects =>
                {
                    PhoneNumber number = Find(objects, id, text).Clone();
                    number.Status = PhoneNumberStatus.Released;
                    number.SipDispatchRuleId = "";
                    number.SipDispatchRuleIds.Clear();
                    number.ReleasedAt = Timestamp.FromDateTimeOffset(settings.Utc());
                    return new ObjectChange(ObjectKind.Number, number.Id, number);
                },
                cancellation).ConfigureAwait(false);
        }
        return new ReleasePhoneNumbersResponse();
    }

    private static (string After, int Limit) Page(TokenPagination? token, int limit) =>
        (token?.Token ?? "", limit is > 0 and <= MostPerPage ? limit : limit > MostPerPage ? MostPerPage : DefaultLimit);

    private static bool IsOwned(PhoneNumber number) => number.Status is PhoneNumberStatus.Active or PhoneNumberStatus.Offline or PhoneNumberStatus.Pending;

    private static PhoneNumber Find(StoredObjects objects, string id, string text)
    {
        if (id.Length > 0)
        {
            return objects.Numbers.GetValueOrDefault(id) ?? throw SipApiException.NotFound(Missing);
        }
        string wanted = text.Length > 0 ? NumberText.Normalise(text) : throw SipApiException.Invalid("id or phone number is required");
        int place = objects.Stock.Find(wanted);
        return place >= 0 ? objects.Numbers[objects.Stock.Id(place)] : throw SipApiException.NotFound(Missing);
    }

    private static PhoneNumber CheckFree(StoredObjects objects, string wanted)
    {
        PhoneNumber number = Find(objects, "", wanted);
        if (IsOwned(number))
        {
            throw SipApiException.Invalid($"phone number {number.E164Format} is already owned");
        }
        string normal = NumberText.Normalise(wanted);
        foreach (SIPInboundTrunkInfo trunk in objects.Inbound.Values)
        {
            foreach (string text in trunk.Numbers)
            {
                if (NumberText.Normalise(text) == normal)
                {
                    throw SipApiException.Invalid(string.Create(CultureInfo.InvariantCulture, $"phone number {number.E164Format} is owned by trunk {trunk.SipTrunkId}"));
                }
            }
        }
        return number;
    }

    private static void Point(PhoneNumber number, string rule, StoredObjects objects)
    {
        if (rule.Length > 0 && !objects.Rules.ContainsKey(rule))
        {
            throw SipApiException.NotFound("requested sip dispatch rule does not exist");
        }
        number.SipDispatchRuleId = rule;
        number.SipDispatchRuleIds.Clear();
        if (rule.Length > 0)
        {
            number.SipDispatchRuleIds.Add(rule);
        }
        number.Status = rule.Length > 0 ? PhoneNumberStatus.Active : PhoneNumberStatus.Offline;
    }
}
