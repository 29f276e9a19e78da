using System;

namespace Proxy.Sdp;

/// <summary>What became of reading a session description.</summary>
public enum SdpVerdict : byte
{
    Ok,

    /// <summary>No line at all.</summary>
    Empty,

    /// <summary>More than <see cref="SdpView.MaxBytes"/> bytes or <see cref="SdpView.MaxLines"/> lines.</summary>
    TooLong,

    /// <summary>The first line is not <c>v=0</c>.</summary>
    BadVersion,

    /// <summary>More than <see cref="SdpView.MaxMedia"/> m= lines.</summary>
    TooManyMedia,

    /// <summary>An m= line without kind, port 0–65535, profile or format.</summary>
    BadMediaLine,
}

/// <summary>
/// One owner. A session description, borrowed from the message that holds it. Takes lines in any order, bare LF, a missing
/// last line end, missing s= and t=, and skips lines that it does not know.
/// </summary>
/// <remarks>RFC 8866; wrong order: AudioCodes MP-11x; missing final CRLF: Sonus.</remarks>
public readonly ref struct SdpView
{
    /// <summary>Largest description, bytes.</summary>
    public const int MaxBytes = 32 * 1024;

    /// <summary>Most lines: each payload type costs a walk over them, and 32 KiB of the shortest would hold sixteen thousand.</summary>
    public const int MaxLines = 1_024;

    /// <summary>Most m= lines.</summary>
    public const int MaxMedia = 32;

    /// <summary>Attributes read per section; later ones are as if absent.</summary>
    public const int MaxAttributes = 256;

    /// <summary>Candidates read per section; later ones are as if absent.</summary>
    public const int MaxCandidates = 64;

    private readonly ReadOnlySpan<byte> _session;
    private readonly ReadOnlySpan<byte> _media;

    private SdpView(ReadOnlySpan<byte> text, int mediaStart, int mediaCount)
    {
        Text = text;
        _session = text[..mediaStart];
        _media = text[mediaStart..];
        MediaCount = mediaCount;
    }

    /// <summary>The whole text.</summary>
    public ReadOnlySpan<byte> Text { get; }

    /// <summary>Number of m= lines, 0–<see cref="MaxMedia"/>.</summary>
    public int MediaCount { get; }

    /// <summary>Lines before the first m= line.</summary>
    public SdpLines SessionLines => new(_session);

    /// <summary>The media sections in order, for foreach.</summary>
    public SdpMediaSections Media => new(_session, _media);

    /// <summary>The value of o=, or empty.</summary>
    public ReadOnlySpan<byte> Origin => SessionLine((byte)'o');

    /// <summary>The value of s=, or empty.</summary>
    public ReadOnlySpan<byte> SessionName => SessionLine((byte)'s');

    /// <summary>The value of t=, or empty.</summary>
    public ReadOnlySpan<byte> Timing => SessionLine((byte)'t');

    /// <summary>The session's c= line.</summary>
    public SdpConnection Connection => SdpText.ReadConnection(SessionLine((byte)'c'));

    /// <summary>The address of the o= line: where the description was made, not where media goes.</summary>
    public SdpConnection OriginAddress
    {
        get
        {
            ReadOnlySpan<byte> rest = Origin;
            SdpText.NextWord(ref rest);
            SdpText.NextWord(ref rest);
            SdpText.NextWord(ref rest);
            return SdpText.ReadConnection(rest);
        }
    }

    /// <summary>Reads a description.</summary>
    /// <param name="text">UTF-8, borrowed; the view must not outlive it.</param>
    /// <param name="view">Valid only when the verdict is <see cref="SdpVerdict.Ok"/>.</param>
    /// <returns>Ok, Empty, TooLong, BadVersion, TooManyMedia or BadMediaLine.</returns>
    public static SdpVerdict TryParse(ReadOnlySpan<byte> text, out SdpView view)
    {
        view = default;
        if (text.Length > MaxBytes || text.Count((byte)'\n') > MaxLines)
        {
            return SdpVerdict.TooLong;
        }
        SdpLines lines = new(text);
        if (!lines.MoveNext())
        {
            return SdpVerdict.Empty;
        }
        if (lines.Current.Type != (byte)'v' || !lines.Current.Value.SequenceEqual("0"u8))
        {
            return SdpVerdict.BadVersion;
        }
        int first = SdpMediaSections.FindMedia(text, 0);
        int count = 0;
        SdpMediaSections sections = new(text[..first], text[first..]);
        while (sections.MoveNext())
        {
            if (!sections.Current.IsWellFormed)
            {
                return SdpVerdict.BadMediaLine;
            }
            if (++count > MaxMedia)
            {
                return SdpVerdict.TooManyMedia;
            }
        }
        view = new SdpView(text, first, count);
        return SdpVerdict.Ok;
    }

    /// <summary>Finds the first session attribute of a name.</summary>
    public bool TryGetAttribute(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        SdpAttributes attributes = Attributes(name);
        bool isFound = attributes.MoveNext();
        value = attributes.Value;
        return isFound;
    }

    /// <summary>Session attributes of one name, or all of them when <paramref name="name"/> is empty.</summary>
    public SdpAttributes Attributes(ReadOnlySpan<byte> name = default) => new(_session, name);

    private ReadOnlySpan<byte> SessionLine(byte type)
    {
        foreach (SdpLine line in SessionLines)
        {
            if (line.Type == type)
            {
                return line.Value;
            }
        }
        return default;
    }
}
