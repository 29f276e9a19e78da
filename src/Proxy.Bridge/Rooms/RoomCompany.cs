using System;
using System.Collections.Generic;
using Proxy.Core.Time;
using Proxy.Participant;
using Proxy.Policy;
using Proxy.Policy.Dispatch;

namespace Proxy.Bridge.Rooms;

/// <summary>Signal thread. Who else is in the caller's room, and since when nobody is.</summary>
internal sealed class RoomCompany
{
    /// <summary>Identity by participant id.</summary>
    private readonly Dictionary<string, string> _others = [];
    private bool _hasAsked;

    /// <summary>When the rule wants something done about it; never while somebody is there, and not before somebody was.</summary>
    public MonoTime AloneAt { get; private set; } = MonoTime.Never;

    /// <summary>Another room, nobody known in it.</summary>
    public void Reset()
    {
        _others.Clear();
        AloneAt = MonoTime.Never;
    }

    /// <summary>Whether somebody else is there under that identity.</summary>
    public bool Has(string identity) => _others.ContainsValue(identity);

    public void Joined(RemoteParticipant who)
    {
        _others[who.Sid] = who.Identity;
        _hasAsked = false;
        AloneAt = MonoTime.Never;
    }

    public void Left(RemoteParticipant who, Verdict verdict, MonoTime now)
    {
        if (_others.Remove(who.Sid) && _others.Count == 0 && verdict.WhenAlone != WhenAlone.Stay)
        {
            AloneAt = now + verdict.AloneFor;
        }
    }

    /// <summary>The time has come: whether agents are to be asked for once more. Else the call ends.</summary>
    /// <param name="patience">How long they may take.</param>
    public bool AsksAgain(Verdict verdict, TimeSpan patience, MonoTime now)
    {
        bool asks = verdict.WhenAlone == WhenAlone.Dispatch && verdict.Agents.Length > 0 && !_hasAsked;
        _hasAsked |= asks;
        AloneAt = asks ? now + patience : MonoTime.Never;
        return asks;
    }
}
