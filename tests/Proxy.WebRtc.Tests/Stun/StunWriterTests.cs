using System;
using Proxy.Core.Net;
using Proxy.WebRtc.Stun;
using Xunit;

namespace Proxy.WebRtc.Tests.Stun;

public sealed class StunWriterTests
{
    private static readonly byte[] s_transaction = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    [Fact]
    public void Check_reads_back_as_written()
    {
        using StunIntegrity key = new("password0123456789abcdef");
        byte[] buffer = new byte[200];
        StunWriter writer = new(buffer, StunMessageType.BindingRequest, s_transaction);
        writer.Username("them"u8, "us"u8);
        writer.UseCandidate();
        writer.Role(true, 0x0102030405060708);
        writer.Priority(42);
        int length = writer.Finish(key);

        Assert.True(StunView.TryParse(buffer.AsSpan(0, length), out StunView view, out _));
        Assert.Equal("them:us"u8, view.Username);
        Assert.True(view.HasUseCandidate);
        Assert.True(view.IsFromControlling);
        Assert.Equal(0x0102030405060708UL, view.TieBreaker);
        Assert.Equal(42u, view.Priority);
        Assert.True(view.VerifyIntegrity(key));
        Assert.True(view.VerifyFingerprint());
    }

    [Theory]
    [InlineData("192.0.2.1:32853")]
    [InlineData("[2001:db8::1]:1")]
    public void Mapped_address_survives_the_exclusive_or(string address)
    {
        NetEndPoint mapped = StunViewTests.Point(address);
        byte[] buffer = new byte[200];
        StunWriter writer = new(buffer, StunMessageType.BindingSuccess, s_transaction);
        writer.XorMappedAddress(mapped);
        int length = writer.Finish(null);

        Assert.True(StunView.TryParse(buffer.AsSpan(0, length), out StunView view, out _));
        Assert.True(view.TryGetMappedAddress(out NetEndPoint read));
        Assert.Equal(mapped, read);
    }

    [Fact]
    public void Message_that_does_not_fit_is_length_0()
    {
        using StunIntegrity key = new("password");
        byte[] whole = new byte[200];
        int length = Write(whole, key);
        for (int size = 0; size < length; size++)
        {
            Assert.Equal(0, Write(new byte[size], key));
        }
    }

    private static int Write(Span<byte> buffer, StunIntegrity key)
    {
        StunWriter writer = new(buffer, StunMessageType.BindingError, s_transaction);
        writer.ErrorCode(487);
        writer.UnknownAttribute(7);
        return writer.Finish(key);
    }
}
