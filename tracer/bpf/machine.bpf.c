/* SPDX-License-Identifier: MIT */
/*
 * What runs in the kernel: all programs of the recorder, in one object.
 *
 * Only tracepoints are used, which every kernel from 5.15 on lets a program attach to without
 * asking for more than CAP_BPF and CAP_PERFMON. Nothing waits for what is written here.
 */
#include "calls.bpf.h"

char program_license[] SEC("license") = "GPL";

static __always_inline u64 read_word(u64 address)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)address);
	return value;
}

/*
 * Run once by the loader: reads where the kernel's table of names is. Newer kernels have that in
 * their code, which the loader looks through.
 */
SEC("raw_tp/sys_enter")
int prepare(void *context)
{
	(void)context;
	if (settings.table_symbol && settings.shift_symbol) {
		counters.names_table = read_word(settings.table_symbol);
		counters.names_shift = (u32)read_word(settings.shift_symbol);
	}
	bpf_probe_read_kernel(counters.lookup_code, CODE_SIZE, (void *)settings.lookup_symbol);
	return 0;
}
