using System;
using System.Buffers.Binary;
using System.Numerics;
using Proxy.Core.Memory;

namespace Proxy.Sip.Transactions;

/// <summary>
/// Any thread. SipHash-1-3 over several texts under a secret key: nobody outside can make two keys meet, so that 64 bits
/// are taken for identity in the transaction table.
/// </summary>
internal readonly struct KeyedHash
{
    private readonly ulong _k0;
    private readonly ulong _k1;

    public KeyedHash(IRandom random)
    {
        Span<byte> key = stackalloc byte[16];
        random.Fill(key);
        _k0 = BinaryPrimitives.ReadUInt64LittleEndian(key);
        _k1 = BinaryPrimitives.ReadUInt64LittleEndian(key[8..]);
    }

    public Sum Begin() => new(_k0, _k1);

    /// <summary>One owner. A sum in the making.</summary>
    public ref struct Sum
    {
        private ulong _v0;
        private ulong _v1;
        private ulong _v2;
        private ulong _v3;

        public Sum(ulong k0, ulong k1)
        {
            _v0 = k0 ^ 0x736f6d6570736575;
            _v1 = k1 ^ 0x646f72616e646f6d;
            _v2 = k0 ^ 0x6c7967656e657261;
            _v3 = k1 ^ 0x7465646279746573;
        }

        /// <summary>Adds one text; its length is part of the sum, so that neighbours cannot trade bytes.</summary>
        public void Add(ReadOnlySpan<byte> text)
        {
            int length = text.Length;
            while (text.Length >= 8)
            {
                Mix(BinaryPrimitives.ReadUInt64LittleEndian(text));
                text = text[8..];
            }
            ulong last = (ulong)length << 56;
            for (int i = 0; i < text.Length; i++)
            {
                last |= (ulong)text[i] << (8 * i);
            }
            Mix(last);
        }

        public void Add(ulong number) => Mix(number);

        public ulong Finish()
        {
            _v2 ^= 0xFF;
            Round();
            Round();
            Round();
            return _v0 ^ _v1 ^ _v2 ^ _v3;
        }

        private void Mix(ulong word)
        {
            _v3 ^= word;
            Round();
            _v0 ^= word;
        }

        private void Round()
        {
            _v0 += _v1;
            _v1 = BitOperations.RotateLeft(_v1, 13) ^ _v0;
            _v0 = BitOperations.RotateLeft(_v0, 32);
            _v2 += _v3;
            _v3 = BitOperations.RotateLeft(_v3, 16) ^ _v2;
            _v0 += _v3;
            _v3 = BitOperations.RotateLeft(_v3, 21) ^ _v0;
            _v2 += _v1;
            _v1 = BitOperations.RotateLeft(_v1, 17) ^ _v2;
            _v2 = BitOperations.RotateLeft(_v2, 32);
        }
    }
}
