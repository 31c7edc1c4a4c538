/* SPDX-License-Identifier: MIT */
/* A program without a C library: how it starts, and how it makes syscalls. */
#ifndef IMPTRACE_FREESTANDING_H
#define IMPTRACE_FREESTANDING_H

#include <sys/syscall.h>

/* Defined by the program; what it returns is the exit status. */
int shim_main(int argc, char **argv, char **envp);

/* The kernel leaves on the stack: argc, argv[0..argc], envp..., each list ended by a null. */
__attribute__((used, noreturn)) static void start(long *stack);

/* Returns what the kernel returns: a negative errno, or a result. The sixth argument is 0. */
static inline long call(long number, long a, long b, long c, long d, long e)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = 0;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = 0;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#else
#error "imptrace knows x86-64 and aarch64"
#endif
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl start\n");
#endif

static void start(long *stack)
{
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1);

	call(SYS_exit_group, shim_main(argc, argv, argv + argc + 1), 0, 0, 0, 0);
	__builtin_unreachable();
}

/* The compiler may call these for initialisers and copies, whatever the source says. */
__attribute__((used)) void *memset(void *to, int byte, unsigned long size)
{
	for (volatile char *at = to; size; size--)
		*at++ = (char)byte;
	return to;
}

__attribute__((used)) void *memcpy(void *restrict to, const void *restrict from, unsigned long size)
{
	const char *source = from;

	for (volatile char *at = to; size; size--)
		*at++ = *source++;
	return to;
}

#endif
