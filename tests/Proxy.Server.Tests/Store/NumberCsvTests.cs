using System.Collections.Generic;
using Proxy.LiveKit.Protocol;
using Proxy.Server.Store;
using Xunit;

namespace Proxy.Server.Tests.Store;

public sealed class NumberCsvTests
{
    [Fact]
    public void A_stock_is_read_by_its_column_names()
    {
        Assert.Empty(NumberCsv.Read("Number,country_code,locality,type\r\n+1 (555) 0100,us,\"Springfield, \"\"IL\"\"\",mobile\r\n\r\n15550101,US,,\r\n", out IReadOnlyList<PhoneNumber> numbers));
        Assert.Equal(("PN_15550100", "+15550100", "US", "Springfield, \"IL\"", PhoneNumberType.Mobile),
            (numbers[0].Id, numbers[0].E164Format, numbers[0].CountryCode, numbers[0].Locality, numbers[0].NumberType));
        Assert.Equal((2, PhoneNumberStatus.Unspecified), (numbers.Count, numbers[1].Status));
    }

    [Fact]
    public void Every_wrong_line_is_named() => Assert.Equal(
        ["2: 'x' is no number such as +15550100", "4: +15550100 stands here twice"],
        NumberCsv.Read("number\nx\n+15550100\n1 555 0100", out _));

    [Fact]
    public void Without_a_number_column_nothing_is_read() => Assert.Single(NumberCsv.Read("a,b\n1,2", out _));
}
