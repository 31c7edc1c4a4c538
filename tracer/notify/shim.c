/* SPDX-License-Identifier: MIT */
/*
 * imptrace-shim SOCKET BOUNDING AMBIENT PATIENCE PATH ARGV0 [ARGS...]: becomes PATH, recorded.
 *
 * Stands before each command of a recorded systemd unit. Installs the filter in its own process,
 * sends the listener to the recorder at SOCKET, gives up the capabilities that were lent to it
 * (hexadecimal masks for the bounding set, and for all other sets), and executes PATH: process
 * id, descriptors, environment and exit status stay the unit's own. When it cannot be recorded,
 * or each of the recorder's two answers takes longer than PATIENCE (hexadecimal milliseconds), it
 * says so in the journal and executes PATH all the same.
 *
 * There is no C library below, so that it runs in any root directory and makes no syscall but
 * those written here: units may be allowed few (imptrace/record/service/sandbox.py: SHIM_SYSCALLS).
 */
#include "shim.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#include "../native/filter.h"
#include "freestanding.h"

enum {
	EXIT_EXEC = 203,	/* systemd's codes: systemd.exec(5) */
	EXIT_CAPABILITIES = 218,
	STDERR = 2,
};

static size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

static bool address_of(struct sockaddr_un *address, const char *path)
{
	size_t length = length_of(path);

	if (length >= sizeof(address->sun_path))
		return false;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	for (size_t i = 0; i < length; i++)
		address->sun_path[i] = path[i];
	return true;
}

/* To the journal; to stderr only without one, since stderr may be a client's connection. */
static void say(const char *text, long error)
{
	static const char fields[] = "SYSLOG_IDENTIFIER=imptrace\nPRIORITY=4\nMESSAGE=";
	char tail[32], *end = tail + sizeof(tail), *digits = end;
	struct sockaddr_un journal;
	struct iovec parts[4];
	struct msghdr message = { .msg_name = &journal, .msg_namelen = sizeof(journal),
				  .msg_iov = parts, .msg_iovlen = 3 };
	long fd;

	*--digits = '\n';
	*--digits = ')';
	for (long rest = error < 0 ? -error : error, first = 1; rest || first; rest /= 10, first = 0)
		*--digits = (char)('0' + rest % 10);
	for (const char *word = " rorre(", *c = word; *c; c++)
		*--digits = *c;
	*--digits = ' ';
	parts[0] = (struct iovec){ (void *)fields, sizeof(fields) - 1 };
	parts[1] = (struct iovec){ (void *)text, length_of(text) };
	parts[2] = (struct iovec){ digits, (size_t)(end - digits) };

	fd = call(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0);
	if (fd >= 0 && address_of(&journal, "/run/systemd/journal/socket") &&
	    call(SYS_sendmsg, fd, (long)&message, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0) > 0) {
		call(SYS_close, fd, 0, 0, 0, 0);
		return;
	}
	call(SYS_write, STDERR, (long)"imptrace: ", 10, 0, 0);
	call(SYS_write, STDERR, (long)text, (long)parts[1].iov_len, 0, 0);
	call(SYS_write, STDERR, (long)digits, (long)parts[2].iov_len, 0, 0);
}

static long connect_recorder(const char *path)
{
	struct sockaddr_un address;
	long fd, error;

	if (!address_of(&address, path))
		return -ENAMETOOLONG;
	fd = call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, 0, 0);
	if (fd < 0)
		return fd;
	error = call(SYS_connect, fd, (long)&address, sizeof(address), 0, 0);
	return error < 0 ? error : fd;
}

/* Returns 0, or a negative errno where no offer arrives in time. */
static long await_offer(long fd, unsigned long patience_ms, struct shim_offer *offer)
{
	struct timespec patience = { .tv_sec = (time_t)(patience_ms / 1000),
				     .tv_nsec = (long)(patience_ms % 1000) * 1000000 };
	struct pollfd waiting = { .fd = (int)fd, .events = POLLIN };
	long got = call(SYS_ppoll, (long)&waiting, 1, (long)&patience, 0, 0);

	if (got <= 0)
		return got ? got : -ETIMEDOUT;
	/* recvfrom takes six arguments, the last two of which are only written to if not null. */
	got = call(SYS_recvfrom, fd, (long)offer, sizeof(*offer), MSG_DONTWAIT, 0);
	if (got < 0)
		return got;
	return got == sizeof(*offer) && offer->magic == SHIM_MAGIC ? 0 : -EPROTO;
}

/* Returns the listener, or a negative errno. */
static long install(uint32_t options)
{
	const struct filter_options wanted = {
		.stats = options & SHIM_STATS,
		.writes_only = options & SHIM_WRITES_ONLY,
		.io_uring = options & SHIM_IO_URING,
	};
	struct sock_fprog program;
	long listener;

	if (filter_build(&wanted, &program))
		return -E2BIG;
	listener = call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, FILTER_FLAGS, (long)&program, 0, 0);
	if (listener != -EACCES)
		return listener;
	if (call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -EACCES;
	return call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, FILTER_FLAGS, (long)&program, 0, 0);
}

