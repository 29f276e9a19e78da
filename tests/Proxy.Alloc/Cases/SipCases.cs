using System;
using System.IO;
using Proxy.Sip.Auth;
using Proxy.Sip.Framing;
using Proxy.Sip.Parsing;
using Proxy.Testing;
using static Proxy.Alloc.CaseList;

namespace Proxy.Alloc.Cases;

/// <summary>SIP views and readers, over the recorded invites.</summary>
internal static class SipCases
{
    public static void Add(CaseList list)
    {
        string[] files = Directory.GetFiles(TestData.Path("invites"), "*.sip");
        byte[][] invites = Array.ConvertAll(files, File.ReadAllBytes);
        byte[] invite = TestData.Bytes("invites", "12-cisco-cube-siprec-multipart.sip");
        byte[] plain = invites[1];
        AddMessage(list, invites);
        AddFields(list, plain, invite);
        AddValues(list);
        AddText(list);
        AddDigest(list);
    }

    private static void AddMessage(CaseList list, byte[][] invites)
    {
        list.Add(nameof(SipMessageView), nameof(SipMessageView.TryParse), () =>
        {
            foreach (byte[] invite in invites)
            {
                Must(SipMessageView.TryParse(invite, out _, out _));
            }
        }).Also(nameof(SipMessageParser), nameof(SipMessageParser.Run)).Also(nameof(SipHeaderNames), nameof(SipHeaderNames.Identify));
        list.Add(nameof(SipMessageView), nameof(SipMessageView.TryGetSdp), () =>
        {
            int found = 0;
            foreach (byte[] invite in invites)
            {
                Must(SipMessageView.TryParse(invite, out SipMessageView view, out _));
                found += view.TryGetSdp(out _) ? 1 : 0;
            }
            Must(found > 20);
        });
        list.Add(nameof(FirstBytes), nameof(FirstBytes.Classify), () => FirstBytes.Classify(invites[0]));
    }

    private static void AddFields(CaseList list, byte[] plain, byte[] multipart)
    {
        list.Add(nameof(SipMessageView), nameof(SipMessageView.Has), () => Must(View(plain).Has(SipHeaderId.Contact)));
        list.Add(nameof(SipMessageView), nameof(SipMessageView.TryGetHeader), () =>
        {
            SipMessageView view = View(plain);
            Must(view.TryGetHeader(SipHeaderId.Contact, out _));
            Must(view.TryGetHeader("contact"u8, out _));
            Must(!view.TryGetHeader("x-none"u8, out _));
        });
        list.Add(nameof(SipMessageView), nameof(SipMessageView.TryGetContact), () => Must(View(plain).TryGetContact(out _)));
        list.Add(nameof(SipMessageView), nameof(SipMessageView.ListContains), () => View(plain).ListContains(SipHeaderId.Allow, "BYE"u8));
        list.Add(nameof(SipHeaderEnumerator), nameof(SipHeaderEnumerator.MoveNext), () =>
        {
            int count = 0;
            foreach (SipHeaderView header in View(plain).Headers)
            {
                count += header.Name.Length;
            }
            Must(count > 20);
        }).Also(nameof(SipHeaderEnumerator), nameof(SipHeaderEnumerator.FieldLength));
        list.Add(nameof(MultipartReader), nameof(MultipartReader.MoveNext), () =>
        {
            SipMessageView view = View(multipart);
            MultipartReader parts = new(view.ContentType, view.Body);
            Must(parts.MoveNext());
            while (parts.MoveNext())
            {
            }
        });
    }

