using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Rtp.Jitter;
using Proxy.Rtp.Packets;
using static Proxy.Alloc.CaseList;

namespace Proxy.Alloc.Cases;

/// <summary>Order and playout: with losses, duplicates and late packets.</summary>
internal static class JitterCases
{
    public static void Add(CaseList list)
    {
        PacketSlab slab = new(256, 1_500);
        byte[] payload = new byte[1_500];
        JitterBuffer jitter = new(new Limits(), slab, 8_000);
        Feed feed = new();
        list.Add(nameof(JitterBuffer), nameof(JitterBuffer.Push), () =>
        {
            RtpView view = feed.Next();
            if (feed.Count % 37 == 0)
            {
                jitter.TakeOut(view, feed.Now);
            }
            else if (feed.Count % 23 != 0)
            {
                jitter.Push(view, 160, feed.Now);
            }
            jitter.Pop(feed.Now.AddMillis(3), 160, payload, out _);
            jitter.Adjusted(jitter.SurplusMicros(feed.Now) > 1_000_000 ? 1 : 0);
        }).Also(nameof(JitterBuffer), nameof(JitterBuffer.TakeOut)).Also(nameof(JitterBuffer), nameof(JitterBuffer.Pop))
            .Also(nameof(JitterBuffer), nameof(JitterBuffer.SurplusMicros)).Also(nameof(JitterBuffer), nameof(JitterBuffer.Adjusted));

        PassthroughSequencer sequencer = new(new Limits(), slab, 8_000, 1, 1);
        Feed other = new();
        list.Add(nameof(PassthroughSequencer), nameof(PassthroughSequencer.Push), () =>
        {
            RtpView view = other.Next();
            if (other.Count % 37 == 0)
            {
                sequencer.TakeOut(view, other.Now);
            }
            else if (other.Count % 23 != 0)
            {
                sequencer.Push(view, other.Now, out _);
            }
            while (sequencer.TryPoll(other.Now, payload, out _, out _))
            {
            }
        }).Also(nameof(PassthroughSequencer), nameof(PassthroughSequencer.TakeOut)).Also(nameof(PassthroughSequencer), nameof(PassthroughSequencer.TryPoll));

        StreamGate gate = default;
        ushort sequence = 0;
        list.Add(nameof(StreamGate), nameof(StreamGate.Admit), () => gate.Admit(5, ++sequence, MonoTime.FromMillis(sequence * 20), out _));
        WaitWindow window = default;
        long at = 0;
        list.Add(nameof(WaitWindow), nameof(WaitWindow.Note), () =>
        {
            at += 20;
            window.Note(at % 50, MonoTime.FromMillis(at));
            window.Shift(1);
            window.Least(2, MonoTime.FromMillis(at));
            if (at % 1_000 == 0)
            {
                window.Clear();
            }
        }).Also(nameof(WaitWindow), nameof(WaitWindow.Shift)).Also(nameof(WaitWindow), nameof(WaitWindow.Least)).Also(nameof(WaitWindow), nameof(WaitWindow.Clear));
    }

    /// <summary>One owner. A caller's stream, 20 ms a packet.</summary>
    private sealed class Feed
    {
        private readonly byte[] _packet = new byte[172];
        private readonly byte[] _payload = new byte[160];

        public int Count { get; private set; }

        public MonoTime Now => MonoTime.FromMillis(1_000 + (Count * 20));

        public RtpView Next()
        {
            Count++;
            int number = Count % 29 == 0 ? Count - 1 : Count;
            RtpWriter.Write(_packet, new RtpHeader(0, false, (ushort)number, (uint)number * 160, 5), _payload);
            Must(RtpView.TryParse(_packet, out RtpView view, out _));
            return view;
        }
    }
}
