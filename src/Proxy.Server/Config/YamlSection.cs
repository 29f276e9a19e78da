using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using Proxy.Core.Net;
using Proxy.Sip;
using YamlDotNet.RepresentationModel;

namespace Proxy.Server.Config;

/// <summary>
/// One reading. A YAML mapping from which keys are taken by name and type; whatever is wrong becomes a problem and the
/// default stands. Asking for a key makes it known; <see cref="Finish"/> reports all others.
/// </summary>
internal sealed class YamlSection
{
    private readonly YamlMappingNode? _node;
    private readonly string _path;
    private readonly ConfigProblems _problems;
    private readonly Func<string, string?> _environment;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public YamlSection(YamlMappingNode? node, string path, ConfigProblems problems, Func<string, string?> environment)
    {
        _node = node;
        _path = path;
        _problems = problems;
        _environment = environment;
    }

    /// <summary>Every key of the mapping, for maps with free names.</summary>
    public IEnumerable<string> Keys
    {
        get
        {
            foreach (YamlNode key in _node?.Children.Keys ?? [])
            {
                yield return (key as YamlScalarNode)?.Value ?? "";
            }
        }
    }

    public bool Has(string key) => Find(key) is not null;

    /// <summary>Line of a key's value, 0 when absent.</summary>
    public long Line(string key) => Find(key)?.Start.Line ?? 0;

    public string Text(string key, string fallback) => TryText(key, out string text, out _) ? text : fallback;

    public string? TextOrNull(string key) => TryText(key, out string text, out _) && text.Length > 0 ? text : null;

    /// <summary>A text that may also be <c>file:PATH</c>: then the file's first line.</summary>
    public string Secret(string key, string fallback)
    {
        if (!TryText(key, out string text, out long line))
        {
            return fallback;
        }
        if (!text.StartsWith("file:", StringComparison.Ordinal))
        {
            return text;
        }
        try
        {
            return File.ReadAllText(text[5..]).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            _problems.Error(line, $"{Name(key)}: the file '{text[5..]}' cannot be read ({e.Message})");
            return fallback;
        }
    }

    /// <summary>A text without <c>${…}</c> being replaced: for keys that give it a meaning of their own.</summary>
    public string Verbatim(string key, string fallback) => Find(key) is YamlScalarNode { Value: { } value } ? value : fallback;

    public bool Bool(string key, bool fallback)
    {
        if (!TryText(key, out string text, out long line))
        {
            return fallback;
        }
        switch (text.ToLowerInvariant())
        {
            case "true" or "yes" or "on":
                return true;
            case "false" or "no" or "off":
                return false;
            default:
                _problems.Error(line, $"{Name(key)}: '{text}' is neither true nor false");
                return fallback;
        }
    }

