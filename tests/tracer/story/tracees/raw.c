/* SPDX-License-Identifier: MIT */
/* A program without a C library, which makes its threads and calls itself, as those of Go do. */
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/syscall.h>

enum { THREADS = 4, STACK_SIZE = 16384 };

#define TRACEE(question) __attribute__((used)) static int question(void)

static char stacks[THREADS][STACK_SIZE] __attribute__((aligned(16)));
static int running = THREADS;

static long call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

__attribute__((used)) static void run(long number)
{
	char name[] = "dir/0";

	name[4] = (char)('0' + number);
	if (call(SYS_openat, AT_FDCWD, (long)name, O_CREAT | O_EXCL | O_WRONLY, 0600) < 0)
		call(SYS_exit_group, 1, 0, 0, 0);
	__atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
}

/* spawn(flags, stack): the thread takes its number from the stack, and ends after run(). */
long spawn(long flags, long *stack);
__asm__("spawn:\n"
	"	mov $56, %eax\n" /* SYS_clone */
	"	xor %edx, %edx\n"
	"	xor %r10d, %r10d\n"
	"	xor %r8d, %r8d\n"
	"	syscall\n"
	"	test %rax, %rax\n"
	"	jz 1f\n"
	"	ret\n"
	"1:	pop %rdi\n"
	"	call run\n"
	"	mov $60, %eax\n" /* SYS_exit */
	"	xor %edi, %edi\n"
	"	syscall\n");

/*
 * Threads that no library knows of, sharing everything.
 *
 *   given   dir/
 *   make    dir/0
 *   make    dir/1
 *   make    dir/2
 *   make    dir/3
 *   left    dir/0 created, dir/1 created, dir/2 created, dir/3 created
 */
TRACEE(raw_calls_of_threads)
{
	const long shared = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			    CLONE_SYSVSEM;

	for (long i = 0; i < THREADS; i++) {
		long *top = (long *)(stacks[i] + STACK_SIZE) - 1;

		*top = i;
		if (spawn(shared, top) < 0)
			return 1;
	}
	while (__atomic_load_n(&running, __ATOMIC_SEQ_CST))
		call(SYS_sched_yield, 0, 0, 0, 0);
	return 0;
}

__asm__(".globl _start\n_start:\n	xor %ebp, %ebp\n	and $-16, %rsp\n	call begin\n");

__attribute__((used, noreturn)) static void begin(void)
{
	call(SYS_exit_group, raw_calls_of_threads(), 0, 0, 0);
	__builtin_unreachable();
}
