using System;
using Proxy.Alloc;
using Proxy.Alloc.Cases;

const int WarmUp = 500;
const int Runs = 2_000;

CaseList list = new();
CoreCases.Add(list);
NativeCases.Add(list);
SipCases.Add(list);
SipWritingCases.Add(list);
RtpCases.Add(list);
SrtpCases.Add(list);
JitterCases.Add(list);
PolicyCases.Add(list);
AudioCases.Add(list);
WebRtcCases.Add(list);
ParticipantCases.Add(list);
BridgeCases.Add(list);
ServerCases.Add(list);

int failed = 0;
foreach (Case one in list.Cases)
{
    string result = Measure(one);
    failed += result.Length == 0 ? 0 : 1;
    Console.WriteLine($"{(result.Length == 0 ? "ok  " : "FAIL")} {string.Join(' ', one.Members)}{result}");
}
Console.WriteLine($"{list.Cases.Count - failed} passed, {failed} failed");
return failed == 0 ? 0 : 1;

static string Measure(Case one)
{
    try
    {
        Repeat(one.Run, WarmUp);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Repeat(one.Run, Runs);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return allocated == 0 ? "" : $": {allocated} bytes in {Runs} runs";
    }
#pragma warning disable CA1031 // A case that throws is a failed case, whatever it throws.
    catch (Exception e)
#pragma warning restore CA1031
    {
        return ": " + e.Message;
    }
}

static void Repeat(Action run, int times)
{
    for (int i = 0; i < times; i++)
    {
        run();
    }
}
