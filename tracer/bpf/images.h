/* SPDX-License-Identifier: MIT */
/* What is known of the processes that notes speak of, by the number of their image. */
#ifndef IMPTRACE_BPF_IMAGES_H
#define IMPTRACE_BPF_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bit in the masks below of the recording itself; whoever listens to a part has another. */
enum { MACHINE_BIT = 1 };

/* A text that several images share. */
struct text {
	unsigned int users;
	size_t length;
	char bytes[];
};

struct image {
	uint32_t number, parent, previous;	/* 0: none */
	uint32_t told;		/* to whom its process record was written: struct teller .bit */
	uint32_t previous_told;	/* the same of the image before it */
	uint32_t unsaid;	/* to whom .executed is still to be told as executed by itself */
	uint32_t heard;		/* who may be told of it, by .bit as well */
	uint8_t tree;		/* which one it belongs to: listeners.h; 0 for none */
	bool has_group;		/* .cgroup was read of itself */
	bool privileged;	/* it has rights that its user has not */
	int pid;
	uint32_t uid, gid;
	uint64_t group;
	struct text *exe, *argv, *cwd, *environ, *cgroup;	/* NULL: not known */
	struct text *executed;
	unsigned int users;	/* itself while it runs, and images that came from it */
};

/* NULL if there is no such image (any more). */
struct image *image_find(uint32_t number);

/* A new image; the texts of @like (may be NULL) are taken over. NULL without memory. */
struct image *image_add(uint32_t number, const struct image *like);

/* The image is gone; it is kept as long as others came from it that are not. */
void image_gone(struct image *image);

/* Calls @each for every image. */
void images_each(void (*each)(void *context, struct image *image), void *context);

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
/* Reads the control group, which an exec may have come into; false if the process is gone. */
bool image_read_group(struct image *image);
/* Takes the control group from the kernel's path of it. */
void image_set_group(struct image *image, const char *path, size_t length);

#endif
