using System;
using Proxy.Core.Memory;
using Proxy.Policy.Numbers;
using Xunit;

namespace Proxy.Policy.Tests.Numbers;

public sealed class NumberTextTests
{
    [Theory]
    [InlineData("+1 (555) 010-0", "+15550100")]
    [InlineData("15550100", "+15550100")]
    [InlineData("0015550100", "+0015550100")]
    [InlineData("alice", "alice")]
    [InlineData("Alice-1", "Alice-1")]
    [InlineData("+1555x", "+1555x")]
    [InlineData("", "")]
    [InlineData("+", "+")]
    [InlineData("++1", "++1")]
    [InlineData("+15550100;npdi", "+15550100")]
    [InlineData("alice;phone-context=x", "alice")]
    [InlineData(";npdi", ";npdi")]
    public void Phone_text_becomes_plus_and_digits_and_names_stay(string text, string normal) =>
        Assert.Equal(normal, NumberText.Normalise(text));

    [Fact]
    public void Normalising_twice_is_normalising_once()
    {
        const string Letters = "0123456789+- ();ab\u00e9\0";
        var random = new SeededRandom(4);
        for (int i = 0; i < 50_000; i++)
        {
            var text = new char[random.Next(70)];
            for (int j = 0; j < text.Length; j++)
            {
                text[j] = Letters[random.Next(random.Next(2) == 0 ? 15 : Letters.Length)];
            }
            string once = NumberText.Normalise(new string(text));
            Assert.Equal(once, NumberText.Normalise(once));
        }
    }

    [Fact]
    public void Text_longer_than_any_number_stays_as_it_is()
    {
        string text = new('1', NumberText.Longest + 1);
        Assert.Same(text, NumberText.Normalise(text));
    }
}
