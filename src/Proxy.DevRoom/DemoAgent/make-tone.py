#!/usr/bin/env python3
"""Writes the demo agent's pre-encoded 440 Hz tone: tone-pcmu.bin, tone-pcma.bin (5 frames of 160 bytes, 44 whole periods)
and tone-opus.bin (50 frames of 20 ms, each behind a 16-bit big-endian length). RMS level -15.05 dBFS. Needs libopus.so.0."""
import ctypes, math, os, struct

HERE = os.path.dirname(os.path.abspath(__file__))
PEAK = 0.25 * 32768

def tone(rate, first, count):
    return [int(round(PEAK * math.sin(2 * math.pi * 440 * (first + n) / rate))) for n in range(count)]

def ulaw(s):
    sign = 0x80 if s < 0 else 0
    s = min(abs(s), 32635) + 132
    exp = s.bit_length() - 8
    return ~(sign | (exp << 4) | ((s >> (exp + 3)) & 15)) & 0xFF

def alaw(s):
    sign = 0x80 if s >= 0 else 0
    s = min(abs(s) if s >= 0 else abs(s) - 1, 32767)
    exp = max(s.bit_length() - 8, 0)
    v = (s >> 4) if exp == 0 else (exp << 4) | ((s >> (exp + 3)) & 15)
    return (v | sign) ^ 0x55

def write(name, data):
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(data)

write("tone-pcmu.bin", bytes(ulaw(s) for s in tone(8000, 0, 800)))
write("tone-pcma.bin", bytes(alaw(s) for s in tone(8000, 0, 800)))

opus = ctypes.CDLL("libopus.so.0")
opus.opus_encoder_create.restype = ctypes.c_void_p
error = ctypes.c_int()
encoder = ctypes.c_void_p(opus.opus_encoder_create(48000, 1, 2049, ctypes.byref(error)))  # OPUS_APPLICATION_AUDIO
opus.opus_encoder_ctl(encoder, 4002, ctypes.c_int32(32000))  # OPUS_SET_BITRATE
out = b""
buffer = ctypes.create_string_buffer(1500)
for frame in range(150):  # the first 100 let the encoder settle; 50 frames are 440 whole periods
    pcm = (ctypes.c_int16 * 960)(*tone(48000, frame * 960, 960))
    length = opus.opus_encode(encoder, pcm, 960, buffer, len(buffer))
    if frame >= 100:
        out += struct.pack(">H", length) + buffer.raw[:length]
write("tone-opus.bin", out)
