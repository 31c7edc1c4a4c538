/* SPDX-License-Identifier: MIT */
/*
 * What runs in the kernel: all programs of the recorder, in one object.
 *
 * Only tracepoints are used, which every kernel from 5.15 on lets a program attach to without
 * asking for more than CAP_BPF and CAP_PERFMON. Nothing waits for what is written here.
 */
#include "groups.bpf.h"
#include "rings.bpf.h"

char program_license[] SEC("license") = "GPL";

static __always_inline u64 read_word(u64 address)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)address);
	return value;
}

/* Run once by the loader, where kernels from 5.16 on tell where a symbol of theirs is. */
SEC("syscall")
int find_symbols(void *context)
{
	(void)context;
	for (int i = 0; i < SYMBOLS; i++) {
		u64 found = 0;

		if (!bpf_kallsyms_lookup_name(counters.symbol_names[i], SYMBOL_SIZE, 0, &found))
			counters.symbols[i] = found;
	}
	return 0;
}

/*
 * Run once by the loader: reads how deep its control group lies, what its root directory is, and
 * where the table of names is. Newer kernels have that in their code, which the loader looks
 * through.
 */
SEC("raw_tp/sys_enter")
int prepare(void *context)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fs_struct *fs = READ(task, fs);

	(void)context;
	counters.own_level = READ(task, cgroups, dfl_cgrp, level);
	counters.root = (u64)READ(fs, root.dentry);
	counters.root_mount = (u64)mount_of(READ(fs, root.mnt));
	if (counters.symbols[SYMBOL_TABLE] && counters.symbols[SYMBOL_SHIFT]) {
		counters.names_table = read_word(counters.symbols[SYMBOL_TABLE]);
		counters.names_shift = (u32)read_word(counters.symbols[SYMBOL_SHIFT]);
	}
	bpf_probe_read_kernel(counters.lookup_code, CODE_SIZE,
			      (void *)counters.symbols[SYMBOL_LOOKUP]);
	return 0;
}
