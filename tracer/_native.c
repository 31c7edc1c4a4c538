/* SPDX-License-Identifier: MIT */
/*
 * The CPython module: launch() and serve(), which give a Recording that C processes fill;
 * open_recording() and Observer, for one that Python fills; what tests need to compare layouts.
 */
#include "native/py_recording.h"

#include <errno.h>
#include <linux/close_range.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "native/py_asked.h"
#include "native/py_lists.h"
#include "native/py_observer.h"
#include "native/py_tables.h"
#include "native/records.h"
#include "notify/shim.h"
#include "notify/supervise.h"

enum { SERVICE_LISTENERS = 4096 };

static bool read_user(PyObject *user, struct launch *launch, gid_t *groups, size_t size)
{
	PyObject *list;
	unsigned int uid, gid;

	if (user == Py_None)
		return true;
	if (!PyArg_ParseTuple(user, "IIO!", &uid, &gid, &PyList_Type, &list))
		return false;
	if ((size_t)PyList_GET_SIZE(list) > size) {
		PyErr_SetString(PyExc_ValueError, "too many groups");
		return false;
	}
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
		groups[i] = (gid_t)PyLong_AsUnsignedLong(PyList_GET_ITEM(list, i));
	launch->change_user = true;
	launch->uid = uid;
	launch->gid = gid;
	launch->groups = groups;
	launch->group_count = (size_t)PyList_GET_SIZE(list);
	return !PyErr_Occurred();
}

static PyObject *failure(enum launch_stage stage)
{
	static const char *const names[] = { "start", "supervisor", "filter", "user", "exec" };
	PyObject *args = Py_BuildValue("iss", errno, strerror(errno), names[stage]);

	if (args) {
		PyErr_SetObject(PyExc_OSError, args);
		Py_DECREF(args);
	}
	return NULL;
}

/* Starts what @launch says and wraps it up; NULL with an exception. */
static PyObject *start(const struct launch *launch, size_t ring_size)
{
	struct recording *self = recording_new(ring_size);
	struct launched launched;

	if (!self)
		return NULL;
	if (launch_program(launch, self->ring, self->kick, &launched)) {
		failure(launched.failed);
		Py_DECREF(self);
		return NULL;
	}
	self->supervisor = launched.supervisor;
	self->program = launched.program;
	return (PyObject *)self;
}

PyDoc_STRVAR(launch_doc,
"launch(path, argv, environ, *, user, blocked_signals, closed, stats, writes_only, io_uring,\n"
"       adopt_orphans, privileged, start_ns, ring_size) -> Recording\n\n"
"Start a program (path: bytes, argv and environ: lists of bytes) under the notify recorder.\n"
"user: None, or (uid, gid, [groups]). blocked_signals: the program's signal mask. closed: which of\n"
"the standard descriptors it finds closed.\n"
"ring_size: a power of two. Must be called while the process has one thread. Raises OSError(errno, text, stage), stage being one of 'supervisor',\n"
"'filter', 'user', 'exec'.");

static PyObject *notify_launch(PyObject *module, PyObject *args, PyObject *keywords)
{
	static char *names[] = { "path",	"argv",		 "environ",	"user",
				 "blocked_signals", "closed",	 "stats",	"writes_only", "io_uring",
				 "adopt_orphans",   "privileged", "start_ns",	"ring_size",
				 NULL };
	int stats, writes_only, io_uring, adopt_orphans, privileged;
	struct filter_options filter;
	struct launch launch = { .filter = &filter };
	gid_t groups[256];
	PyObject *argv, *environ, *user, *blocked, *closed, *result = NULL;
	unsigned long long start_ns;
	Py_ssize_t ring_size;
	char **argv_texts, **environ_texts;

	(void)module;
	if (!PyArg_ParseTupleAndKeywords(args, keywords, "yO!O!$OO!O!pppppKn", names, &launch.path,
					 &PyList_Type, &argv, &PyList_Type, &environ, &user,
					 &PyList_Type, &blocked, &PyList_Type, &closed, &stats, &writes_only, &io_uring, &adopt_orphans,
					 &privileged, &start_ns, &ring_size))
		return NULL;
	filter = (struct filter_options){ .stats = stats,
					  .writes_only = writes_only,
					  .io_uring = io_uring };
	launch.adopt_orphans = adopt_orphans;
	launch.privileged = privileged;
	launch.start = start_ns;
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(closed); i++) {
		long fd = PyLong_AsLong(PyList_GET_ITEM(closed, i));

		if (fd >= 0 && fd <= 2)
			launch.closed |= 1U << fd;
	}
	if (PyErr_Occurred() || !read_user(user, &launch, groups, sizeof(groups) / sizeof(*groups)) ||
	    !read_signals(blocked, &launch.mask))
		return NULL;
	argv_texts = texts_of(argv);
	environ_texts = argv_texts ? texts_of(environ) : NULL;
	if (environ_texts) {
		launch.argv = argv_texts;
		launch.envp = environ_texts;
		result = start(&launch, (size_t)ring_size);
	}
	PyMem_Free(argv_texts);
	PyMem_Free(environ_texts);
	return result;
}

