using System;
using Proxy.Native.OpenSsl;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Rtcp;
using Proxy.Rtp.Srtp;
using static Proxy.Alloc.CaseList;

namespace Proxy.Alloc.Cases;

/// <summary>SRTP in every profile, and its parts.</summary>
internal static class SrtpCases
{
    public static void Add(CaseList list)
    {
        foreach (SrtpProfile profile in Enum.GetValues<SrtpProfile>())
        {
            AddRtp(list, profile);
            AddRtcp(list, profile);
            AddTransform(list, profile);
        }
        ReplayWindow window = default;
        ulong index = 0;
        list.Add(nameof(ReplayWindow), nameof(ReplayWindow.Check), () =>
        {
            index += 3;
            Must(window.Check(index) == SrtpVerdict.Ok);
            window.Accept(index);
            Must(window.Check(index) == SrtpVerdict.Replayed);
        }).Also(nameof(ReplayWindow), nameof(ReplayWindow.Accept));
        SrtpSources sources = new(4, mayEvict: true);
        sources.Add(1);
        sources.Add(2);
        list.Add(nameof(SrtpSources), nameof(SrtpSources.Find), () =>
        {
            int place = sources.Find(2);
            sources.Touch(place);
            Must(sources.At(place).Ssrc == 2 && sources.Find(9) < 0);
        }).Also(nameof(SrtpSources), nameof(SrtpSources.Touch)).Also(nameof(SrtpSources), nameof(SrtpSources.At));
    }

    private static void AddRtp(CaseList list, SrtpProfile profile)
    {
        (SrtpSession near, SrtpSession far) = Pair(profile);
        byte[] packet = new byte[220];
        byte[] payload = new byte[160];
        ushort sequence = 0;
        list.Add(nameof(SrtpSession), nameof(SrtpSession.ProtectRtp), () =>
        {
            int length = near.ProtectRtp(packet, RtpWriter.Write(packet, new RtpHeader(0, false, ++sequence, sequence * 160u, 5), payload, 1, 30));
            Must(length > 0 && far.UnprotectRtp(packet.AsSpan(0, length), out _) == SrtpVerdict.Ok);
            Must(far.UnprotectRtp(packet.AsSpan(0, length), out _) != SrtpVerdict.Ok);
        }).Also(nameof(SrtpSession), nameof(SrtpSession.UnprotectRtp));
    }

    private static void AddRtcp(CaseList list, SrtpProfile profile)
    {
        (SrtpSession near, SrtpSession far) = Pair(profile);
        byte[] packet = new byte[220];
        byte[] cname = "cname"u8.ToArray();
        list.Add(nameof(SrtpSession), nameof(SrtpSession.ProtectRtcp), () =>
        {
            int length = near.ProtectRtcp(packet, RtcpWriter.WriteReport(packet, 5, null, default, cname));
            Must(length > 0 && far.UnprotectRtcp(packet.AsSpan(0, length), out _) == SrtpVerdict.Ok);
        }).Also(nameof(SrtpSession), nameof(SrtpSession.UnprotectRtcp));
    }

    private static void AddTransform(CaseList list, SrtpProfile profile)
    {
        SrtpParameters parameters = SrtpParameters.Of(profile);
        byte[] salt = new byte[parameters.SaltBytes];
        using EvpCipher master = SrtpKeys.Open(new byte[parameters.KeyBytes]);
        SrtpTransform send = new(parameters, master, salt, false, true);
        SrtpTransform receive = new(parameters, master, salt, false, false);
        SrtpTransform sendReports = new(parameters, master, salt, true, true);
        SrtpTransform receiveReports = new(parameters, master, salt, true, false);
        byte[] packet = new byte[12 + 160 + send.TagBytes];
        byte[] report = new byte[28 + 4 + sendReports.TagBytes];
        ulong index = 0;
        list.Add(nameof(SrtpTransform), nameof(SrtpTransform.ProtectRtp), () =>
        {
            Must(send.ProtectRtp(packet, 12, 5, ++index) && receive.UnprotectRtp(packet, 12, 5, index));
        }).Also(nameof(SrtpTransform), nameof(SrtpTransform.UnprotectRtp));
        uint count = 0;
        list.Add(nameof(SrtpTransform), nameof(SrtpTransform.ProtectRtcp), () =>
        {
            Must(sendReports.ProtectRtcp(report, 5, ++count) && receiveReports.UnprotectRtcp(report, 5, count));
        }).Also(nameof(SrtpTransform), nameof(SrtpTransform.UnprotectRtcp));
    }

    private static (SrtpSession Near, SrtpSession Far) Pair(SrtpProfile profile)
    {
        byte[] one = new byte[SrtpParameters.Of(profile).KeyAndSaltBytes];
        byte[] two = new byte[one.Length];
        two[0] = 1;
        return (new SrtpSession(profile, one, two), new SrtpSession(profile, two, one));
    }
}
