using System;
using System.Threading;

namespace Proxy.Server.Hook;

/// <summary>
/// Any thread. Leaves a hook alone that failed several times in a row; after a rest one question goes out, and its answer
/// opens or closes the way for all.
/// </summary>
/// <param name="failures">In a row.</param>
/// <param name="rest">How long nobody is asked.</param>
/// <param name="time">Measures the rest.</param>
public sealed class HookBreaker(int failures, TimeSpan rest, TimeProvider time)
{
    private readonly Lock _gate = new();
    private int _failed;
    private long _openedAt;
    private bool _isProbing;

    /// <summary>Nobody but a probe gets through.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_gate)
            {
                return _failed >= failures;
            }
        }
    }

    /// <returns>False while the hook is left alone. After true, say how it went: one of the three below.</returns>
    public bool TryEnter()
    {
        lock (_gate)
        {
            if (_failed < failures)
            {
                return true;
            }
            if (_isProbing || time.GetElapsedTime(_openedAt) < rest)
            {
                return false;
            }
            _isProbing = true;
            return true;
        }
    }

    public void Succeeded()
    {
        lock (_gate)
        {
            _failed = 0;
            _isProbing = false;
        }
    }

    public void Failed()
    {
        lock (_gate)
        {
            _failed = Math.Min(_failed + 1, failures);
            _isProbing = false;
            if (_failed >= failures)
            {
                _openedAt = time.GetTimestamp();
            }
        }
    }

    /// <summary>Nothing was learnt: the caller gave up before the hook had its time.</summary>
    public void Abandoned()
    {
        lock (_gate)
        {
            _isProbing = false;
        }
    }
}
