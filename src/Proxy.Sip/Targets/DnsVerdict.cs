namespace Proxy.Sip.Targets;

/// <summary>Any thread. What a message from the direction of a DNS server is.</summary>
public enum DnsVerdict : byte
{
    /// <summary>No answer to our question, whoever sent it: it is as if it had not come.</summary>
    Foreign,

    /// <summary>Cut: the question is to be asked over TCP.</summary>
    Truncated,

    /// <summary>The server cannot or will not say, or says what cannot be read.</summary>
    Failure,

    Answer,
}
