namespace Proxy.Sip;

/// <summary>Signal thread writes, any thread may read single fields. What an endpoint has seen since it was made.</summary>
public struct SipCounters
{
    /// <summary>Messages that came in, keep-alives and garbage apart.</summary>
    public long MessagesIn;

    /// <summary>Messages handed out for sending, retransmissions too.</summary>
    public long MessagesOut;

    /// <summary>Of these, retransmissions by our timers.</summary>
    public long Retransmissions;

    /// <summary>Retransmissions of the peer that a transaction answered or absorbed.</summary>
    public long Absorbed;

    /// <summary>Messages that are no SIP (first bytes) and were dropped.</summary>
    public long NotSip;

    /// <summary>Requests answered with 400 because they do not parse.</summary>
    public long Malformed;

    /// <summary>Malformed messages to which no answer can be routed, malformed responses: dropped.</summary>
    public long DroppedMalformed;

    /// <summary>Responses that match no transaction.</summary>
    public long StrayResponses;

    /// <summary>ACKs that match nothing.</summary>
    public long StrayAcks;

    /// <summary>In-dialog requests from an address that has no part in the dialog, answered with 481.</summary>
    public long ForeignSource;

    /// <summary>In-dialog requests from such an address that were asked for the trunk's credentials.</summary>
    public long ForeignChallenged;

    /// <summary>In-dialog requests from such an address that proved them.</summary>
    public long ForeignProven;

    /// <summary>Requests refused statelessly because a table or buffer is full, or the node is overloaded or drains.</summary>
    public long Overload;

    /// <summary>Messages not sent because the destination is multicast, broadcast, unset or ourselves.</summary>
    public long ForbiddenDestination;

    /// <summary>Messages not sent because the send queue or the buffers were full.</summary>
    public long SendDropped;

    /// <summary>Events lost because the queue was full: must stay 0.</summary>
    public long EventsDropped;

    /// <summary>Calls that came in.</summary>
    public long Invites;

    /// <summary>2xx that nobody acknowledged for 64·T1.</summary>
    public long AckTimeouts;

    /// <summary>Calls dropped without any response by the owner's wish.</summary>
    public long Silenced;

    /// <summary>New requests of banned sources, dropped.</summary>
    public long Banned;

    /// <summary>New requests of strangers above their rate: INVITEs answered with 503, others dropped.</summary>
    public long Flooding;

    /// <summary>New requests above the rate of all strangers together: INVITEs answered with 503, others dropped.</summary>
    public long Crowded;

    /// <summary>New requests of strangers that got no answer because of hide_inbound_port.</summary>
    public long Hidden;

    /// <summary>Requests of strangers over UDP that are smaller than their answer would be, dropped.</summary>
    public long Unanswered;

    /// <summary>Refusals that were made to look like all others, for sources that try what works.</summary>
    public long Disguised;

    /// <summary>Requests refused because they were merged (482), out of order (500) or collided (491).</summary>
    public long Collisions;

    /// <summary>Keep-alives (CRLF, empty datagrams) taken.</summary>
    public long KeepAlives;

    /// <summary>Requests of ours whose next hop is a name of which nothing is known: sent over the call's own flow.</summary>
    public long TargetsUnknown;

    /// <summary>Requests of ours that a place did not take, and that went to the next one.</summary>
    public long TargetsFailed;

    /// <summary>Requests of ours that went over TCP because they are too long for a datagram.</summary>
    public long LongRequests;

    /// <summary>Answers about names of next hops.</summary>
    public long TargetLookups;

    /// <summary>Of these, those that nobody gave.</summary>
    public long TargetLookupsFailed;

    /// <summary>Names that were not asked for because the table of names is full.</summary>
    public long TargetNamesFull;

    /// <summary>Server transactions alive.</summary>
    public int ServerTransactions;

    /// <summary>Client transactions alive.</summary>
    public int ClientTransactions;

    /// <summary>Dialogs alive, early ones too.</summary>
    public int Dialogs;

    /// <summary>Message buffers rented.</summary>
    public int Buffers;
}
