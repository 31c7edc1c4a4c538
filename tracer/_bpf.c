/* SPDX-License-Identifier: MIT */
/*
 * The extension module imptrace.tracer._bpf: the recorder whose programs run in the kernel
 * (tracer/bpf/). One recording at a time in a process.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "bpf/recorder.h"
#include "native/py_lists.h"

enum { GROUPS_MAX = 256 };

struct machine_object {
	PyObject_HEAD
	bool is_open;
	struct recorder recorder;
};

static PyObject *fail(const char *what)
{
	PyErr_SetFromErrnoWithFilename(PyExc_OSError, what);
	return NULL;
}

PyDoc_STRVAR(machine_doc,
"Machine(start_ns, *, scope, stats, writes_only, only_devices, user, group, group_parent,\n"
"        group_depth, group_name, portable)\n\n"
"Puts the programs into the kernel. Raises OSError, whose filename says what did not work.");

static int machine_init(struct machine_object *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = { "start_ns", "scope", "stats", "writes_only", "only_devices",
				 "user", "group", "group_parent", "group_depth", "group_name",
				 "portable", NULL };
	struct machine_options options = { 0 };
	unsigned long long start, group, group_parent;
	int scope, stats, writes_only, only_devices, portable, result;
	long long user;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "K$ipppLKKiyp", names, &start, &scope,
					 &stats, &writes_only, &only_devices, &user, &group,
					 &group_parent, &options.group_depth, &options.group_name,
					 &portable))
		return -1;
	if (self->is_open) {
		PyErr_SetString(PyExc_ValueError, "it is open already");
		return -1;
	}
	options.scope = (enum scope)scope;
	options.stats = stats;
	options.writes_only = writes_only;
	options.only_devices = only_devices;
	options.user = user < 0 ? UINT32_MAX : (uint32_t)user;
	options.group = group;
	options.group_parent = group_parent;
	options.portable = portable;
	Py_BEGIN_ALLOW_THREADS
	result = recorder_open(&self->recorder, &options, start);
	Py_END_ALLOW_THREADS
	if (result) {
		fail(self->recorder.machine.failed);
		recorder_close(&self->recorder);
		return -1;
	}
	self->is_open = true;
	return 0;
}

static bool check_open(struct machine_object *self)
{
	if (!self->is_open)
		PyErr_SetString(PyExc_ValueError, "the recording is closed");
	return self->is_open;
}

static bool take_user(PyObject *user, struct start *start, gid_t *groups)
{
	unsigned int uid, gid;
	PyObject *list;

	if (user == Py_None)
		return true;
	if (!PyArg_ParseTuple(user, "IIO!", &uid, &gid, &PyList_Type, &list))
		return false;
	start->change_user = true;
	start->uid = uid;
	start->gid = gid;
	start->groups = groups;
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list) && i < GROUPS_MAX; i++)
		groups[start->group_count++] =
			(gid_t)PyLong_AsUnsignedLong(PyList_GET_ITEM(list, i));
	return !PyErr_Occurred();
}

PyDoc_STRVAR(machine_launch_doc,
"launch(path, argv, environ, user, blocked_signals) -> pid\n\n"
"Starts a program, recorded from its exec on. Raises OSError, whose filename is the stage.");

static PyObject *machine_launch(struct machine_object *self, PyObject *args)
{
	PyObject *argv, *environ, *user, *blocked;
	char **words = NULL, **variables = NULL;
	struct start start = { 0 };
	gid_t groups[GROUPS_MAX];
	const char *stage = "start";
	pid_t pid = -1;

	if (!check_open(self) ||
	    !PyArg_ParseTuple(args, "yO!O!OO!", &start.path, &PyList_Type, &argv, &PyList_Type,
			      &environ, &user, &PyList_Type, &blocked))
		return NULL;
	words = texts_of(argv);
	variables = words ? texts_of(environ) : NULL;
	if (variables && take_user(user, &start, groups) && read_signals(blocked, &start.mask)) {
		start.argv = words;
		start.envp = variables;
		pid = recorder_launch(&self->recorder, &start, &stage);
		if (pid < 0)
			fail(stage);
	}
	PyMem_Free(words);
	PyMem_Free(variables);
	return pid < 0 ? NULL : PyLong_FromLong(pid);
}

PyDoc_STRVAR(machine_signals_doc,
"signals(number) -> count\n\nHow often the process group of the program got a signal.");

static PyObject *machine_signals(struct machine_object *self, PyObject *args)
{
	int number;

	if (!PyArg_ParseTuple(args, "i", &number))
		return NULL;
	return PyLong_FromUnsignedLong(witness_count(&self->recorder.witness, number));
}

PyDoc_STRVAR(machine_witness_doc,
"witness() -> pid\n\nThe process that counts those signals; 0 if nothing was launched.");

static PyObject *machine_witness(struct machine_object *self, PyObject *unused)
{
	(void)unused;
	return PyLong_FromLong(self->recorder.witness.pid);
}

PyDoc_STRVAR(machine_watch_signals_doc,
"watch_signals()\n\nStarts the witness, as `launch` does. Raises OSError.");

static PyObject *machine_watch_signals(struct machine_object *self, PyObject *unused)
{
	(void)unused;
	if (!check_open(self))
		return NULL;
	if (!self->recorder.witness.pid && witness_start(&self->recorder.witness))
		return fail("witness");
	Py_RETURN_NONE;
}

PyDoc_STRVAR(machine_follow_doc,
"follow(pid, uid, gid) -> number of its image\n\n"
"Records a process that runs already, and what it starts. Raises OSError.");

static PyObject *machine_follow(struct machine_object *self, PyObject *args)
{
	unsigned int uid, gid;
	uint32_t image;
	int pid;

	if (!check_open(self) || !PyArg_ParseTuple(args, "iII", &pid, &uid, &gid))
		return NULL;
	if (recorder_follow(&self->recorder, pid, uid, gid, &image))
		return fail("process");
	return PyLong_FromUnsignedLong(image);
}

PyDoc_STRVAR(machine_ignore_doc,
"ignore(pid)\n\nLeaves a process out, whatever the scope. Raises OSError.");

static PyObject *machine_ignore(struct machine_object *self, PyObject *args)
{
	int pid;

	if (!check_open(self) || !PyArg_ParseTuple(args, "i", &pid))
		return NULL;
	if (recorder_ignore(&self->recorder, pid))
		return fail("process");
	Py_RETURN_NONE;
}

PyDoc_STRVAR(machine_want_doc,
"want(device)\n\nRecords what lies on a file system, by the kernel's number of its device.");

static PyObject *machine_want(struct machine_object *self, PyObject *args)
{
	unsigned int device;

	if (!check_open(self) || !PyArg_ParseTuple(args, "I", &device))
		return NULL;
	if (machine_device(&self->recorder.machine, device, true))
		return fail("device");
	teller_only_on(&self->recorder.listeners.machine, device);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(machine_only_below_doc,
"only_below(path)\n\nLeaves out what does not lie below this directory, or another one named so.");

static PyObject *machine_only_below(struct machine_object *self, PyObject *args)
{
	const char *path;

	if (!check_open(self) || !PyArg_ParseTuple(args, "y", &path))
		return NULL;
	if (teller_only_below(&self->recorder.listeners.machine, path)) {
		PyErr_SetString(PyExc_ValueError, "too many directories");
		return NULL;
	}
	Py_RETURN_NONE;
}

PyDoc_STRVAR(machine_renew_doc,
"renew()\n\nTells from now on also of what was done before, as if it were new.");

static PyObject *machine_renew(struct machine_object *self, PyObject *args)
{
	(void)args;
	if (!check_open(self))
		return NULL;
	recorder_renew(&self->recorder);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(machine_held_doc,
"held(image, op, flags, path, tree=0)\n\n"
"Writes that a process has a file open, or in memory, already: for who listens to a tree.");

static PyObject *machine_held(struct machine_object *self, PyObject *args)
{
	struct listeners *listeners = &self->recorder.listeners;
	unsigned int image, op, flags, number = 0;
	struct tree *tree;
	const char *path;

	if (!check_open(self) ||
	    !PyArg_ParseTuple(args, "IIIy|I", &image, &op, &flags, &path, &number))
		return NULL;
	tree = tree_numbered(listeners, number);
	recorder_held(tree ? &tree->teller : &listeners->machine, image, (uint8_t)op, flags, path);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(machine_read_doc,
"read(timeout_ms, ready=0) -> bytes\n\n"
"Whole records, in order; empty if none came within timeout_ms, or something came to one of the\n"
"trees whose bits are set in `ready`, or somebody called wake().");

static PyObject *machine_read(struct machine_object *self, PyObject *args)
{
	struct output *output = &self->recorder.listeners.machine.output;
	unsigned int ready = 0;
	PyObject *bytes;
	int timeout;

	if (!PyArg_ParseTuple(args, "i|I", &timeout, &ready) || !check_open(self))
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	recorder_wait(&self->recorder, timeout, ready);
	Py_END_ALLOW_THREADS
	bytes = PyBytes_FromStringAndSize(output->bytes, (Py_ssize_t)output->used);
	if (bytes)
		output->used = 0;
	return bytes;
}

PyDoc_STRVAR(machine_wake_doc, "wake()\n\nHas a read() in another thread return.");

static PyObject *machine_wake(struct machine_object *self, PyObject *unused)
{
	(void)unused;
	if (!check_open(self))
		return NULL;
	recorder_wake(&self->recorder);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(machine_listen_doc,
"listen(pid, user, writes_only, stats) -> (tree, start_ns)\n\n"
"Records for somebody else, too, what the process is about to execute and what that starts, as\n"
"far as `user` may know it; for the thread that reads. Raises OSError.");

static PyObject *machine_listen(struct machine_object *self, PyObject *args)
{
	int pid, writes_only, stats;
	unsigned int user, number;
	struct tree *tree;

	if (!check_open(self) || !PyArg_ParseTuple(args, "iIpp", &pid, &user, &writes_only, &stats))
		return NULL;
	number = recorder_listen(&self->recorder, pid, user);
	tree = tree_numbered(&self->recorder.listeners, number);
	if (!tree)
		return fail("process");
	tree->teller.writes_only = writes_only;
	tree->teller.stats = stats;
	return Py_BuildValue("IK", number, (unsigned long long)tree->teller.start);
}

PyDoc_STRVAR(machine_join_doc,
"join(tree, pid, pidfd, user, group, writes_only, stats) -> (tree, start_ns, image)\n\n"
"Records for somebody else, too, what a process does that runs already, and what it starts, as far\n"
"as `user` may know it, in a tree that he listens to, or in a new one (0); for the thread that\n"
"reads. Raises OSError.");

static PyObject *machine_join(struct machine_object *self, PyObject *args)
{
	int pid, pidfd, writes_only, stats;
	unsigned int number, user, gid;
	struct tree *tree;
	uint32_t image;

	if (!check_open(self) || !PyArg_ParseTuple(args, "IiiIIpp", &number, &pid, &pidfd, &user,
						   &gid, &writes_only, &stats))
		return NULL;
	number = recorder_join(&self->recorder, number, pid, pidfd, user, gid, &image);
	tree = tree_numbered(&self->recorder.listeners, number);
	if (!tree)
		return fail("process");
	tree->teller.writes_only = writes_only;
	tree->teller.stats = stats;
	return Py_BuildValue("IKI", number, (unsigned long long)tree->teller.start, image);
}

PyDoc_STRVAR(machine_heard_doc,
"heard(tree) -> bytes, or None\n\n"
"Takes what was recorded of a tree, None when nothing more will be; for the thread that reads.");

static PyObject *machine_heard(struct machine_object *self, PyObject *args)
{
	unsigned int number;
	struct tree *tree;
	PyObject *bytes;

	if (!check_open(self) || !PyArg_ParseTuple(args, "I", &number))
		return NULL;
	tree = tree_numbered(&self->recorder.listeners, number);
	if (!tree) {
		PyErr_SetString(PyExc_ValueError, "there is no such tree");
		return NULL;
	}
	if (tree->ended && !tree->teller.output.used)
		Py_RETURN_NONE;
	bytes = PyBytes_FromStringAndSize(tree->teller.output.bytes,
					  (Py_ssize_t)tree->teller.output.used);
	if (bytes)
		recorder_taken(tree);
	return bytes;
}

PyDoc_STRVAR(machine_unlisten_doc,
"unlisten(tree)\n\nNobody is told of it any more; for the thread that reads.");

static PyObject *machine_unlisten(struct machine_object *self, PyObject *args)
{
	unsigned int number;

	if (!check_open(self) || !PyArg_ParseTuple(args, "I", &number))
		return NULL;
	recorder_unlisten(&self->recorder, number);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(machine_leave_doc,
"leave()\n\nHas the reader take the programs out of the kernel; what was recorded is still read.");

static PyObject *machine_leave_(struct machine_object *self, PyObject *unused)
{
	(void)unused;
	if (!check_open(self))
		return NULL;
	self->recorder.leaving = true;
	Py_RETURN_NONE;
}

PyDoc_STRVAR(machine_counts_doc,
"counts() -> dict\n\nWhat the programs counted: notes, lost, unsure; whether they know names.");

static PyObject *machine_counts(struct machine_object *self, PyObject *unused)
{
	const volatile struct counters *counters;

	(void)unused;
	if (!check_open(self))
		return NULL;
	counters = self->recorder.machine.counters;
	return Py_BuildValue("{sKsKsKsi}", "notes", counters->notes, "lost",
			     counters->lost, "unsure",
			     (unsigned long long)self->recorder.listeners.machine.unsure, "names",
			     (int)self->recorder.machine.names_known);
}

PyDoc_STRVAR(machine_close_doc, "close()\n\nStops recording. Whatever was recorded goes on.");

static PyObject *machine_close_(struct machine_object *self, PyObject *unused)
{
	(void)unused;
	if (self->is_open)
		recorder_close(&self->recorder);
	self->is_open = false;
	Py_RETURN_NONE;
}

static void machine_dealloc(struct machine_object *self)
{
	PyTypeObject *type = Py_TYPE(self);

	if (self->is_open)
		recorder_close(&self->recorder);
	type->tp_free(self);
	Py_DECREF(type);
}

#define METHOD(name, function, how) { #name, (PyCFunction)(void (*)(void))function, how, \
				      machine_##name##_doc }

static PyMethodDef machine_methods[] = {
	METHOD(launch, machine_launch, METH_VARARGS),
	METHOD(signals, machine_signals, METH_VARARGS),
	METHOD(watch_signals, machine_watch_signals, METH_NOARGS),
	METHOD(witness, machine_witness, METH_NOARGS),
	METHOD(follow, machine_follow, METH_VARARGS),
	METHOD(ignore, machine_ignore, METH_VARARGS),
	METHOD(want, machine_want, METH_VARARGS),
	METHOD(only_below, machine_only_below, METH_VARARGS),
	METHOD(renew, machine_renew, METH_NOARGS),
	METHOD(held, machine_held, METH_VARARGS),
	METHOD(read, machine_read, METH_VARARGS),
	METHOD(wake, machine_wake, METH_NOARGS),
	METHOD(listen, machine_listen, METH_VARARGS),
	METHOD(join, machine_join, METH_VARARGS),
	METHOD(heard, machine_heard, METH_VARARGS),
	METHOD(unlisten, machine_unlisten, METH_VARARGS),
	METHOD(leave, machine_leave_, METH_NOARGS),
	METHOD(counts, machine_counts, METH_NOARGS),
	METHOD(close, machine_close_, METH_NOARGS),
	{ 0 },
};

static PyType_Slot machine_slots[] = {
	{ Py_tp_doc, (void *)machine_doc },
	{ Py_tp_init, machine_init },
	{ Py_tp_new, PyType_GenericNew },
	{ Py_tp_dealloc, machine_dealloc },
	{ Py_tp_methods, machine_methods },
	{ 0 },
};

static PyType_Spec machine_spec = {
	.name = "imptrace.tracer._bpf.Machine",
	.basicsize = sizeof(struct machine_object),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = machine_slots,
};

static struct PyModuleDef module = {
	PyModuleDef_HEAD_INIT, "_bpf", "The recorder whose programs run in the kernel.", -1,
	NULL, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__bpf(void)
{
	PyObject *self = PyModule_Create(&module);
	PyObject *type = self ? PyType_FromSpec(&machine_spec) : NULL;

	if (!type || PyModule_AddObjectRef(self, "Machine", type) ||
	    PyModule_AddIntConstant(self, "SCOPE_TREE", SCOPE_TREE) ||
	    PyModule_AddIntConstant(self, "SCOPE_GROUP", SCOPE_GROUP) ||
	    PyModule_AddIntConstant(self, "SCOPE_MACHINE", SCOPE_MACHINE)) {
		Py_XDECREF(type);
		Py_XDECREF(self);
		return NULL;
	}
	Py_DECREF(type);
	return self;
}
