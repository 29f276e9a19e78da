using System;
using System.Threading;
using Proxy.Bridge.Media;
using Proxy.Core;
using Proxy.Core.Collections;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Server.Linux;
using Proxy.Server.Metrics;

namespace Proxy.Server.Shards;

/// <summary>
/// A shard's thread. Owns the media of its calls: waits for datagrams, deadlines and commands, reads the clock once a
/// turn, and runs the 20 ms grid. Calls are spread over 20 phases of the grid, so that no timer is needed per call.
/// </summary>
public sealed class ShardLoop : IMediaIo, IDisposable
{
    private const int Phases = 20;
    private const long PhaseMicros = 1_000;
    private const int DatagramsPerSocket = 16;

    /// <summary>From this many running calls on the shard wakes with its grid, once a millisecond, and not for each packet.</summary>
    private const int GatherFrom = 10;

    /// <summary>A call that is being set up is not kept waiting: this long after its last step the shard wakes for every packet.</summary>
    private const long SetUpMicros = 20_000;


    private readonly Reactor _reactor = new();
    private readonly Mailbox<ShardCommand> _commands;
    private readonly Mailbox<ShardEvent> _events;
    private readonly PacketSlab _slab;
    private readonly MediaScratch _scratch = new();
    private readonly byte[] _datagram;
    private readonly ShardSlot?[] _slots;
    private readonly int[] _free;
    private readonly PhaseList[] _phases;
    private readonly TimerQueue _timers;
    private readonly SocketTable _sockets;
    private int _freeCount;
    private int _nextPhase;
    private long _nextTick;
    private int _handshakes;
    private int _running;
    private int _ready;
    private long _turn;
    private MonoTime _lastSetUp;
    private volatile bool _isStopping;

    /// <param name="number">0-based.</param>
    /// <param name="events">The signal thread's mailbox.</param>
    /// <param name="sockets">Sockets by handle, shared with the media host, which opens and closes them.</param>
    public ShardLoop(int number, Limits limits, int capacity, Mailbox<ShardEvent> events, SocketTable sockets)
    {
        Number = number;
        Meter = new LoopMeter("shard", number);
        _events = events;
        _sockets = sockets;
        _commands = new Mailbox<ShardCommand>(capacity * 16, RingFull.Fail, _reactor.Waker);
        // A payload for each of about ten packets of two streams a call; untouched slots cost address space only.
        _slab = new PacketSlab(capacity * 24, 1536);
        _datagram = GC.AllocateArray<byte>(limits.DatagramBytes + 64, pinned: true);
        _slots = new ShardSlot?[capacity];
        _free = new int[capacity];
        for (int i = 0; i < capacity; i++)
        {
            _free[i] = capacity - 1 - i;
        }
        _freeCount = capacity;
        _timers = new TimerQueue(capacity);
        _phases = new PhaseList[Phases];
        for (int i = 0; i < Phases; i++)
        {
            _phases[i] = new PhaseList(capacity);
        }
    }

    public int Number { get; }

    public ShardCounters Counters { get; } = new();

    /// <summary>Stalls, turns and allocations of this thread.</summary>
    public LoopMeter Meter { get; }

    /// <summary>Signal thread. Gives the shard something to do.</summary>
    public void Post(in ShardCommand command) => _commands.TryPost(command);

    /// <summary>The thread's body; returns after <see cref="Stop"/>.</summary>
    public void Run()
    {
        MonoTime now = Clock.Now();
        _nextTick = (now.Micros / PhaseMicros) + 1;
        while (!_isStopping)
        {
            MonoTime deadline = Sleep(now);
            now = Clock.Now();
            Meter.TurnStarted(deadline, now);
            _turn++;
            _handshakes = 0;
            // Commands first: a caller's first packet can be here as soon as the command that its 200 went out with.
            ReadCommands(now);
            for (int i = 0; i < _ready; i++)
            {
                Receive(_reactor.Ready(i), now);
            }
            RunGrid(now);
            RunTimers(now);
            Meter.TurnEnded(Clock.Now());
        }
    }

    public void Stop()
    {
        _isStopping = true;
        _reactor.Waker.Wake();
    }

