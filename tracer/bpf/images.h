/* SPDX-License-Identifier: MIT */
/* What is known of the processes that notes speak of, by the number of their image. */
#ifndef IMPTRACE_BPF_IMAGES_H
#define IMPTRACE_BPF_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text that several images share. */
struct text {
	unsigned int users;
	size_t length;
	char bytes[];
};

struct image {
	uint32_t number, parent, previous;	/* 0: none */
	int pid;
	uint32_t uid, gid;
	uint64_t group;
	struct text *exe, *argv, *cwd, *environ, *cgroup;	/* NULL: not known */
	struct text *executed;	/* what is still to be told as executed by itself */
	bool told;		/* its process record has been written */
	unsigned int users;	/* itself while it runs, and images that came from it */
};

/* NULL if there is no such image (any more). */
struct image *image_find(uint32_t number);

/* A new image; the texts of @like (may be NULL) are taken over. NULL without memory. */
struct image *image_add(uint32_t number, const struct image *like);

/* The image is gone; it is kept as long as others came from it that are not. */
void image_gone(struct image *image);

/* The number of processes that run. */
unsigned int images_running(void);
void images_forget(void);

/* What /proc calls a control group, by one that is in it; NULL if none is known. */
const struct text *images_group(uint64_t group);

struct text *text_make(const char *bytes, size_t length);
void text_set(struct text **place, struct text *text);

/* Reads from /proc what is not known of a process that runs, if it is there still. */
void image_read(struct image *image);

/* Reads what may have changed since it was taken over from another image. */
void image_refresh(struct image *image);
void image_read_group(struct image *image);

#endif