static long send_listener(long fd, long listener)
{
	struct shim_answer answer = { .magic = SHIM_MAGIC };
	struct iovec part = { &answer, sizeof(answer) };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1,
				  .msg_control = &control, .msg_controllen = CMSG_LEN(sizeof(int)) };
	long sent;

	*(int *)CMSG_DATA(&control.header) = (int)listener;
	sent = call(SYS_sendmsg, fd, (long)&message, MSG_NOSIGNAL, 0, 0);
	return sent < 0 ? sent : 0;
}

/*
 * The recorder vanished after the filter was installed: answer in its place, in a process of our
 * own that keeps none of the unit's descriptors. It has the filter too, and so cannot see when
 * nobody else has it any more: it ends when systemd ends what is left of the unit.
 */
static void answer_ourselves(long listener)
{
	struct seccomp_notif notice;
	long pid = call(SYS_clone, 0, 0, 0, 0, 0);

	if (pid)
		return;
	if (listener > 0)
		call(SYS_close_range, 0, listener - 1, 0, 0, 0);
	call(SYS_close_range, listener + 1, ~0U, 0, 0, 0);
	for (;;) {
		struct pollfd asked = { .fd = (int)listener, .events = POLLIN };
		struct seccomp_notif_resp answer = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

		call(SYS_ppoll, (long)&asked, 1, 0, 0, 0);
		notice = (struct seccomp_notif){ 0 };
		if (call(SYS_ioctl, listener, (long)SECCOMP_IOCTL_NOTIF_RECV, (long)&notice, 0, 0))
			continue;
		answer.id = notice.id;
		call(SYS_ioctl, listener, (long)SECCOMP_IOCTL_NOTIF_SEND, (long)&answer, 0, 0);
	}
}

/* What is told when it fails, and the negative errno. */
struct attempt {
	const char *what;
	long error;
};

/* Sets @listener once the filter is installed, which is when the recorder offers to take it. */
static struct attempt hand_over(const char *path, unsigned long patience_ms, long *listener)
{
	struct shim_offer offer;
	struct attempt attempt = { "not recorded: the recorder cannot be reached", 0 };
	long fd = connect_recorder(path);

	if (fd < 0) {
		attempt.error = fd;
		return attempt;
	}
	attempt.what = "not recorded: the recorder does not answer";
	attempt.error = await_offer(fd, patience_ms, &offer);
	if (!attempt.error) {
		attempt.what = "not recorded: the filter cannot be installed";
		*listener = install(offer.options);
		attempt.error = *listener < 0 ? *listener : 0;
	}
	if (!attempt.error) {
		attempt.what = "not recorded: the recorder vanished";
		attempt.error = send_listener(fd, *listener);
	}
	if (!attempt.error)
		attempt.error = await_offer(fd, patience_ms, &offer);
	call(SYS_close, fd, 0, 0, 0, 0);
	return attempt;
}

static void record_me(const char *path, unsigned long patience_ms)
{
	long listener = -1;
	struct attempt attempt = hand_over(path, patience_ms, &listener);

	if (attempt.error)
		say(attempt.what, attempt.error);
	/* Not by trying again: connecting is a traced call, and would wait for an answer. */
	if (attempt.error && listener >= 0)
		answer_ourselves(listener);
	if (listener >= 0)
		call(SYS_close, listener, 0, 0, 0, 0);
}

static unsigned long from_hex(const char *text)
{
	unsigned long value = 0;

	for (; *text; text++)
		value = value << 4 | (unsigned long)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
	return value;
}

/* Returns 0, or a negative errno: then the program must not run, for it would have too much. */
static long give_back(unsigned long bounding, unsigned long ambient)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];
	unsigned long all = bounding | ambient;
	long error = 0;

	if (!all)
		return 0;
	for (int bit = 63; bit >= 0 && !error; bit--)
		if (bounding >> bit & 1)
			error = call(SYS_prctl, PR_CAPBSET_DROP, bit, 0, 0, 0);
	for (int bit = 0; bit < 64 && !error; bit++)
		if (ambient >> bit & 1)
			error = call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, bit, 0, 0);
	if (!error)
		error = call(SYS_capget, (long)&header, (long)sets, 0, 0, 0);
	for (int i = 0; i < 2; i++) {
		unsigned int keep = ~(unsigned int)(all >> 32 * i);

		sets[i].effective &= keep;
		sets[i].permitted &= keep;
		sets[i].inheritable &= keep;
	}
	return error ? error : call(SYS_capset, (long)&header, (long)sets, 0, 0, 0);
}

int shim_main(int argc, char **argv, char **envp)
{
	long error;

	if (argc < 7) {
		say("the shim is for the drop-ins of `imptrace service start`", EINVAL);
		return EXIT_EXEC;
	}
	record_me(argv[1], from_hex(argv[4]));
	error = give_back(from_hex(argv[2]), from_hex(argv[3]));
	if (error) {
		say("cannot give up the capabilities that recording needed", error);
		return EXIT_CAPABILITIES;
	}
	error = call(SYS_execve, (long)argv[5], (long)&argv[6], (long)envp, 0, 0);
	say("cannot execute the unit's program", error);
	return EXIT_EXEC;
}
