/* SPDX-License-Identifier: MIT */
/*
 * The few structures of the kernel that are read, with the few members of each. Where they lie is
 * filled in when the programs are loaded (CO-RE), so that neither order nor size matters here.
 */
#ifndef IMPTRACE_KERNEL_BPF_H
#define IMPTRACE_KERNEL_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <stdbool.h>
#include <stddef.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int s32;
typedef long long s64;
typedef unsigned long long u64;

/*
 * READ(pointer, member, member, ...) follows pointers of the kernel's. With CASTS each is a plain
 * load, which the processor checks (Linux 6.4); without, a call of a helper, some ten times as slow.
 * BPF_CORE_READ would take a pointer that stands in a structure of ours for one of the kernel's.
 */
#ifdef CASTS
extern void *bpf_rdonly_cast(const void *object, u32 type) __ksym;

/* Twice negated, an address is a number to the verifier, which functions of ours can take. */
#define READ_1(pointer, member)                                                            \
	({                                                                                 \
		__typeof__(pointer) from_ = (pointer);                                     \
		__typeof__((pointer)->member) got_ =                                       \
			((__typeof__(from_))bpf_rdonly_cast(                               \
				 from_, bpf_core_type_id_kernel(__typeof__(*from_))))      \
				->member;                                                  \
		if (sizeof(got_) == 8)                                                     \
			asm volatile("%0 = -%0\n%0 = -%0" : "+r"(got_));                   \
		got_;                                                                      \
	})
#define READ_2(pointer, a, b) READ_1(READ_1(pointer, a), b)
#define READ_3(pointer, a, b, c) READ_1(READ_2(pointer, a, b), c)
#define READ_OF(_1, _2, _3, _4, name, ...) name
#define READ(...) READ_OF(__VA_ARGS__, READ_3, READ_2, READ_1)(__VA_ARGS__)
#else
#define READ(pointer, ...)                                       \
	({                                                       \
		__typeof__(pointer) pointer_ = (pointer);        \
		BPF_CORE_READ(pointer_, __VA_ARGS__);            \
	})
#endif

#define KERNEL __attribute__((preserve_access_index))

struct list_head {
	struct list_head *next, *prev;
} KERNEL;

struct hlist_node {
	struct hlist_node *next, **pprev;
} KERNEL;

struct hlist_head {
	struct hlist_node *first;
} KERNEL;

struct hlist_bl_node {
	struct hlist_bl_node *next, **pprev;
} KERNEL;

struct qstr {
	u64 hash_len;
	const unsigned char *name;
} KERNEL;

typedef struct {
	u32 val;
} KERNEL kuid_t;

typedef struct {
	u32 val;
} KERNEL kgid_t;

struct super_block {
	u32 s_dev;
	unsigned long s_magic;
} KERNEL;

struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
} KERNEL;

struct inode {
	u16 i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	u32 i_nlink;
	s64 i_size;
	u32 i_generation;
	s64 i_mtime_sec, i_ctime_sec;
	u32 i_mtime_nsec, i_ctime_nsec;
	char *i_link;
} KERNEL;

/* Its times, in older kernels. */
struct inode___before_6_7 {
	struct timespec64 i_mtime, i_ctime;
} KERNEL;

struct inode___6_7 {
	struct timespec64 __i_mtime, __i_ctime;
} KERNEL;

struct dentry {
	u32 d_flags;
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
	struct hlist_node d_sib;
	struct hlist_head d_children;
} KERNEL;

/* Its children, in kernels before 6.8. */
struct dentry___before_6_8 {
	struct list_head d_child, d_subdirs;
} KERNEL;

enum dentry_flags {
	DCACHE_MOUNTED = 0x10000,	/* before 6.8, when it was no enum */
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
} KERNEL;

struct ns_common {
	u32 inum;
} KERNEL;

struct mnt_namespace {
	struct ns_common ns;
} KERNEL;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct list_head mnt_mounts, mnt_child;
	struct mnt_namespace *mnt_ns;
} KERNEL;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} KERNEL;

