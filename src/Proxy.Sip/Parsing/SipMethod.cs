namespace Proxy.Sip.Parsing;

/// <summary>Any thread. Methods that have a name here; any other token is <see cref="Unknown"/>.</summary>
public enum SipMethod : byte
{
    Unknown,
    Invite,
    Ack,
    Bye,
    Cancel,
    Options,
    Register,
    Prack,
    Subscribe,
    Notify,
    Publish,
    Info,
    Refer,
    Message,
    Update,
}
