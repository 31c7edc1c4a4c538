/* SPDX-License-Identifier: MIT */
/*
 * Whom the records are for: the recording itself, and users who listen to what a program of theirs
 * does, with all that it starts: a tree. What a user may not know is not told to him.
 */
#ifndef IMPTRACE_BPF_LISTENERS_H
#define IMPTRACE_BPF_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moves.h"
#include "tell.h"

enum { TREES_MAX = 16, TELLERS_MAX = TREES_MAX + 1 };

struct tree {
	struct teller teller;
	bool used;
	bool ended;		/* that nothing of it is left was told */
	uint32_t awaited;	/* the process that is to execute the program; 0 once it did */
	uint32_t root;		/* the program's image */
	unsigned int running;	/* processes of it */
	uint8_t outer;		/* the tree that it stands in; 0 for none */
	int pidfd;		/* of the program; -1 when it has ended */
	uint64_t taken_at;	/* since when what is dropped was not told */
};

struct listeners {
	struct teller machine;
	struct tree trees[TREES_MAX];	/* tree number 1 first */
	struct moves moves;
	/* Tells of all repeats there were: whoever reads forgets what ended. */
	void (*read_repeats)(void *context);
	void *context;
	uint64_t ended_at;	/* the first end of an image since it was called; 0 for none */
};

void listeners_close(struct listeners *all);

/* Those who are told of an image. Returns how many there are. */
size_t listeners_of(struct listeners *all, const struct image *image,
		    struct teller *tellers[TELLERS_MAX]);

/* All of them. */
size_t listeners_all(struct listeners *all, struct teller *tellers[TELLERS_MAX]);

/* A new tree, whose program the process of this image is to execute; 0 if there are too many. */
uint8_t tree_add(struct listeners *all, uint32_t image, uint32_t user);
/* A process that runs already joins a tree, or a new one (0); 0 if it cannot. */
uint8_t tree_join(struct listeners *all, unsigned int number, uint32_t image, uint32_t user);
void tree_drop(struct listeners *all, uint8_t number);
struct tree *tree_numbered(struct listeners *all, unsigned int number);

/* Tells it what was dropped as too much waited, if anything was. */
void tree_tell_loss(struct tree *tree);

/* An image has come from another one (NULL: from none), by a fork or an exec. */
void tree_enter(struct listeners *all, struct image *image, const struct image *from);

/* An image has ended, or made room for another one. */
void tree_leave(struct listeners *all, const struct image *image);

/* Whether something is told to be over when an image ends. */
bool tree_is_over(struct listeners *all, const struct image *image);

/* A process has ended, before its image has left. */
void tree_exited(struct listeners *all, const struct image *image, int status, uint64_t at);

#endif
