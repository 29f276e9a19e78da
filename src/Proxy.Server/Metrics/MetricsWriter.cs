using System;
using System.Buffers;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Proxy.Server.Metrics;

/// <summary>One scrape. Writes the Prometheus text format: a HELP and a TYPE line for each name once, then samples.</summary>
/// <remarks>https://prometheus.io/docs/instrumenting/exposition_formats/. Samples of one name must follow each other.</remarks>
public sealed class MetricsWriter(IBufferWriter<byte> output)
{
    private readonly HashSet<string> _named = [];

    /// <param name="name"><c>siproom_noun_unit_total</c>.</param>
    /// <param name="help">One sentence.</param>
    public void Counter(string name, string help, double value) => Sample(name, "counter", help, "", value);

    /// <param name="labels"><c>key="value",key="value"</c>; <see cref="Label"/> quotes.</param>
    public void Counter(string name, string help, string labels, double value) => Sample(name, "counter", help, labels, value);

    public void Gauge(string name, string help, double value) => Sample(name, "gauge", help, "", value);

    public void Gauge(string name, string help, string labels, double value) => Sample(name, "gauge", help, labels, value);

    /// <summary>A histogram from its plain counts.</summary>
    /// <param name="bounds">Upper bounds, ascending; one count more than bounds (the last is what lies above).</param>
    public void Histogram(string name, string help, string labels, ReadOnlySpan<double> bounds, ReadOnlySpan<long> counts, double sum)
    {
        Head(name, "histogram", help);
        string separator = labels.Length == 0 ? "" : ",";
        long total = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            total += counts[i];
            string bound = i < bounds.Length ? bounds[i].ToString("R", CultureInfo.InvariantCulture) : "+Inf";
            Line(name + "_bucket", $"{labels}{separator}le=\"{bound}\"", total);
        }
        Line(name + "_sum", labels, sum);
        Line(name + "_count", labels, total);
    }

    /// <summary>One label, quoted.</summary>
    public static string Label(string key, string value) =>
        $"{key}=\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";

    private void Sample(string name, string type, string help, string labels, double value)
    {
        Head(name, type, help);
        Line(name, labels, value);
    }

    private void Head(string name, string type, string help)
    {
        if (_named.Add(name))
        {
            Write($"# HELP {name} {help}\n# TYPE {name} {type}\n");
        }
    }

    private void Line(string name, string labels, double value)
    {
        string number = value.ToString("R", CultureInfo.InvariantCulture);
        Write(labels.Length == 0 ? $"{name} {number}\n" : $"{name}{{{labels}}} {number}\n");
    }

    private void Write(string text) => Encoding.UTF8.GetBytes(text, output);
}
