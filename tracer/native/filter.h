/* SPDX-License-Identifier: MIT */
#ifndef IMPTRACE_FILTER_H
#define IMPTRACE_FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

#include "calls.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif

/* How the filter is installed, by seccomp(SECCOMP_SET_MODE_FILTER). */
#define FILTER_FLAGS (SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)

struct filter_options {
	bool stats;		/* also calls that only ask (stat, access, readlink) */
	bool writes_only;	/* leave alone what cannot change a file */
	bool io_uring;		/* let io_uring be, whose operations no filter sees: for who answers */
	bool nothing;		/* hand no call over: only refuse io_uring */
};

/*
 * Builds the filter program for this machine's architectures.
 *
 * Returns 0 and sets @program, whose instructions are in a static buffer that the next call
 * overwrites; -1 if the buffer is too small (a bug: the tables grew). Needs no C library, so that
 * the shim can use it.
 */
int filter_build(const struct filter_options *options, struct sock_fprog *program);

/* What the filter program decides, for who has no filter: whether this call is to be looked at. */
bool filter_wants(const struct filter_options *options, const struct call *call,
		  const uint64_t args[6]);

/*
 * Installs one that only refuses io_uring: for a program that is traced without a filter.
 * Returns 0, or -1 with errno. It stays when the tracer has gone, and harms nobody then.
 */
int filter_install_refusal(void);

/*
 * Installs the filter on the calling thread, which must be the only one of its process, and
 * sets no_new_privs if the caller may not install a filter without.
 *
 * Returns the listener (close-on-exec, owned by the caller), or -1 with errno.
 */
int filter_install(const struct filter_options *options);

#endif