    private static void AddValues(CaseList list)
    {
        list.Add(nameof(CSeqView), nameof(CSeqView.TryParse), () => Must(CSeqView.TryParse("314159 INVITE"u8, out CSeqView view) && view.Method == SipMethod.Invite));
        list.Add(nameof(SipMethods), nameof(SipMethods.Identify), () => Must(SipMethods.Name(SipMethods.Identify("PRACK"u8)).Length == 5))
            .Also(nameof(SipMethods), nameof(SipMethods.Name));
        list.Add(nameof(NameAddrView), nameof(NameAddrView.TryParse), () => Must(NameAddrView.TryParse("\"A\\\"b\" <sip:a@b;x=y>;tag=1;q=\"z\""u8, out NameAddrView view) && view.Tag.Length == 1));
        list.Add(nameof(ViaView), nameof(ViaView.TryParse), () => Must(ViaView.TryParse("SIP/2.0/UDP [2001:db8::1]:5062;rport;branch=z9hG4bKa"u8, out ViaView view) && view.HasMagicCookie));
        list.Add(nameof(SipUriView), nameof(SipUriView.TryParse), () =>
        {
            Must(SipUriView.TryParse("sips:+1%20555:pw@[2001:db8::1]:5061;transport=tcp?a=b"u8, out SipUriView view));
            Span<byte> user = stackalloc byte[32];
            Must(view.UnescapeUser(user) > 0);
            Must(SipUriView.SchemeOf("tel:+1555"u8) == SipUriScheme.Tel);
        }).Also(nameof(SipUriView), nameof(SipUriView.UnescapeUser)).Also(nameof(SipUriView), nameof(SipUriView.SchemeOf))
            .Also(nameof(SipUriView), nameof(SipUriView.HasScheme)).Also(nameof(SipUriView), nameof(SipUriView.TryTakeHost));
        list.Add(nameof(SipParameters), nameof(SipParameters.TryGet), () =>
        {
            ReadOnlySpan<byte> parameters = ";a=1;b=\"x;y\";c"u8;
            Must(SipParameters.TryGet(parameters, "c"u8, out _) && SipParameters.IsValid(parameters));
            while (SipParameters.TryTake(ref parameters, out _, out _))
            {
            }
        }).Also(nameof(SipParameters), nameof(SipParameters.IsValid)).Also(nameof(SipParameters), nameof(SipParameters.TryTake));
        list.Add(nameof(SipValueEnumerator), nameof(SipValueEnumerator.MoveNext), () =>
        {
            int count = 0;
            foreach (ReadOnlySpan<byte> value in new SipValueEnumerator("a, \"b,c\" <sip:d,e>, f"u8))
            {
                count += value.IsEmpty ? 0 : 1;
            }
            Must(count == 3);
        });
        list.Add(nameof(MediaType), nameof(MediaType.Is), () =>
        {
            ReadOnlySpan<byte> value = "Multipart/Mixed ; boundary=x"u8;
            Must(MediaType.IsMultipart(value) && MediaType.Is(value, "multipart/mixed"u8));
            Must(MediaType.Accepts("application/*;q=0.5"u8, "application/sdp"u8) && MediaType.Parameters(value).Length > 0);
        }).Also(nameof(MediaType), nameof(MediaType.IsMultipart)).Also(nameof(MediaType), nameof(MediaType.Accepts)).Also(nameof(MediaType), nameof(MediaType.Parameters));
        list.Add(nameof(ReplacesView), nameof(ReplacesView.TryParse), () => Must(ReplacesView.TryParse("a@b;to-tag=1;from-tag=2;early-only"u8, out _)));
        list.Add(nameof(SipFragment), nameof(SipFragment.Status), () => Must(SipFragment.Status("SIP/2.0 200 OK\r\n"u8) == 200 && SipFragment.Reason("SIP/2.0 200 OK\r\n"u8).Length == 2))
            .Also(nameof(SipFragment), nameof(SipFragment.Reason));
    }

    private static void AddText(CaseList list)
    {
        list.Add(nameof(SipText), nameof(SipText.IsToken), () => Must(SipText.IsToken("INVITE"u8) && !SipText.IsToken("a b"u8)));
        list.Add(nameof(SipText), nameof(SipText.Trim), () => Must(SipText.HasSpace(" a "u8) && SipText.Trim(" a "u8).Length == 1))
            .Also(nameof(SipText), nameof(SipText.HasSpace)).Also(nameof(SipText), nameof(SipText.SkipSpace)).Also(nameof(SipText), nameof(SipText.TrimEnd));
        list.Add(nameof(SipText), nameof(SipText.ReadToken), () =>
        {
            ReadOnlySpan<byte> text = "abc;d"u8;
            Must(SipText.ReadToken(ref text).Length == 3 && SipText.TryTake(ref text, (byte)';'));
        }).Also(nameof(SipText), nameof(SipText.TryTake));
        list.Add(nameof(SipText), nameof(SipText.Same), () => Must(SipText.Same("TAG"u8, "tag"u8)));
        list.Add(nameof(SipText), nameof(SipText.TryReadNumber), () => Must(SipText.TryReadNumber("4294967295"u8, uint.MaxValue, out _)));
        list.Add(nameof(SipText), nameof(SipText.QuotedLength), () => Must(SipText.QuotedLength("\"a\\\"b\" x"u8) == 6 && SipText.ItemLength("\"a,b\", c"u8) == 5))
            .Also(nameof(SipText), nameof(SipText.ItemLength));
    }

    private static void AddDigest(CaseList list)
    {
        byte[] buffer = new byte[1_024];
        list.Add(nameof(DigestAlgorithms), nameof(DigestAlgorithms.TryFind), () =>
            Must(DigestAlgorithms.TryFind("SHA-256-sess"u8, out DigestAlgorithm found, out bool isSession) && isSession && DigestAlgorithms.Name(found).Length > 0))
            .Also(nameof(DigestAlgorithms), nameof(DigestAlgorithms.Name));
        list.Add(nameof(DigestChallenge), nameof(DigestChallenge.Write), () => Must(DigestChallenge.Write(buffer, "a \"realm\""u8, "nonce"u8, DigestAlgorithm.Md5, true, true) > 0));
        list.Add(nameof(DigestChallengeView), nameof(DigestChallengeView.TryParse), () => Must(DigestChallengeView.TryParse(
            "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth,auth-int\", opaque=\"o\", stale=true"u8, out _)));
        list.Add(nameof(DigestCredentialsView), nameof(DigestCredentialsView.TryParse), () => Must(DigestCredentialsView.TryParse(
            "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:a@b\", response=\"00000000000000000000000000000000\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\""u8, out _)));
    }

    private static SipMessageView View(byte[] message)
    {
        Must(SipMessageView.TryParse(message, out SipMessageView view, out _));
        return view;
    }
}
