/* SPDX-License-Identifier: MIT */
#include "listeners.h"

#include <string.h>
#include <unistd.h>

#include "../native/clock.h"

enum {
	REMEMBERED = 1 << 16,	/* accesses of which repeats are told: as many as the kernel does */
	LIMIT = 4 << 20,	/* of what waits for somebody who does not take it */
};

void listeners_close(struct listeners *all)
{
	for (unsigned int i = 1; i <= TREES_MAX; i++)
		if (tree_numbered(all, i))
			tree_drop(all, (uint8_t)i);
	teller_close(&all->machine);
	moves_close(&all->moves);
}

struct tree *tree_numbered(struct listeners *all, unsigned int number)
{
	struct tree *tree = number && number <= TREES_MAX ? &all->trees[number - 1] : NULL;

	return tree && tree->used ? tree : NULL;
}

size_t listeners_of(struct listeners *all, const struct image *image,
		    struct teller *tellers[TELLERS_MAX])
{
	size_t count = 0;
	struct tree *tree;

	tellers[count++] = &all->machine;
	for (uint8_t i = image ? image->tree : 0; (tree = tree_numbered(all, i)); i = tree->outer)
		if (image->heard & tree->teller.bit)
			tellers[count++] = &tree->teller;
	return count;
}

size_t listeners_all(struct listeners *all, struct teller *tellers[TELLERS_MAX])
{
	size_t count = 0;

	tellers[count++] = &all->machine;
	for (unsigned int i = 1; i <= TREES_MAX; i++)
		if (tree_numbered(all, i))
			tellers[count++] = &all->trees[i - 1].teller;
	return count;
}

uint8_t tree_add(struct listeners *all, uint32_t number, uint32_t user)
{
	struct image *image = image_add(number, NULL);
	uint8_t free = 0;
	struct tree *tree;

	for (uint8_t i = TREES_MAX; i; i--)
		if (!all->trees[i - 1].used)
			free = i;
	if (!image || !free)
		return 0;
	tree = &all->trees[free - 1];
	memset(tree, 0, sizeof(*tree));
	tree->taken_at = clock_ns();
	tree->pidfd = -1;
	if (!teller_open(&tree->teller, UINT32_C(1) << free, tree->taken_at, REMEMBERED))
		return 0;
	tree->used = true;
	tree->awaited = number;
	tree->outer = image->tree;
	tree->teller.user = user;
	tree->teller.output.limit = LIMIT;
	return free;
}

/* An image of a tree that nobody listens to any more. */
struct leaving {
	uint8_t tree, outer;
	uint32_t bit;
};

static void leave(void *context, struct image *image)
{
	const struct leaving *leaving = context;

	image->heard &= ~leaving->bit;
	image->told &= ~leaving->bit;
	image->previous_told &= ~leaving->bit;
	image->unsaid &= ~leaving->bit;
	if (image->tree == leaving->tree)
		image->tree = leaving->outer;
}

void tree_drop(struct listeners *all, uint8_t number)
{
	struct tree *tree = &all->trees[number - 1];
	struct leaving leaving = { number, tree->outer, tree->teller.bit };

	images_each(leave, &leaving);
	for (size_t i = 0; i < TREES_MAX; i++)
		if (all->trees[i].outer == number)
			all->trees[i].outer = tree->outer;
	if (tree->pidfd >= 0)
		close(tree->pidfd);
	teller_close(&tree->teller);
	tree->used = false;
}

/* Whether the user of a tree may know what an image does. */
static bool may_hear(const struct tree *tree, const struct image *image)
{
	return !tree->teller.user || (tree->teller.user == image->uid && !image->privileged);
}

void tree_enter(struct listeners *all, struct image *image, const struct image *from)
{
	struct tree *tree;

	image->heard = MACHINE_BIT;
	if (!from)
		return;
	image->tree = from->tree;
	for (uint8_t i = 1; i <= TREES_MAX; i++) {
		tree = tree_numbered(all, i);
		if (!tree || tree->awaited != from->number || image->previous != from->number)
			continue;
		tree->awaited = 0;
		tree->root = image->number;
		image->tree = i;
	}
	for (uint8_t i = image->tree; (tree = tree_numbered(all, i)); i = tree->outer) {
		tree->running++;
		if (tree->root == from->number)
			tree->root = image->previous == from->number ? image->number : tree->root;
		if (may_hear(tree, image))
			image->heard |= tree->teller.bit;
		else if (image->previous == from->number)
			tree->teller.hidden++;
	}
}

uint8_t tree_join(struct listeners *all, unsigned int number, uint32_t image_number, uint32_t user)
{
	uint8_t joined = number ? (uint8_t)number : tree_add(all, image_number, user);
	struct tree *tree = tree_numbered(all, joined);
	struct image *image = image_find(image_number);

	/* One that stands in another tree than the first cannot stand in this one as well. */
	if (!tree || !image || image->tree != tree->outer)
		return 0;
	tree->awaited = 0;
	tree->running++;
	image->tree = joined;
	if (may_hear(tree, image))
		image->heard |= tree->teller.bit;
	else
		tree->teller.hidden++;
	return joined;
}

static void end(struct tree *tree)
{
	if (!tree->ended)
		output_record(&tree->teller.output, sizeof(struct record), RECORD_ALL_GONE);
	tree->ended = true;
}

void tree_tell_loss(struct tree *tree)
{
	struct loss loss = { tree->teller.output.dropped, tree->taken_at, clock_ns() };

	tree->taken_at = loss.until;
	if (!loss.count)
		return;
	tree->teller.output.dropped = 0;
	tell_loss(&tree->teller, &loss, UINT64_MAX);
}

/* Before an end: whoever is told of that need not listen any longer. */
static void tell_what_is_missing(struct tree *tree)
{
	tell_omissions(&tree->teller);
	tree_tell_loss(tree);
}

void tree_leave(struct listeners *all, const struct image *image)
{
	struct tree *tree;

	for (uint8_t i = 1; i <= TREES_MAX; i++) {
		tree = tree_numbered(all, i);
		if (tree && tree->awaited == image->number)
			end(tree);
	}
	for (uint8_t i = image->tree; (tree = tree_numbered(all, i)); i = tree->outer) {
		if (tree->running && !--tree->running) {
			tell_what_is_missing(tree);
			end(tree);
		}
	}
}

bool tree_is_over(struct listeners *all, const struct image *image)
{
	struct tree *tree;

	for (uint8_t i = image->tree; (tree = tree_numbered(all, i)); i = tree->outer)
		if (tree->root == image->number || tree->running == 1)
			return true;
	return false;
}

void tree_exited(struct listeners *all, const struct image *image, int status, uint64_t at)
{
	struct tree *tree;

	for (uint8_t i = image->tree; (tree = tree_numbered(all, i)); i = tree->outer) {
		if (tree->root != image->number)
			continue;
		tell_what_is_missing(tree);
		tell_end(&tree->teller, RECORD_ROOT_EXITED, 0, status,
			 tree->running ? tree->running - 1 : 0, at);
		if (tree->pidfd >= 0)
			close(tree->pidfd);
		tree->pidfd = -1;
	}
}
