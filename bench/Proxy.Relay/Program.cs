using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Proxy.Relay;

// siproom-relay: both ends of calls that rtpengine relays, PCMU in plain RTP on one side and DTLS-SRTP on the other; prints one
// JSON object. Exit 0: every packet that was sent came out on the other side, and rtpengine counted the same number.
RelayOptions options;
try
{
    options = RelayOptions.Parse(args);
}
catch (Exception e) when (e is ArgumentException or FormatException)
{
    Console.Error.WriteLine("siproom-relay: " + e.Message);
    return 2;
}

using var run = new RelayRun(options);
try
{
    run.Run();
}
catch (IOException e)
{
    Console.Error.WriteLine("siproom-relay: " + e.Message);
    return 1;
}

string Percentiles(IEnumerable<double> values)
{
    double[] sorted = [.. values.Order()];
    string At(double q) => sorted.Length == 0 ? "null" : sorted[Math.Min(sorted.Length - 1, (int)(q * sorted.Length))].ToString("0.###", CultureInfo.InvariantCulture);
    return $"{{\"p50\":{At(0.5)},\"p95\":{At(0.95)},\"max\":{At(1)}}}";
}

long sent = run.Calls.Sum(c => (long)c.A.Sent + c.B.Sent);
long received = run.Calls.Sum(c => (long)c.A.Received + c.B.Received);
Console.WriteLine(
    $"{{\"calls\":{run.Calls.Count},\"answered\":{run.Calls.Count(c => c.A.Received > 0 && c.B.Received > 0)},\"srtp\":\"{run.Profile}\","
    + $"\"sentPlain\":{run.Calls.Sum(c => (long)c.A.Sent)},\"receivedSecure\":{run.Calls.Sum(c => (long)c.B.Received)},"
    + $"\"sentSecure\":{run.Calls.Sum(c => (long)c.B.Sent)},\"receivedPlain\":{run.Calls.Sum(c => (long)c.A.Received)},"
    + $"\"gaps\":{run.Calls.Sum(c => c.A.Lost + c.B.Lost)},\"lost\":{sent - received},\"enginePackets\":{run.EnginePackets},\"engineErrors\":{run.EngineErrors},"
    + (run.Watched.Length > 0 ? $"\"watched\":{run.Watched}," : "")
    + $"\"toSecureMs\":{Percentiles(run.DelaysToB)},\"toPlainMs\":{Percentiles(run.DelaysToA)}}}");
return sent == received && run.EnginePackets == sent ? 0 : 1;
