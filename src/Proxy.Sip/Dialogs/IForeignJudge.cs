using Proxy.Core.Time;
using Proxy.Sip.Parsing;

namespace Proxy.Sip.Dialogs;

/// <summary>
/// Signal thread. The owner of a dialog, asked about a request inside it from an address that has no part in it. The question is put before anything is
/// kept of the request: who proves nothing costs no state.
/// </summary>
public interface IForeignJudge
{
    /// <param name="request">Its three ids are the dialog's; they are public.</param>
    /// <param name="flow">Where it came from.</param>
    /// <param name="now">The time of this turn.</param>
    /// <param name="challenge">With Ask: the value of WWW-Authenticate or Proxy-Authenticate.</param>
    ForeignVerdict Judge(in SipMessageView request, in SipFlow flow, MonoTime now, out byte[] challenge);
}

/// <summary>One decision. What becomes of a request from elsewhere.</summary>
public enum ForeignVerdict : byte
{
    /// <summary>481, as if there were no such dialog.</summary>
    Refuse,

    /// <summary>Credentials are asked for, as the listener says: with 401 or 407.</summary>
    Ask,

    /// <summary>It proved the trunk's credentials: its address takes part in the dialog from here on.</summary>
    Take,
}