    public double Number(string key, double fallback, double least, double most)
    {
        if (!TryText(key, out string text, out long line))
        {
            return fallback;
        }
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= least && value <= most)
        {
            return value;
        }
        _problems.Error(line, string.Create(CultureInfo.InvariantCulture, $"{Name(key)}: '{text}' is not a number from {least} to {most}"));
        return fallback;
    }

    public int Integer(string key, int fallback, int least, int most)
    {
        double value = Number(key, fallback, least, most);
        if (value != Math.Floor(value))
        {
            _problems.Error(Line(key), $"{Name(key)}: '{Text(key, "")}' is not a whole number");
            return fallback;
        }
        return (int)value;
    }

    public ushort Port(string key, ushort fallback) => (ushort)Integer(key, fallback, 1, 65_535);

    public TimeSpan Duration(string key, TimeSpan fallback)
    {
        if (!TryText(key, out string text, out long line))
        {
            return fallback;
        }
        if (GoDuration.TryParse(text, out TimeSpan value))
        {
            return value;
        }
        _problems.Error(line, $"{Name(key)}: '{text}' is not a time such as 15s, 1m30s or 200ms");
        return fallback;
    }

    public PortSpan Ports(string key, PortSpan fallback)
    {
        if (!TryText(key, out string text, out long line))
        {
            return fallback;
        }
        if (TryParsePorts(text, out PortSpan span))
        {
            return span;
        }
        _problems.Error(line, $"{Name(key)}: '{text}' is not a range of ports such as 10000-20000");
        return fallback;
    }

    public static bool TryParsePorts(string text, out PortSpan span)
    {
        span = default;
        int dash = text.IndexOf('-', StringComparison.Ordinal);
        string first = dash < 0 ? text : text[..dash];
        string last = dash < 0 ? text : text[(dash + 1)..];
        if (!ushort.TryParse(first.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out ushort from)
            || !ushort.TryParse(last.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out ushort to) || from == 0 || to < from)
        {
            return false;
        }
        span = new PortSpan(from, to);
        return true;
    }

    public NetEndPoint EndPoint(string key, NetEndPoint fallback)
    {
        if (!TryText(key, out string text, out long line))
        {
            return fallback;
        }
        if (NetEndPoint.TryParse(text.StartsWith(':') ? "0.0.0.0" + text : text, out NetEndPoint endPoint))
        {
            return endPoint;
        }
        _problems.Error(line, $"{Name(key)}: '{text}' is not an address and port such as 127.0.0.1:7888");
        return fallback;
    }

    public NetAddress Address(string key)
    {
        if (!TryText(key, out string text, out long line) || text.Length == 0)
        {
            return default;
        }
        if (!NetAddress.TryParse(text, out NetAddress address))
        {
            _problems.Error(line, $"{Name(key)}: '{text}' is not an IP address");
        }
        return address;
    }

    /// <summary>CIDR blocks or single addresses.</summary>
    public IReadOnlyList<SipSourceRange> Networks(string key)
    {
        List<SipSourceRange> networks = [];
        foreach ((string text, long line) in TextsWithLines(key))
        {
            int slash = text.IndexOf('/', StringComparison.Ordinal);
            string address = slash < 0 ? text : text[..slash];
            int bits = -1;
            bool isRead = NetAddress.TryParse(address, out NetAddress network)
                && (slash < 0 || int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out bits))
                && bits <= (network.IsV6 ? 128 : 32);
            if (isRead)
            {
                networks.Add(new SipSourceRange(network, bits >= 0 ? bits : network.IsV6 ? 128 : 32));
            }
            else
            {
                _problems.Error(line, $"{Name(key)}: '{text}' is not a network such as 203.0.113.0/24");
            }
        }
        return networks;
    }

    /// <summary>One of several words.</summary>
    public string Choice(string key, string fallback, params ReadOnlySpan<string> words)
    {
        if (!TryText(key, out string text, out long line))
        {
            return fallback;
        }
        if (words.Contains(text))
        {
            return text;
        }
        _problems.Error(line, $"{Name(key)}: '{text}' is unknown; known are {string.Join(", ", words.ToArray())}");
        return fallback;
    }

    /// <summary>A list of texts; a single text is a list of one.</summary>
    public IReadOnlyList<string> Texts(string key) => TextsWithLines(key).ConvertAll(item => item.Text);

    /// <summary>A nested mapping; empty when absent.</summary>
    public YamlSection Section(string key)
    {
        YamlNode? node = Find(key);
        if (node is not null and not YamlMappingNode && !IsNull(node))
        {
            _problems.Error(node.Start.Line, $"{Name(key)}: must hold keys of its own");
        }
        return new YamlSection(node as YamlMappingNode, Name(key), _problems, _environment);
    }

    /// <summary>A list of nested mappings.</summary>
    public IReadOnlyList<YamlSection> Sections(string key)
    {
        List<YamlSection> sections = [];
        switch (Find(key))
        {
            case YamlSequenceNode list:
                foreach (YamlNode item in list.Children)
                {
                    sections.Add(new YamlSection(item as YamlMappingNode, $"{Name(key)}[{sections.Count}]", _problems, _environment));
                }
                break;
            case { } other when !IsNull(other):
                _problems.Error(other.Start.Line, $"{Name(key)}: must be a list");
                break;
        }
        return sections;
    }

    /// <summary>livekit/sip's keys that have no effect here: one notice each when present.</summary>
    public void Ignored(string why, params ReadOnlySpan<string> keys)
    {
        foreach (string key in keys)
        {
            if (Find(key) is { } node)
            {
                _problems.Notice(node.Start.Line, $"{Name(key)} has no effect here: {why}");
            }
        }
    }

    public void Error(string key, string text) => _problems.Error(Line(key), $"{Name(key)}: {text}");

    /// <summary>Reports every key that nobody asked for.</summary>
    public void Finish()
    {
        foreach (YamlNode key in _node?.Children.Keys ?? [])
        {
            string name = (key as YamlScalarNode)?.Value ?? "";
            if (!_known.Contains(name))
            {
                string? nearest = ConfigProblems.Nearest(name, _known);
                string hint = nearest is null ? "" : $"; did you mean '{nearest}'?";
                _problems.Error(key.Start.Line, $"unknown key '{Name(name)}'{hint}");
            }
        }
    }

    private List<(string Text, long Line)> TextsWithLines(string key)
    {
        List<(string, long)> texts = [];
        switch (Find(key))
        {
            case YamlSequenceNode list:
                foreach (YamlNode item in list.Children)
                {
                    if (item is YamlScalarNode scalar)
                    {
                        texts.Add((Expand(key, scalar), scalar.Start.Line));
                    }
                    else
                    {
                        _problems.Error(item.Start.Line, $"{Name(key)}: must be a list of plain values");
                    }
                }
                break;
            case YamlScalarNode { Value.Length: > 0 } single when !IsNull(single):
                texts.Add((Expand(key, single), single.Start.Line));
                break;
            case YamlMappingNode mapping:
                _problems.Error(mapping.Start.Line, $"{Name(key)}: must be a list");
                break;
        }
        return texts;
    }

    private bool TryText(string key, out string text, out long line)
    {
        text = "";
        line = 0;
        YamlNode? node = Find(key);
        if (node is null || IsNull(node))
        {
            return false;
        }
        line = node.Start.Line;
        if (node is not YamlScalarNode scalar)
        {
            _problems.Error(line, $"{Name(key)}: must be a plain value");
            return false;
        }
        text = Expand(key, scalar);
        return true;
    }

    private YamlNode? Find(string key)
    {
        _known.Add(key);
        return _node is not null && _node.Children.TryGetValue(new YamlScalarNode(key), out YamlNode? node) ? node : null;
    }

    private string Name(string key) => _path.Length == 0 ? key : $"{_path}.{key}";

    private static bool IsNull(YamlNode node) =>
        node is YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain, Value: null or "" or "~" or "null" };

    private string Expand(string key, YamlScalarNode scalar)
    {
        string text = scalar.Value ?? "";
        StringBuilder? expanded = null;
        int at = 0;
        while (text.IndexOf("${", at, StringComparison.Ordinal) is int open and >= 0 && text.IndexOf('}', open) is int close and > 0)
        {
            string name = text[(open + 2)..close];
            string? value = _environment(name);
            if (value is null)
            {
                _problems.Error(scalar.Start.Line, $"{Name(key)}: the environment has no variable '{name}'");
            }
            expanded ??= new StringBuilder();
            expanded.Append(text, at, open - at).Append(value);
            at = close + 1;
        }
        return expanded is null ? text : expanded.Append(text, at, text.Length - at).ToString();
    }
}
