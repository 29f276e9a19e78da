using System;
using Google.Protobuf;
using Proxy.LiveKit.Protocol;
using RpcError = Proxy.Participant.RpcError;

namespace Proxy.Participant.Data;

/// <summary>Signal thread. Data packets of a room: DTMF and user data; everything else is another program's business.</summary>
internal static class DataPackets
{
    public const string Reliable = "_reliable";

    public const string Lossy = "_lossy";

    /// <summary>Portable size of one message.</summary>
    public const int PayloadMax = 15_000;

    /// <summary>Largest message that is read, the server's own limit.</summary>
    private const int MessageMax = 65_535;

    /// <summary>Longest digit string that is played out.</summary>
    private const int DigitsMax = 64;

    private const string Digits = "0123456789*#ABCD";

    /// <summary>A packet with one DTMF digit, to everybody.</summary>
    /// <returns>Null for what is no digit.</returns>
    public static byte[]? Dtmf(char digit)
    {
        int code = Digits.IndexOf(char.ToUpperInvariant(digit), StringComparison.Ordinal);
        if (code < 0)
        {
            return null;
        }
        // Letters in lower case: as livekit/sip sends them.
        string text = char.ToLowerInvariant(digit).ToString();
        return new DataPacket { SipDtmf = new SipDTMF { Code = (uint)code, Digit = text } }.ToByteArray();
    }

    public static byte[] User(string topic, ReadOnlySpan<byte> payload, bool isReliable) => new DataPacket
    {
        Kind = isReliable ? DataPacket.Types.Kind.Reliable : DataPacket.Types.Kind.Lossy,
        User = new UserPacket { Payload = ByteString.CopyFrom(payload), Topic = topic },
    }.ToByteArray();

    /// <summary>A call of a method was received.</summary>
    public static byte[] RpcAck(string requestId, string caller) =>
        For(caller, new DataPacket { RpcAck = new RpcAck { RequestId = requestId } });

    /// <summary>The result of a call, or why there is none.</summary>
    public static byte[] RpcResponse(in RpcAnswer answer)
    {
        var response = new RpcResponse { RequestId = answer.RequestId };
        if (answer.Error == RpcError.None)
        {
            response.Payload = answer.Text;
        }
        else
        {
            response.Error = new Proxy.LiveKit.Protocol.RpcError { Code = (uint)answer.Error, Message = answer.Text };
        }
        return For(answer.Caller, new DataPacket { RpcResponse = response });
    }

    private static byte[] For(string identity, DataPacket packet)
    {
        if (identity.Length > 0)
        {
            packet.DestinationIdentities.Add(identity);
        }
        return packet.ToByteArray();
    }

    /// <summary>Reads a message of a data channel.</summary>
    /// <returns>Null when it cannot be read.</returns>
    public static DataPacket? Read(byte[]? message)
    {
        if (message is null || message.Length > MessageMax)
        {
            return null;
        }
        try
        {
            return DataPacket.Parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    /// <summary>The digits to play: the text when it holds some, else the code. <c>w</c> is a pause of half a second.</summary>
    public static string DigitsOf(SipDTMF dtmf)
    {
        Span<char> digits = stackalloc char[DigitsMax];
        int count = 0;
        foreach (char c in dtmf.Digit)
        {
            char upper = char.ToUpperInvariant(c);
            if (count < digits.Length && (Digits.Contains(upper, StringComparison.Ordinal) || upper == 'W'))
            {
                digits[count++] = upper == 'W' ? 'w' : upper;
            }
        }
        if (count == 0 && dtmf.Digit.Length == 0 && dtmf.Code < Digits.Length)
        {
            digits[count++] = Digits[(int)dtmf.Code];
        }
        return new string(digits[..count]);
    }
}