    public bool Send(CallMedia media, MediaSide side, ReadOnlySpan<byte> datagram, in NetEndPoint to)
    {
        UdpSocket? socket = side == MediaSide.Sip ? _slots[media.ShardSlot]!.Sip : _slots[media.ShardSlot]!.Room;
        if (socket is null || !to.IsSet || to.Port == 0)
        {
            return false;
        }
        if (socket.Send(datagram, to) == SendResult.Sent)
        {
            Counters.DatagramsOut++;
            return true;
        }
        Counters.SendFailures++;
        return false;
    }

    public void Emit(CallMedia media, in CallEvent mediaEvent) => _events.TryPost(new ShardEvent(media.Call, mediaEvent));

    public void Dispose()
    {
        _reactor.Dispose();
        _slab.Dispose();
    }

    /// <summary>Waits for work. With few calls a packet ends the sleep; with many the grid alone does, and one wake-up serves all
    /// that came within the millisecond: half of a packet's cost would be the waking (bench/README.md).</summary>
    /// <returns>When the loop wanted to be awake.</returns>
    private MonoTime Sleep(MonoTime now)
    {
        bool gathers = _running >= GatherFrom && now.Micros - _lastSetUp.Micros > SetUpMicros && _ready < _reactor.Capacity;
        if (gathers)
        {
            MonoTime boundary = new(_nextTick * PhaseMicros);
            _ready = _reactor.Nap(boundary);
            return boundary;
        }
        MonoTime deadline = NextDeadline();
        _ready = _reactor.Wait(deadline, now);
        return deadline;
    }

    private MonoTime NextDeadline()
    {
        MonoTime next = _timers.NextDeadline;
        for (int ahead = 0; ahead < Phases; ahead++)
        {
            if (_phases[(_nextTick + ahead) % Phases].Count > 0)
            {
                return MonoTime.Min(next, new MonoTime((_nextTick + ahead) * PhaseMicros));
            }
        }
        return next;
    }

    private void Receive(ulong token, MonoTime now)
    {
        int index = (int)(token >> 1);
        bool isSip = (token & 1) == 0;
        if (_slots[index] is not { } slot)
        {
            return;
        }
        UdpSocket? socket = isSip ? slot.Sip : slot.Room;
        // A packet every 20 ms: asking for a second one would be a system call for nothing. What is left shows in the next turn,
        // and a socket that is ready two turns running is emptied.
        int most = slot.Ready(isSip, _turn) ? DatagramsPerSocket : 1;
        for (int n = 0; n < most && socket is not null && ReferenceEquals(_slots[index], slot); n++)
        {
            // Beyond two handshake steps a turn the rest waits in the socket: other calls' audio goes first.
            bool mustWait = !isSip && _handshakes >= 2 && slot.Media.Room?.State == Proxy.WebRtc.PeerState.Connecting;
            if (mustWait || !socket.TryReceive(_datagram, out int length, out NetEndPoint from))
            {
                break;
            }
            Counters.DatagramsIn++;
            Handle(slot, isSip, _datagram.AsSpan(0, length), from, now);
        }
        Schedule(index);
    }

    private void Handle(ShardSlot slot, bool isSip, Span<byte> datagram, in NetEndPoint from, MonoTime now)
    {
        try
        {
            if (isSip)
            {
                slot.Media.HandleSip(datagram, from, now);
                return;
            }
            if (slot.Media.Room?.State == Proxy.WebRtc.PeerState.Connecting)
            {
                _lastSetUp = now;
                _handshakes += Proxy.WebRtc.PeerConnection.IsDtls(datagram) ? 1 : 0;
            }
            slot.Media.HandleRoom(datagram, from, now);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Break(slot, e);
        }
    }

    private void ReadCommands(MonoTime now)
    {
        while (_commands.TryRead(out ShardCommand command))
        {
            if (command.IsOpen)
            {
                Open(command.Media, now);
                continue;
            }
            int index = command.Media.ShardSlot;
            if (index < 0 || _slots[index] is not { } slot || slot.Media != command.Media)
            {
                continue;
            }
            if (command.Command.Kind == CallCommandKind.Close)
            {
                Close(index, slot, command.Command, now);
                continue;
            }
            Run(slot, command.Command, now);
            Schedule(index);
        }
    }

