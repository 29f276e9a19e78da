using System;

namespace Proxy.Sip.Writing;

/// <summary>Any thread. Usual reason phrases (RFC 3261 §21 and its extensions).</summary>
public static class ReasonPhrases
{
    /// <param name="status">100–699.</param>
    public static ReadOnlySpan<byte> Of(int status) => status switch
    {
        100 => "Processing"u8,
        180 => "Ringing"u8,
        181 => "Call Is Being Forwarded"u8,
        182 => "Queued"u8,
        183 => "Session Progress"u8,
        200 => "OK"u8,
        202 => "Accepted"u8,
        302 => "Moved Temporarily"u8,
        400 => "Bad Request"u8,
        401 => "Unauthorized"u8,
        403 => "Forbidden"u8,
        404 => "Not Found"u8,
        405 => "Method Not Allowed"u8,
        406 => "Not Acceptable"u8,
        407 => "Proxy Authentication Required"u8,
        408 => "Request Timeout"u8,
        413 => "Request Entity Too Large"u8,
        415 => "Unsupported Media Type"u8,
        416 => "Unsupported URI Scheme"u8,
        420 => "Bad Extension"u8,
        421 => "Extension Required"u8,
        422 => "Session Interval Too Small"u8,
        480 => "Temporarily Unavailable"u8,
        481 => "Call/Transaction Does Not Exist"u8,
        482 => "Loop Detected"u8,
        483 => "Too Many Hops"u8,
        484 => "Address Incomplete"u8,
        486 => "Busy Here"u8,
        487 => "Request Terminated"u8,
        488 => "Not Acceptable Here"u8,
        489 => "Bad Event"u8,
        491 => "Request Pending"u8,
        500 => "Server Internal Error"u8,
        501 => "Not Implemented"u8,
        503 => "Service Unavailable"u8,
        504 => "Server Time-out"u8,
        505 => "Version Not Supported"u8,
        513 => "Message Too Large"u8,
        600 => "Busy Everywhere"u8,
        603 => "Decline"u8,
        604 => "Does Not Exist Anywhere"u8,
        _ => ClassOf(status),
    };

    private static ReadOnlySpan<byte> ClassOf(int status) => (status / 100) switch
    {
        1 => "Progress"u8,
        2 => "OK"u8,
        3 => "Redirected"u8,
        4 => "Request Failure"u8,
        5 => "Server Failure"u8,
        _ => "Global Failure"u8,
    };
}
