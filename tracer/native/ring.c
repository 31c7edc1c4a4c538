/* SPDX-License-Identifier: MIT */
#include "ring.h"

#include <string.h>
#include <sys/mman.h>

struct ring *ring_new(size_t size)
{
	struct ring *ring = mmap(NULL, sizeof(*ring) + size, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (ring == MAP_FAILED)
		return NULL;
	ring->size = size;
	return ring;
}

void ring_free(struct ring *ring)
{
	if (ring)
		munmap(ring, sizeof(*ring) + ring->size);
}

size_t ring_fill(struct ring *ring)
{
	return atomic_load_explicit(&ring->written, memory_order_acquire) -
	       atomic_load_explicit(&ring->read, memory_order_acquire);
}

struct record *ring_reserve(struct ring *ring, size_t size, size_t spare)
{
	uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
	size_t offset = written & (ring->size - 1);
	size_t tail = ring->size - offset;
	size_t filler = tail < size ? tail : 0;

	if (size > ring->size / 4 || ring_fill(ring) + filler + size + spare > ring->size)
		return NULL;
	if (filler) {
		struct record *record = (struct record *)(ring->data + offset);

		*record = (struct record){ .size = (uint32_t)filler };
		atomic_store_explicit(&ring->written, written + filler, memory_order_release);
		offset = 0;
	}
	struct record *record = (struct record *)(ring->data + offset);

	record->size = (uint32_t)size;
	return record;
}

void ring_push(struct ring *ring, const struct record *record)
{
	atomic_fetch_add_explicit(&ring->written, record->size, memory_order_release);
}

size_t ring_read(struct ring *ring, void *to, size_t size)
{
	uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
	uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
	size_t copied = 0;

	while (read < written) {
		const struct record *record =
			(const struct record *)(ring->data + (read & (ring->size - 1)));

		if (record->type) {
			if (record->size > size - copied)
				break;
			memcpy((char *)to + copied, record, record->size);
			copied += record->size;
		}
		read += record->size;
	}
	atomic_store_explicit(&ring->read, read, memory_order_release);
	return copied;
}