    private void Run(ShardSlot slot, in CallCommand command, MonoTime now)
    {
        try
        {
            slot.Media.Handle(command, now);
            if (slot.Phase < 0 && slot.Media.IsRunning)
            {
                slot.Phase = _nextPhase++ % Phases;
                _phases[slot.Phase].Add(slot.Media.ShardSlot);
                _running++;
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Break(slot, e);
        }
    }

    private void Open(CallMedia media, MonoTime now)
    {
        if (_freeCount == 0)
        {
            _events.TryPost(new ShardEvent(media.Call, new CallEvent(CallEventKind.Broken, 0, "the shard has no slot left")));
            _events.TryPost(new ShardEvent(media.Call, new CallEvent(CallEventKind.Closed, 0, media.Report)));
            return;
        }
        int index = _free[--_freeCount];
        media.ShardSlot = index;
        var slot = new ShardSlot(media, _sockets.Get(media.Reservation.SipSocket), _sockets.Get(media.Reservation.RoomSocket));
        _slots[index] = slot;
        _reactor.Watch(slot.Sip!.Fd, (ulong)index << 1);
        _reactor.Watch(slot.Room!.Fd, ((ulong)index << 1) | 1);
        Counters.Calls++;
        _lastSetUp = now;
        try
        {
            media.Attach(this, _scratch, _slab);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Break(slot, e);
        }
        Schedule(index);
    }

    private void Close(int index, ShardSlot slot, in CallCommand command, MonoTime now)
    {
        // The sockets are the media host's to close, once the signal thread has read the Closed event.
        _reactor.Forget(slot.Sip!.Fd);
        _reactor.Forget(slot.Room!.Fd);
        if (slot.Phase >= 0)
        {
            _phases[slot.Phase].Remove(index);
            _running--;
        }
        try
        {
            slot.Media.Handle(command, now);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Break(slot, e);
            _events.TryPost(new ShardEvent(slot.Media.Call, new CallEvent(CallEventKind.Closed, 0, slot.Media.Report)));
        }
        _timers.Cancel(index);
        _slots[index] = null;
        _free[_freeCount++] = index;
        Counters.Calls--;
    }

    private void RunGrid(MonoTime now)
    {
        long tick = now.Micros / PhaseMicros;
        if (tick - _nextTick > Phases * 5)
        {
            // A stall of more than 100 ms: what was not sent then is not sent in a burst now.
            Counters.SkippedTicks += tick - _nextTick - Phases;
            _nextTick = tick - Phases;
        }
        for (; _nextTick <= tick; _nextTick++)
        {
            PhaseList phase = _phases[_nextTick % Phases];
            for (int i = 0; i < phase.Count; i++)
            {
                ShardSlot slot = _slots[phase[i]]!;
                try
                {
                    slot.Media.Tick(now);
                }
                catch (Exception e) when (e is not OutOfMemoryException)
                {
                    Break(slot, e);
                }
            }
        }
    }

    private void RunTimers(MonoTime now)
    {
        while (_timers.TryExpire(now, out int index))
        {
            if (_slots[index] is { } slot)
            {
                try
                {
                    slot.Media.HandleTimeout(now);
                }
                catch (Exception e) when (e is not OutOfMemoryException)
                {
                    Break(slot, e);
                    continue;
                }
                Schedule(index);
            }
        }
    }

    private void Schedule(int index)
    {
        if (_slots[index] is { IsBroken: false } slot && slot.Media.IsAttached)
        {
            _timers.Set(index, slot.Media.NextDeadline);
        }
    }

    /// <summary>Our bug ended one call's media; the others go on. The signal thread ends the call and sends Close.</summary>
    private void Break(ShardSlot slot, Exception e)
    {
        if (slot.IsBroken)
        {
            return;
        }
        slot.IsBroken = true;
        Counters.Broken++;
        _timers.Cancel(slot.Media.ShardSlot);
        Emit(slot.Media, new CallEvent(CallEventKind.Broken, 0, e.ToString()));
    }

    private sealed class ShardSlot(CallMedia media, UdpSocket? sip, UdpSocket? room)
    {
        private long _sipTurn;
        private long _roomTurn;

        public CallMedia Media => media;

        public UdpSocket? Sip => sip;

        public UdpSocket? Room => room;

        public int Phase { get; set; } = -1;

        public bool IsBroken { get; set; }

        /// <summary>Notes that a socket is ready in this turn.</summary>
        /// <returns>Whether it was in the turn before.</returns>
        public bool Ready(bool isSip, long turn)
        {
            ref long last = ref isSip ? ref _sipTurn : ref _roomTurn;
            bool isAgain = last == turn - 1;
            last = turn;
            return isAgain;
        }
    }
}
