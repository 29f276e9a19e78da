namespace Proxy.Bridge;

/// <summary>Who ended a call, or refused it.</summary>
public enum EndedBy
{
    Caller,
    Room,
    Us,
}

/// <summary>Signal thread. How a call attempt ended: one for each INVITE that reached us.</summary>
/// <param name="By">Who ended it.</param>
/// <param name="Code">Machine-readable, stable: <c>no_trunk</c>, <c>hangup</c>, <c>media_timeout</c>, …</param>
/// <param name="Sentence">For people; names what did not hold.</param>
/// <param name="SipStatus">Final response of the INVITE; 200 for an answered call.</param>
/// <param name="Q850">Cause for the Reason header of our BYE or refusal; 0 for none (RFC 3326).</param>
public readonly record struct Outcome(EndedBy By, string Code, string Sentence, int SipStatus, int Q850)
{
    /// <summary>The sentence of a normal end.</summary>
    public static Outcome Hangup(EndedBy by, string sentence) => new(by, "hangup", sentence, 200, 16);
}
