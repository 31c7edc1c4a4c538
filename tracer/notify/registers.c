/* SPDX-License-Identifier: MIT */
#include "registers.h"

#include <elf.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

static long ptrace_call(int request, pid_t tid, unsigned long address, void *data)
{
	/* Not the C library's: it returns what was peeked in place of the error. */
	return syscall(SYS_ptrace, request, tid, address, data);
}

static uint32_t arch_of(pid_t tid)
{
	struct ptrace_syscall_info info;

	if (ptrace_call(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) < 0)
		return 0;
	return info.arch;
}

#if defined(__x86_64__)
/* linux/errno.h has them for the kernel only. */
enum { ERESTARTSYS = 512, ERESTARTNOINTR = 513 };

/*
 * PTRACE_GETREGS gives a 64-bit tracer the 64-bit registers of every tracee. The call still is as
 * it was interrupted: its number in orig_rax, what it was about to return in rax.
 */
static bool read_call(pid_t tid, struct syscall_site *site, int result)
{
	struct user_regs_struct regs;

	if (ptrace_call(PTRACE_GETREGS, tid, 0, &regs) || (long)regs.orig_rax < 0 ||
	    (int)regs.rax != result)
		return false;
	*site = (struct syscall_site){
		.tid = tid, .arch = arch_of(tid), .nr = (int)regs.orig_rax, .ip = regs.rip,
	};
	if (site->arch == AUDIT_ARCH_I386) {
		const uint64_t args[] = { regs.rbx, regs.rcx, regs.rdx,
					  regs.rsi, regs.rdi, regs.rbp };

		for (size_t i = 0; i < 6; i++)
			site->args[i] = (uint32_t)args[i];
	} else {
		const uint64_t args[] = { regs.rdi, regs.rsi, regs.rdx,
					  regs.r10, regs.r8,  regs.r9 };

		for (size_t i = 0; i < 6; i++)
			site->args[i] = args[i];
	}
	return true;
}

bool registers_interrupted(pid_t tid, struct syscall_site *site)
{
	return read_call(tid, site, -ERESTARTSYS);
}

bool registers_gave_up(pid_t tid)
{
	/* epoll_wait and its kind, semop, rt_sigtimedwait; sockets with a time limit */
	static const int x86_64[] = { 0, 19, 43, 45, 47, 65, 128, 208, 220, 232, 281, 288, 299,
				      333, 441 };
	static const int i386[] = { 3, 145, 177, 247, 256, 319, 337, 364, 371, 372, 416, 417, 420,
				    421, 441 };
	struct syscall_site site;
	const int *numbers = x86_64;
	size_t count = sizeof(x86_64) / sizeof(*x86_64);

	if (!read_call(tid, &site, -EINTR))
		return false;
	if (site.arch == AUDIT_ARCH_I386) {
		numbers = i386;
		count = sizeof(i386) / sizeof(*i386);
	}
	for (size_t i = 0; i < count; i++)
		if (numbers[i] == site.nr)
			return true;
	return false;
}

void registers_repeat(pid_t tid)
{
	ptrace_call(PTRACE_POKEUSR, tid, offsetof(struct user_regs_struct, rax),
		    (void *)-(long)ERESTARTNOINTR);
}
#elif defined(__aarch64__)
enum { SVC = 0xd4000001, INSTRUCTION = 4 };

#define TOP_BYTE (UINT64_C(0xff) << 56)

static int registers(int request, pid_t tid, struct user_pt_regs *regs)
{
	struct iovec vector = { regs, sizeof(*regs) };

	return (int)ptrace_call(request, tid, NT_PRSTATUS, &vector);
}

/*
 * By now the kernel has put the program counter back to the call's instruction, as for a repetition;
 * it takes that back for a handler without SA_RESTART, unless the counter is another one by then.
 * A thread that was about to make its call looks the same, and nothing is lost by treating it so.
 */
bool registers_interrupted(pid_t tid, struct syscall_site *site)
{
	struct user_pt_regs regs;
	unsigned long word;

	if (registers(PTRACE_GETREGSET, tid, &regs) ||
	    ptrace_call(PTRACE_PEEKTEXT, tid, regs.pc & ~7UL, &word))
		return false;
	if ((uint32_t)(regs.pc & 4 ? word >> 32 : word) != SVC)
		return false;
	*site = (struct syscall_site){
		.tid = tid, .arch = arch_of(tid), .nr = (int)regs.regs[8],
		.ip = regs.pc + INSTRUCTION,
	};
	for (size_t i = 0; i < 6; i++)
		site->args[i] = regs.regs[i];
	return true;
}

/* What the first argument was is known no more once the call has returned. */
bool registers_gave_up(pid_t tid)
{
	(void)tid;
	return false;
}

/*
 * The processor ignores the top byte of the program counter when it returns to the program
 * (Documentation/arch/arm64/tagged-pointers.rst): the same instruction by another number.
 */
void registers_repeat(pid_t tid)
{
	struct user_pt_regs regs;

	if (registers(PTRACE_GETREGSET, tid, &regs))
		return;
	regs.pc ^= TOP_BYTE;
	registers(PTRACE_SETREGSET, tid, &regs);
}
#endif
