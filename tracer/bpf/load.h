/* SPDX-License-Identifier: MIT */
/* Putting the programs (machine.bpf.c) into the kernel, and what they and we share then. */
#ifndef IMPTRACE_BPF_LOAD_H
#define IMPTRACE_BPF_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "notes.h"

struct bpf_object;
struct call;
struct bpf_link;
struct ring_buffer;

enum { LINKS_KEPT = 8 };

/* Called for each record; @data is gone after it. */
typedef int (*machine_take)(void *context, void *data, size_t size);

struct machine {
	struct bpf_object *object;
	struct bpf_link *links[LINKS_KEPT];
	struct ring_buffer *ring;
	volatile struct counters *counters;	/* the programs' own memory */
	int processes, repeats, losses, devices;	/* maps */
	const char *failed;	/* what did not work, if machine_open fails */
	bool names_known;	/* paths can be followed in the kernel */
	uint64_t probed_inode;
	machine_take take;
	void *context;
};

struct machine_options {
	enum scope scope;
	bool stats, writes_only, only_devices;
	uint32_t user;		/* UINT32_MAX: everybody */
	/* SCOPE_GROUP: .group may be 0 until one of that name is made, in .group_parent if not 0 */
	int group_depth;	/* counted from our own group */
	uint64_t group, group_parent;
	const char *group_name;
	bool portable;		/* as on an older kernel, for tests */
};

/* Writes a call as the programs read it. */
void machine_shape(struct call_shape *shape, const struct call *call);

/* Returns 0, or -1 with errno and .failed; then machine_close is to be called all the same. */
int machine_open(struct machine *machine, const struct machine_options *options,
		 machine_take take, void *context);
void machine_close(struct machine *machine);

/* Detaches the programs: what was recorded can still be taken. */
void machine_leave(struct machine *machine);

/* Hands what waits in the ring to @take: all of it, or until that returns -1. */
void machine_consume(struct machine *machine);
void machine_consume_some(struct machine *machine);

/* Says what is to be done with a process, by its pidfd; PROCESS_TRACED gives it a new image. */
int machine_mark(struct machine *machine, int pidfd, uint32_t marks, uint32_t *image);

/*
 * Says that somebody listens to a process, which is recorded already or is from now on, and to
 * what it starts from now on; or that nobody does any more.
 */
int machine_listen_to(struct machine *machine, int pidfd, bool followed, uint32_t *image);

/* Says which file systems the host has mounted: @wanted ones are recorded with .only_devices. */
int machine_device(struct machine *machine, uint32_t device, bool wanted);

#endif