PyDoc_STRVAR(serve_doc,
"serve(door, unit, adopted, page, *, user_manager, stats, writes_only, io_uring, privileged,\n"
"      start_ns, ring_size) -> Recording\n\n"
"Answer the processes of a systemd unit, which bring their listeners to the listening socket\n"
"`door`. adopted: list of listeners that another supervisor has left. page: a memfd of\n"
"SERVICE_PAGE bytes that outlives this one. The descriptors stay the caller's.");

static PyObject *notify_serve(PyObject *module, PyObject *args, PyObject *keywords)
{
	static char *names[] = { "door",     "unit",	   "adopted",  "page",
				 "user_manager", "stats",    "writes_only", "io_uring",
				 "privileged", "start_ns", "ring_size", NULL };
	int user_manager, stats, writes_only, io_uring, privileged, adopted[SERVICE_LISTENERS];
	struct door door = { 0 };
	struct service service = { .door = &door, .adopted = adopted };
	struct recording *self;
	unsigned long long start_ns;
	Py_ssize_t ring_size;
	PyObject *list;

	(void)module;
	if (!PyArg_ParseTupleAndKeywords(args, keywords, "isO!i$pppppKn", names, &door.socket,
					 &door.unit, &PyList_Type, &list, &service.page,
					 &user_manager, &stats, &writes_only, &io_uring,
					 &privileged, &start_ns, &ring_size))
		return NULL;
	if (PyList_GET_SIZE(list) > SERVICE_LISTENERS) {
		PyErr_SetString(PyExc_ValueError, "too many listeners");
		return NULL;
	}
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
		adopted[i] = (int)PyLong_AsLong(PyList_GET_ITEM(list, i));
	if (PyErr_Occurred())
		return NULL;
	door.user_manager = user_manager;
	door.options = (stats ? SHIM_STATS : 0U) | (writes_only ? SHIM_WRITES_ONLY : 0U) |
		       (io_uring ? SHIM_IO_URING : 0U);
	service.adopted_count = (size_t)PyList_GET_SIZE(list);
	service.privileged = privileged;
	service.start = start_ns;
	self = recording_new((size_t)ring_size);
	if (!self)
		return NULL;
	self->leave = service.leave = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->supervisor = service.leave < 0 ? -1 : launch_service(&service, self->ring, self->kick);
	if (self->supervisor < 0) {
		failure(STAGE_SUPERVISOR);
		Py_DECREF(self);
		return NULL;
	}
	return (PyObject *)self;
}

static PyObject *notify_open_recording(PyObject *module, PyObject *ring_size)
{
	Py_ssize_t size = PyLong_AsSsize_t(ring_size);

	(void)module;
	if (size == -1 && PyErr_Occurred())
		return NULL;
	return (PyObject *)recording_new((size_t)size);
}

static PyObject *notify_adopt_orphans(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		return PyErr_SetFromErrno(PyExc_OSError);
	Py_RETURN_NONE;
}

static PyObject *notify_close_at_exec(PyObject *module, PyObject *first)
{
	long from = PyLong_AsLong(first);

	(void)module;
	if (PyErr_Occurred())
		return NULL;
	if (syscall(SYS_close_range, (unsigned int)from, ~0U, CLOSE_RANGE_CLOEXEC))
		return PyErr_SetFromErrno(PyExc_OSError);
	Py_RETURN_NONE;
}

static PyObject *notify_refuse_io_uring(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	if (filter_install_refusal())
		return PyErr_SetFromErrno(PyExc_OSError);
	Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
	{ "launch", (PyCFunction)(void (*)(void))notify_launch, METH_VARARGS | METH_KEYWORDS,
	  launch_doc },
	{ "serve", (PyCFunction)(void (*)(void))notify_serve, METH_VARARGS | METH_KEYWORDS,
	  serve_doc },
	{ "open_recording", notify_open_recording, METH_O,
	  "open_recording(ring_size) -> Recording: one that an Observer of a forked process fills." },
	{ "adopt_orphans", notify_adopt_orphans, METH_NOARGS,
	  "Become the parent of descendants whose own parent has ended." },
	{ "close_at_exec", notify_close_at_exec, METH_O,
	  "close_at_exec(first): this descriptor and those behind it do not outlive an exec." },
	{ "refuse_io_uring", notify_refuse_io_uring, METH_NOARGS,
	  "Make io_uring_setup fail with ENOSYS from now on, in this process and what it executes." },
	{ "layout", tables_layout, METH_NOARGS,
	  "The records, by name: size, and (name, offset, size) of each field." },
	{ "operations", tables_operations, METH_NOARGS,
	  "(name, whether it asks for a change) of each op, in the order of their numbers." },
	{ "outcome_of", tables_outcome_of, METH_O, "The number of the outcome that an errno means." },
	{ "calls", tables_calls, METH_NOARGS,
	  "The traced calls: (name, number on x86-64, i386, aarch64), -1 where there is none." },
	{ NULL, NULL, 0, NULL },
};

static struct PyModuleDef definition = {
	.m_base = PyModuleDef_HEAD_INIT,
	.m_name = "_native",
	.m_doc = "Recorders in C: the notify recorder, and what the ptrace recorder shares with it.",
	.m_size = -1,
	.m_methods = methods,
};

PyMODINIT_FUNC PyInit__native(void)
{
	PyObject *module = PyModule_Create(&definition);

	if (!module)
		return NULL;
	if (!recording_add_type(module) || !observer_add_types(module) ||
	    !asked_add_type(module)) {
		Py_DECREF(module);
		return NULL;
	}
	return module;
}
