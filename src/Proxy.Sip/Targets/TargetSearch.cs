using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using Proxy.Core.Memory;
using Proxy.Core.Net;

namespace Proxy.Sip.Targets;

/// <summary>
/// One owner. From a name to places: says what the DNS is to be asked next, takes the answers, and in the end knows the targets in their order. Each
/// answer is looked at to a limit, and so is the search as a whole: a zone that names a thousand servers is asked about a few.
/// </summary>
/// <remarks>RFC 3263 §4.1 (transport), §4.2 (address and port); RFC 2782.</remarks>
public sealed class TargetSearch
{
    /// <summary>Questions of one search: NAPTR, three SRV, and the addresses of what they name.</summary>
    private const int QuestionsMax = 24;

    /// <summary>SRV records of one answer that are looked at; the first by priority and lot.</summary>
    private const int ServersMax = 6;

    /// <summary>Addresses of one server.</summary>
    private const int AddressesMax = 4;

    /// <summary>Targets in all.</summary>
    private const int TargetsMax = 12;

    private const int ServicesMax = 4;
    private const ushort SipPort = 5060;

    private readonly TargetName _name;
    private readonly bool _wantsV6;
    private readonly IRandom _random;
    private readonly List<Step> _steps = [];
    private readonly SipTarget[] _targets = new SipTarget[TargetsMax];
    private int _found;
    private TimeSpan _life = TimeSpan.MaxValue;
    private int _asked;
    private bool _hasService;
    private bool _hasFailed;
    private bool _isPlain;
    private Step? _open;

    /// <param name="name">Where the URI leads.</param>
    /// <param name="wantsV6">Whether there is a listener for IPv6.</param>
    /// <param name="random">Draws among servers of equal priority.</param>
    public TargetSearch(TargetName name, bool wantsV6, IRandom random)
    {
        _name = name;
        _wantsV6 = wantsV6;
        _random = random;
        if (name.Port != 0)
        {
            AskAddresses(name.Host, name.Transport ?? SipTransport.Udp, name.Port, 0);
            _isPlain = true;
        }
        else if (name.Transport is { } transport)
        {
            AskServers(ServiceOf(transport), transport, 0);
        }
        else
        {
            _steps.Add(new Step(new DnsQuestion(DnsKind.Naptr, name.Host), SipTransport.Udp, 0));
        }
    }

    /// <summary>What came of it; after <see cref="TryNext"/> said that nothing is to be asked any more.</summary>
    public TargetList Result => new(_targets[.._found], _life, _hasFailed && _found == 0);

    /// <returns>False when the search is over.</returns>
    public bool TryNext([NotNullWhen(true)] out DnsQuestion? question)
    {
        if (_steps.Count == 0 && !_hasService && !_isPlain)
        {
            // No server is named: the host itself, at the port of SIP.
            _isPlain = true;
            AskAddresses(_name.Host, _name.Transport ?? SipTransport.Udp, SipPort, 0);
        }
        if (_steps.Count == 0 || _asked >= QuestionsMax || _found >= TargetsMax)
        {
            question = null;
            return false;
        }
        _open = _steps[0];
        _steps.RemoveAt(0);
        _asked++;
        question = _open.Question;
        return true;
    }

    /// <summary>Takes the answer to the question that was given out last.</summary>
    public void Take(DnsAnswer answer)
    {
        _life = answer.Life < _life ? answer.Life : _life;
        _hasFailed |= answer.IsFailure;
        switch (_open!.Question.Kind)
        {
            case DnsKind.Naptr:
                TakeServices(answer.Records);
                break;
            case DnsKind.Srv:
                TakeServers(answer.Records);
                break;
            default:
                TakeAddresses(answer.Records);
                break;
        }
    }

    /// <summary>Terminal records ("s") of SIP over what we speak; the transport is theirs. Without any each transport is asked for (§4.1).</summary>
    private void TakeServices(DnsRecord[] records)
    {
        DnsRecord[] services = Array.FindAll(records, static r => r.Target.Length > 0 && r.Flags.Equals("s", StringComparison.OrdinalIgnoreCase) && TransportOf(r.Service) is not null);
        TargetOrder.SortServices(services);
        int at = 0;
        foreach (DnsRecord service in services.AsSpan(0, Math.Min(services.Length, ServicesMax)))
        {
            AskServers(service.Target, TransportOf(service.Service)!.Value, at++);
        }
        if (services.Length == 0)
        {
            AskServers(ServiceOf(SipTransport.Udp), SipTransport.Udp, 0);
            AskServers(ServiceOf(SipTransport.Tcp), SipTransport.Tcp, 1);
        }
    }

    private void TakeServers(DnsRecord[] records)
    {
        _hasService |= records.Length > 0;
        DnsRecord[] servers = (DnsRecord[])records.Clone();
        TargetOrder.Sort(servers, _random);
        int at = 0;
        foreach (DnsRecord server in servers.AsSpan(0, Math.Min(servers.Length, ServersMax)))
        {
            // "." says that there is no such service here (RFC 2782).
            if (server.Target.Length > 0 && server.Port > 0)
            {
                at = AskAddresses(server.Target, _open!.Transport, server.Port, at);
            }
        }
    }

    private void TakeAddresses(DnsRecord[] records)
    {
        foreach (DnsRecord record in records.AsSpan(0, Math.Min(records.Length, AddressesMax)))
        {
            var target = new SipTarget(_open!.Transport, new NetEndPoint(record.Address, _open.Port));
            if (_found < TargetsMax && record.Address.IsSet && !target.IsIn(_targets.AsSpan(0, _found)))
            {
                _targets[_found++] = target;
            }
        }
    }

    private void AskServers(string service, SipTransport transport, int at) => _steps.Insert(at, new Step(new DnsQuestion(DnsKind.Srv, service), transport, 0));

    private int AskAddresses(string host, SipTransport transport, ushort port, int at)
    {
        _steps.Insert(at++, new Step(new DnsQuestion(DnsKind.A, host), transport, port));
        if (_wantsV6)
        {
            _steps.Insert(at++, new Step(new DnsQuestion(DnsKind.Aaaa, host), transport, port));
        }
        return at;
    }

    private string ServiceOf(SipTransport transport) => (transport == SipTransport.Tcp ? "_sip._tcp." : "_sip._udp.") + _name.Host;

    private static SipTransport? TransportOf(string service) =>
        service.Equals("SIP+D2U", StringComparison.OrdinalIgnoreCase) ? SipTransport.Udp
        : service.Equals("SIP+D2T", StringComparison.OrdinalIgnoreCase) ? SipTransport.Tcp
        : null;

    private sealed class Step(DnsQuestion question, SipTransport transport, ushort port)
    {
        public DnsQuestion Question { get; } = question;

        public SipTransport Transport { get; } = transport;

        public ushort Port { get; } = port;
    }
}
