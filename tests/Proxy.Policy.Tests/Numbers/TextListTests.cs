using System.Linq;
using Proxy.Policy.Numbers;
using Xunit;

namespace Proxy.Policy.Tests.Numbers;

public sealed class TextListTests
{
    [Fact]
    public void What_goes_in_comes_out_in_order_whatever_it_is()
    {
        string[] texts = ["+15550100", "", "zwölf ☎", new string('9', 1_000), "a\0b"];
        TextList list = texts;
        Assert.Equal(5, list.Length);
        Assert.Equal(texts, list.ToArray());
        Assert.Equal(texts, list.ToArray());
        TextList written = ["+1", .. texts];
        Assert.Equal(6, written.Length);
        Assert.Equal("+1", written.First());
        Assert.Equal(0, TextList.Empty.Length);
        Assert.Empty((TextList)[]);
    }
}
