/* SPDX-License-Identifier: MIT */
/*
 * ring [polled|async|slots|silent]: has io_uring make, rename, link and remove files in the working
 * directory, one after the other, without a call that names them. Exits with 2 where the kernel has none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ENTRIES = 8 };

static struct io_uring_params params;
static struct io_uring_sqe *sqes;
static char *ring;
static int ring_fd;
static uint8_t flags;	/* of each operation */

static unsigned int *at(uint32_t offset)
{
	return (unsigned int *)(ring + offset);
}

static void open_ring(void)
{
	size_t size;

	ring_fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &params);
	if (ring_fd < 0)
		exit(2);
	size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, IORING_OFF_SQ_RING);
	sqes = mmap(NULL, params.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED,
		    ring_fd, IORING_OFF_SQES);
	if (ring == MAP_FAILED || sqes == MAP_FAILED)
		exit(2);
}

/* Has one operation done, and returns its result; 0 for one of which none is told. */
static int done(struct io_uring_sqe sqe)
{
	unsigned int *tail = at(params.sq_off.tail), *head = at(params.cq_off.head);
	unsigned int index = *tail & *at(params.sq_off.ring_mask);
	struct io_uring_cqe *cqes = (struct io_uring_cqe *)(ring + params.cq_off.cqes);
	int result;

	sqe.flags |= flags;
	sqes[index] = sqe;
	at(params.sq_off.array)[index] = index;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (params.flags & IORING_SETUP_SQPOLL &&
	    *at(params.sq_off.flags) & IORING_SQ_NEED_WAKEUP)
		syscall(SYS_io_uring_enter, ring_fd, 1, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0);
	else if (!(params.flags & IORING_SETUP_SQPOLL))
		syscall(SYS_io_uring_enter, ring_fd, 1, 0, 0, NULL, 0);
	if (flags & IOSQE_CQE_SKIP_SUCCESS) {
		usleep(100000);
		return 0;
	}
	while (__atomic_load_n(at(params.cq_off.tail), __ATOMIC_ACQUIRE) == *head)
		usleep(1000);
	result = cqes[*head & *at(params.cq_off.ring_mask)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

static int with(uint8_t opcode, int dirfd, const char *first, const char *second, uint32_t length,
		uint32_t op_flags)
{
	return done((struct io_uring_sqe){
		.opcode = opcode, .fd = dirfd, .addr = (uintptr_t)first, .off = (uintptr_t)second,
		.len = length, .open_flags = op_flags,
	});
}

static int made(const char *path, uint32_t slot)
{
	return done((struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)path, .len = 0644,
		.open_flags = O_WRONLY | O_CREAT | O_TRUNC, .file_index = slot,
	});
}

static void want(int result, int wanted)
{
	static int number;

	number++;
	if (flags & IOSQE_CQE_SKIP_SUCCESS || result == wanted)
		return;
	fprintf(stderr, "operation %d: %d instead of %d\n", number, result, wanted);
	exit(1);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	int slots[2] = { -1, -1 }, fd, directory;

	if (!strcmp(how, "polled"))
		params.flags = IORING_SETUP_SQPOLL;
	flags = !strcmp(how, "async") ? IOSQE_ASYNC :
		!strcmp(how, "silent") ? IOSQE_CQE_SKIP_SUCCESS : 0;
	open_ring();
	if (!strcmp(how, "slots") &&
	    syscall(SYS_io_uring_register, ring_fd, IORING_REGISTER_FILES, slots, 2))
		return 2;
	want(with(IORING_OP_MKDIRAT, AT_FDCWD, "dir", NULL, 0755, 0), 0);
	want(with(IORING_OP_MKDIRAT, AT_FDCWD, "dir", NULL, 0755, 0), -EEXIST);
	directory = open("dir", O_PATH);
	fd = made("dir/made", *how == 's' && how[1] == 'l' ? 1 : 0);
	if (fd < 0 || (fd && write(fd, "text", 4) != 4))
		return 1;
	want(with(IORING_OP_RENAMEAT, directory, "made", "renamed", (uint32_t)directory, 0), 0);
	want(with(IORING_OP_LINKAT, AT_FDCWD, "dir/renamed", "linked", (uint32_t)AT_FDCWD, 0), 0);
	want(with(IORING_OP_SYMLINKAT, AT_FDCWD, "dir/renamed", "symlink", 0, 0), 0);
	want(with(IORING_OP_UNLINKAT, AT_FDCWD, "old", NULL, 0, 0), 0);
	want(with(IORING_OP_UNLINKAT, AT_FDCWD, "empty", NULL, 0, AT_REMOVEDIR), 0);
	want(with(IORING_OP_OPENAT, AT_FDCWD, "missing", NULL, 0, O_RDONLY), -ENOENT);
	if (with(IORING_OP_OPENAT, AT_FDCWD, "symlink", NULL, 0, O_RDONLY) < 0)
		return 1;
	puts("done");
	return 0;
}
