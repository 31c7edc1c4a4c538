// SPDX-License-Identifier: MIT
// Interprets the seccomp filter for each traced call, with arguments that matter, and holds what
// it says against what is wanted; then prints the layout of the records. Built and run for each
// architecture, also where no filter can be installed.
#include <fcntl.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../../../tracer/native/calls.h"
#include "../../../tracer/native/filter.h"
#include "../../../tracer/native/records.h"

static const uint64_t values[] = { 0, 1, 2, 3, 8, 9, 16, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC,
				   O_TMPFILE, O_DIRECTORY, CLONE_NEWNS, CLONE_FS, PTRACE_SEIZE,
				   UINT64_C(1) << 32, UINT64_MAX };

static uint32_t word_at(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word;

	memcpy(&word, (const char *)data + offset, sizeof(word));
	return word;
}

// Classic BPF, as far as the filter uses it; 1 for what must not be.
static uint32_t interpret(const struct sock_fprog *program, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < program->len; pc++) {
		const struct sock_filter *step = &program->filter[pc];

		switch (step->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (step->k % 4 || step->k > sizeof(*data) - 4)
				return 1;
			a = word_at(data, step->k);
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == step->k ? step->jt : step->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += a & step->k ? step->jt : step->jf;
			break;
		case BPF_JMP | BPF_JA:
			pc += step->k;
			break;
		case BPF_RET | BPF_K:
			return step->k;
		default:
			return 1;
		}
	}
	return 1;
}

static bool is_wanted(const struct filter_options *options, const struct call *call,
		      const uint64_t args[6])
{
	uint32_t first = (uint32_t)args[0];

	if (options->nothing)
		return false;
	switch ((enum call_kind)call->kind) {
	case CALL_HANDLER:
		return args[1];
	case CALL_TRACER:
		return first == PTRACE_TRACEME || first == PTRACE_ATTACH || first == PTRACE_SEIZE;
	case CALL_LISTENER:
		return first == SECCOMP_SET_MODE_FILTER &&
		       args[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER;
	case CALL_RING:
		return true;
	default:
		return filter_wants(options, call, args);
	}
}

static int check(const struct filter_options *options)
{
	struct sock_fprog program;
	int wrong = 0;

	if (filter_build(options, &program))
		return 1;
	for (const uint32_t *arch = call_arches; *arch; arch++)
		for (size_t i = 0; i < calls_count; i++)
			for (size_t v = 0; v < sizeof(values) / sizeof(*values); v++) {
				struct seccomp_data data = { .arch = *arch };
				uint64_t args[6];
				uint32_t answer;

				data.nr = call_number(&calls[i], *arch);
				for (size_t j = 0; j < 6; j++)
					data.args[j] = args[j] = values[v];
				if (data.nr < 0)
					continue;
				answer = interpret(&program, &data);
				if (options->nothing && data.nr == NR_IO_URING_SETUP)
					wrong += (answer & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO;
				else if (answer != (is_wanted(options, &calls[i], args) ?
							    SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW)) {
					printf("%s, %#x, %#llx: %#x\n", calls[i].name, *arch,
					       (unsigned long long)values[v], answer);
					wrong++;
				}
			}
	struct seccomp_data other = { .arch = 0x1234, .nr = 2 }, unknown = { .nr = 5000 };

	unknown.arch = call_arches[0];
	return wrong + (interpret(&program, &other) != SECCOMP_RET_ALLOW) +
	       (interpret(&program, &unknown) != SECCOMP_RET_ALLOW);
}

int main(void)
{
	int wrong = 0;

	for (unsigned int bits = 0; bits < 8; bits++)
		wrong += check(&(struct filter_options){ .stats = bits & 1,
							 .writes_only = bits & 2,
							 .io_uring = bits & 4 });
	wrong += check(&(struct filter_options){ .nothing = true });
	printf("%zu %zu %zu %zu %zu %zu %zu %zu\n", sizeof(struct record),
	       sizeof(struct access_record), sizeof(struct process_record),
	       sizeof(struct name_record), sizeof(struct exit_record), sizeof(struct state_record),
	       sizeof(struct lost_record), sizeof(struct repeat_record));
	printf("%d wrong\n", wrong);
	return wrong != 0;
}
