using Proxy.Core.Collections;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using static Proxy.Alloc.CaseList;

namespace Proxy.Alloc.Cases;

internal static class CoreCases
{
    public static void Add(CaseList list)
    {
        PacketSlab slab = new(8, 1_500);
        list.Add(nameof(PacketSlab), nameof(PacketSlab.TryRent), () =>
        {
            int slot = slab.TryRent();
            slab.Get(slot)[0] = 1;
            Must(slab.Address(slot) != 0);
            slab.Return(slot);
        }).Also(nameof(PacketSlab), nameof(PacketSlab.Get)).Also(nameof(PacketSlab), nameof(PacketSlab.Return));

        TimerQueue timers = new(64);
        long at = 0;
        list.Add(nameof(TimerQueue), nameof(TimerQueue.Set), () =>
        {
            at++;
            timers.Set(1, new MonoTime(at));
            timers.Set(2, new MonoTime(at + 5));
            timers.Set(1, new MonoTime(at - 1));
            timers.Cancel(2);
            Must(timers.TryExpire(new MonoTime(at), out int key) && key == 1);
        }).Also(nameof(TimerQueue), nameof(TimerQueue.Cancel)).Also(nameof(TimerQueue), nameof(TimerQueue.TryExpire));

        Ring<object> ring = new(4, RingFull.DropNewest);
        object item = new();
        list.Add(nameof(Ring<object>), nameof(Ring<object>.TryWrite), () =>
        {
            while (ring.TryWrite(item))
            {
            }
            while (ring.TryRead(out _))
            {
            }
        }).Also(nameof(Ring<object>), nameof(Ring<object>.TryRead));
    }
}
