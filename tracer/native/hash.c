/* SPDX-License-Identifier: MIT */
#include "hash.h"

#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static uint64_t seed[2];

void hash_seed(uint64_t otherwise)
{
	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		seed[0] = otherwise ^ (uint64_t)getpid();
}

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

struct sip {
	uint64_t v0, v1, v2, v3;
};

static void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

/* SipHash-1-3. */
uint64_t hash_of(uint64_t number, const char *text)
{
	struct sip s = { seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d,
			 seed[0] ^ 0x6c7967656e657261, seed[1] ^ 0x7465646279746573 };
	size_t length = strlen(text);
	uint64_t word = number;

	for (size_t done = 0;; done += sizeof(word)) {
		size_t chunk = length - done < sizeof(word) ? length - done : sizeof(word);

		s.v3 ^= word;
		sip_round(&s);
		s.v0 ^= word;
		if (!chunk)
			break;
		word = 0;
		memcpy(&word, text + done, chunk);
		if (chunk < sizeof(word))
			length = done + sizeof(word); /* this word is the last */
	}
	s.v2 ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	word = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	return word ? word : 1;
}