struct file {
	u32 f_mode;
	u32 f_flags;
	struct path f_path;
	struct inode *f_inode;
} KERNEL;

struct fdtable {
	u32 max_fds;
	struct file **fd;
} KERNEL;

struct files_struct {
	struct fdtable *fdt;
} KERNEL;

struct kernfs_node {
	struct kernfs_node *__parent;
	const char *name;
	u64 id;
} KERNEL;

/* Its parent, in kernels before 6.15. */
struct kernfs_node___before_6_15 {
	struct kernfs_node *parent;
} KERNEL;

struct cgroup {
	int level;
	struct kernfs_node *kn;
} KERNEL;

struct css_set {
	struct cgroup *dfl_cgrp;
} KERNEL;

struct fs_struct {
	struct path root, pwd;
} KERNEL;

struct nsproxy {
	struct mnt_namespace *mnt_ns;
} KERNEL;

struct mm_struct {
	unsigned long arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
} KERNEL;

typedef struct {
	int counter;
} KERNEL atomic_t;

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	u32 flags;
} KERNEL;

struct user_namespace {
	struct ns_common ns;
} KERNEL;

/* 64 bits, however they are declared. */
struct kernel_cap_struct {
	u64 val;
} KERNEL;

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t euid;
	kgid_t egid;
	struct kernel_cap_struct cap_permitted;
	struct user_namespace *user_ns;
} KERNEL;

struct pid_namespace {
	struct ns_common ns;
} KERNEL;

struct upid {
	int nr;
	struct pid_namespace *ns;
} KERNEL;

struct pid {
	u32 level;
	struct upid numbers[1];
} KERNEL;

struct thread_info {
	u32 status;
	unsigned long flags;
} KERNEL;

struct task_struct {
	struct thread_info thread_info;
	int pid, tgid;
	int exit_code;
	u32 flags;
	struct mm_struct *mm;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct cred *cred;
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct css_set *cgroups;
} KERNEL;

struct linux_binprm {
	struct file *file;
	const char *filename;
} KERNEL;

struct filename {
	const char *name;
} KERNEL;

/* What io_uring is to do, at the beginning of a request. */
struct open_how {
	u64 flags;
} KERNEL;

struct io_open {
	int dfd;
	u32 file_slot;
	struct filename *filename;
	struct open_how how;
} KERNEL;

struct io_unlink {
	int dfd, flags;
	struct filename *filename;
} KERNEL;

struct io_rename {
	int old_dfd, new_dfd;
	struct filename *oldpath, *newpath;
	int flags;
} KERNEL;

struct io_mkdir {
	int dfd;
	struct filename *filename;
} KERNEL;

struct io_link {
	int old_dfd, new_dfd;
	struct filename *oldpath, *newpath;
	int flags;
} KERNEL;

struct io_xattr {
	struct filename *filename;
} KERNEL;

struct io_cqe {
	s32 res;
} KERNEL;

struct io_kiocb {
	u8 opcode;
	u32 flags;
	struct io_cqe cqe;
} KERNEL;

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long bp, bx, r10, r9, r8, cx, dx, si, di, orig_ax;
} KERNEL;
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	u64 regs[31];
	u64 orig_x0;
	s32 syscallno;
} KERNEL;
#else
#error "imptrace knows the registers of x86-64 and aarch64"
#endif

/* include/linux/fs.h */
enum { FMODE_CREATED = 0x100000 };
/* arch/x86/include/asm/thread_info.h; arch/arm64: TIF_32BIT */
enum { TS_COMPAT = 2, TIF_32BIT = 22 };
/* include/linux/sched/signal.h, include/linux/sched.h */
enum { SIGNAL_GROUP_EXIT = 4, PF_FORKNOEXEC = 0x40, PF_KTHREAD = 0x200000 };
enum { PROC_SUPER_MAGIC = 0x9fa0 };
enum { S_IFMT = 0170000, S_IFREG = 0100000, S_IFDIR = 040000, S_IFLNK = 0120000 };

static __always_inline bool is_type(u16 mode, u16 type)
{
	return (mode & S_IFMT) == type;
}

#endif
