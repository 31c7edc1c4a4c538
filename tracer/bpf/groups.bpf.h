/* SPDX-License-Identifier: MIT */
/* The control group that is recorded, when its unit is started anew: another one of its name. */
#ifndef IMPTRACE_GROUPS_BPF_H
#define IMPTRACE_GROUPS_BPF_H

#include "processes.bpf.h"

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_group, struct cgroup *group, const char *path)
{
	struct kernfs_node *node = READ(group, kn);
	struct scratch *s;
	bool same = true;
	long length;

	if (READ(group, level) != counters.group_level)
		return 0;
	if (counters.group_parent && READ(above(node), id) != counters.group_parent)
		return 0;
	s = scratch_take();
	if (!s)
		return 0;
	length = bpf_probe_read_kernel_str(s->other, GROUP_NAME_MAX + 1, READ(node, name));
	for (u32 i = 0; i <= GROUP_NAME_MAX; i++) {
		if (s->other[i] != settings.group_name[i])
			same = false;
		if (!same || !s->other[i])
			break;
	}
	scratch_give(s);
	if (same && length > 1)
		counters.group = READ(node, id);
	return 0;
}

#endif
