/* SPDX-License-Identifier: MIT */
/*
 * The seccomp filter, as pseudo-code:
 *
 *	for each architecture: if arch == data.arch
 *		for each traced call: if nr == data.nr
 *			[open, openat of a writes-only run: unless flags ask for a change: allow]
 *			[seccomp: unless SET_MODE_FILTER with NEW_LISTENER: allow]
 *			[unshare: unless CLONE_NEWNS or CLONE_FS: allow]
 *			[rt_sigaction: if it only asks: allow]
 *			[ptrace: unless somebody is to be traced: allow]
 *			notify
 *		[where nobody answers: io_uring_setup: fail with ENOSYS, so that the program falls back]
 *	allow
 *
 * The kernel remembers per call number where a filter always allows (5.11+), so that calls
 * that are not traced cost next to nothing.
 */
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>

#include "calls.h"

#define OPEN_CHANGES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))
#define LOW_WORD(arg) (offsetof(struct seccomp_data, args) + 8 * (arg))
#define HIGH_WORD(arg) (LOW_WORD(arg) + 4)

enum { CAPACITY = 1024 };

struct writer {
	struct sock_filter code[CAPACITY];
	unsigned short length;
	bool overflow;
};

static void emit(struct writer *w, unsigned short code, unsigned int k, unsigned char jt,
		 unsigned char jf)
{
	if (w->length >= CAPACITY) {
		w->overflow = true;
		return;
	}
	w->code[w->length++] = (struct sock_filter){ code, jt, jf, k };
}

static void load(struct writer *w, unsigned int offset)
{
	emit(w, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void answer(struct writer *w, unsigned int action)
{
	emit(w, BPF_RET | BPF_K, action, 0, 0);
}

/* Allows the call unless argument @arg has one of the bits of @mask. */
static void unless_bits(struct writer *w, int arg, unsigned int mask)
{
	load(w, LOW_WORD(arg));
	emit(w, BPF_JMP | BPF_JSET | BPF_K, mask, 1, 0);
	answer(w, SECCOMP_RET_ALLOW);
}

/* Allows the call if argument @arg is 0. */
static void unless_null(struct writer *w, unsigned int arg)
{
	load(w, LOW_WORD(arg));
	emit(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
	load(w, HIGH_WORD(arg));
	emit(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
	answer(w, SECCOMP_RET_ALLOW);
}

/* Allows ptrace(2) unless a tracee is to be won. */
static void unless_tracing(struct writer *w)
{
	load(w, LOW_WORD(0));
	emit(w, BPF_JMP | BPF_JEQ | BPF_K, PTRACE_TRACEME, 3, 0);
	emit(w, BPF_JMP | BPF_JEQ | BPF_K, PTRACE_ATTACH, 2, 0);
	emit(w, BPF_JMP | BPF_JEQ | BPF_K, PTRACE_SEIZE, 1, 0);
	answer(w, SECCOMP_RET_ALLOW);
}

/* Only who answers calls needs to know of these: they name no path. */
static bool is_for_answering(const struct call *call)
{
	return call->kind == CALL_HANDLER || call->kind == CALL_TRACER || call->kind == CALL_RING;
}

static bool is_wanted(const struct call *call, const struct filter_options *options)
{
	if (call_is_question(call))
		return options->stats && !options->writes_only;
	return !options->nothing;
}

bool filter_wants(const struct filter_options *options, const struct call *call,
		  const uint64_t args[6])
{
	if (is_for_answering(call))
		return false;
	if (call->kind == CALL_OPEN && call->flags != NO_ARG && options->writes_only)
		return args[call->flags] & OPEN_CHANGES;
	if (call->kind == CALL_WORLD && call->flags != NO_ARG)
		return args[call->flags] & (CLONE_NEWNS | CLONE_FS);
	return is_wanted(call, options);
}

static void one_call(struct writer *w, const struct call *call, int number,
		     const struct filter_options *options)
{
	unsigned short jump = w->length;

	emit(w, BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)number, 0, 0);
	if (call->kind == CALL_OPEN && call->flags != NO_ARG && options->writes_only)
		unless_bits(w, call->flags, OPEN_CHANGES);
	if (call->kind == CALL_LISTENER) {
		load(w, LOW_WORD(0));
		emit(w, BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_SET_MODE_FILTER, 1, 0);
		answer(w, SECCOMP_RET_ALLOW);
		unless_bits(w, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	}
	if (call->kind == CALL_WORLD && call->flags != NO_ARG)
		unless_bits(w, call->flags, CLONE_NEWNS | CLONE_FS);
	if (call->kind == CALL_HANDLER)
		unless_null(w, 1);
	if (call->kind == CALL_TRACER)
		unless_tracing(w);
	answer(w, SECCOMP_RET_USER_NOTIF);
	if (jump < w->length)
		w->code[jump].jf = (unsigned char)(w->length - jump - 1);
}

int filter_build(const struct filter_options *options, struct sock_fprog *program)
{
	static struct writer w;

	w.length = 0;
	w.overflow = false;
	for (const uint32_t *arch = call_arches; *arch; arch++) {
		/* A conditional jump reaches 255 instructions: hop over the section with JA. */
		load(&w, offsetof(struct seccomp_data, arch));
		emit(&w, BPF_JMP | BPF_JEQ | BPF_K, *arch, 1, 0);
		unsigned short hop = w.length;

		emit(&w, BPF_JMP | BPF_JA, 0, 0, 0);
		load(&w, offsetof(struct seccomp_data, nr));
		for (size_t i = 0; i < calls_count; i++) {
			int number = call_number(&calls[i], *arch);

			if (number >= 0 && is_wanted(&calls[i], options))
				one_call(&w, &calls[i], number, options);
		}
		if (options->nothing) {
			emit(&w, BPF_JMP | BPF_JEQ | BPF_K, NR_IO_URING_SETUP, 0, 1);
			answer(&w, SECCOMP_RET_ERRNO | ENOSYS);
		}
		answer(&w, SECCOMP_RET_ALLOW);
		w.code[hop].k = (unsigned int)(w.length - hop - 1);
	}
	answer(&w, SECCOMP_RET_ALLOW);
	if (w.overflow)
		return -1;
	program->len = w.length;
	program->filter = w.code;
	return 0;
}
