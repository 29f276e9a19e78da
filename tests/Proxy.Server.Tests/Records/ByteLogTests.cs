using System;
using System.Collections.Generic;
using System.Text;
using Proxy.Core.Memory;
using Proxy.Server.Records;
using Xunit;

namespace Proxy.Server.Tests.Records;

public sealed class ByteLogTests
{
    [Fact]
    public void What_is_kept_is_read_back_and_what_made_room_is_gone()
    {
        var log = new ByteLog(bytes: 400, chunkBytes: 100);
        var random = new SeededRandom(5);
        byte[] dice = new byte[1];
        List<(long Position, string Text)> kept = [];
        for (int i = 0; i < 2_000; i++)
        {
            random.Fill(dice);
            string text = new((char)('a' + (i % 26)), dice[0] % 100);
            kept.Add((log.Add(Encoding.ASCII.GetBytes(text)), text));
            foreach ((long position, string expected) in kept)
            {
                string read = Encoding.ASCII.GetString(log.Read(position, expected.Length));
                Assert.Equal(position >= log.Start ? expected : "", read);
            }
            kept.RemoveAll(k => k.Position < log.Start);
            Assert.InRange(kept.Count, 1, 2_000);
        }
    }

    [Fact]
    public void Entry_longer_than_a_chunk_is_not_kept() => Assert.Equal(-1, new ByteLog(400, 100).Add(new byte[101]));
}
