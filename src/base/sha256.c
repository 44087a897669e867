/* sha256.c: SHA-256 as FIPS 180-4 gives it, section 6.2. */
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SHA256_BLOCK = 64, SHA256_ROUNDS = 64, SHA256_WORDS = 8 };

static const uint32_t sha256_first[SHA256_WORDS] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t sha256_constants[SHA256_ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, int by)
{
    return (x >> by) | (x << (32 - by));
}

static void sha256_block(uint32_t hash[SHA256_WORDS], const unsigned char *bytes)
{
    uint32_t w[SHA256_ROUNDS];
    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)bytes[4 * t] << 24 | (uint32_t)bytes[4 * t + 1] << 16 | (uint32_t)bytes[4 * t + 2] << 8 |
               (uint32_t)bytes[4 * t + 3];
    for (int t = 16; t < SHA256_ROUNDS; t++) {
        uint32_t s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ (w[t - 15] >> 3);
        uint32_t s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ (w[t - 2] >> 10);
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
    uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3];
    uint32_t e = hash[4], f = hash[5], g = hash[6], h = hash[7];
    for (int t = 0; t < SHA256_ROUNDS; t++) {
        uint32_t sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        uint32_t choice = (e & f) ^ (~e & g);
        uint32_t first = h + sum1 + choice + sha256_constants[t] + w[t];
        uint32_t sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
        h = g;
        g = f;
        f = e;
        e = d + first;
        d = c;
        c = b;
        b = a;
        a = first + sum0 + majority;
    }
    const uint32_t add[SHA256_WORDS] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < SHA256_WORDS; i++)
        hash[i] += add[i];
}

/* sha256_end: with the rest [left] of `count` bytes in all, less than a block. */
static void sha256_end(uint32_t hash[SHA256_WORDS], const void *rest, size_t left, uint64_t count, char out[65])
{
    /* The rest, a one bit, zeros, and the length in bits, big-endian: one block or two. */
    unsigned char tail[2 * SHA256_BLOCK] = {0};
    if (left > 0)
        memcpy(tail, rest, left);
    tail[left] = 0x80;
    size_t blocks = left + 1 + 8 <= SHA256_BLOCK ? 1 : 2;
    uint64_t bits = count * 8;
    for (size_t i = 0; i < 8; i++)
        tail[blocks * SHA256_BLOCK - 1 - i] = (unsigned char)(bits >> (8 * i));
    for (size_t i = 0; i < blocks; i++)
        sha256_block(hash, tail + i * SHA256_BLOCK);
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 64; i++)
        out[i] = digits[(hash[i / 8] >> (28 - 4 * (i % 8))) & 15];
    out[64] = '\0';
}

/* sha256_blocks: as many as there are whole ones; returns the bytes that they were. */
static size_t sha256_blocks(uint32_t hash[SHA256_WORDS], const unsigned char *bytes, size_t count)
{
    size_t done = 0;
    for (; count - done >= SHA256_BLOCK; done += SHA256_BLOCK)
        sha256_block(hash, bytes + done);
    return done;
}

void sha256_hex(const void *bytes, size_t count, char out[65])
{
    uint32_t hash[SHA256_WORDS];
    memcpy(hash, sha256_first, sizeof hash);
    const size_t done = sha256_blocks(hash, bytes, count);
    sha256_end(hash, (const unsigned char *)bytes + done, count - done, count, out);
}

enum status file_sha256(struct context *ctx, const char *path, char out[65])
{
    unsigned char piece[SHA256_BLOCK * 1024];
    uint32_t hash[SHA256_WORDS];
    uint64_t count = 0;
    size_t got;
    FILE *file = fopen(path, "rb");
    if (!file)
        return fail(ctx, STATUS_IO, "%s: cannot be opened: %s", path, strerror(errno));
    memcpy(hash, sha256_first, sizeof hash);
    while ((got = fread(piece, 1, sizeof piece, file)) == sizeof piece)
        count += sha256_blocks(hash, piece, got);
    const bool broken = ferror(file) != 0;
    const size_t done = sha256_blocks(hash, piece, got);
    fclose(file);
    if (broken)
        return fail(ctx, STATUS_IO, "%s: cannot be read: %s", path, strerror(errno));
    sha256_end(hash, piece + done, got - done, count + got, out);
    return STATUS_OK;
}
