/* SPDX-License-Identifier: MIT */
#include "py_tables.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "calls.h"
#include "permission.h"
#include "records.h"

struct field {
	const char *record, *name;
	size_t offset, size;
};

#define FIELD(record, name) \
	{ #record, #name, offsetof(struct record##_record, name), \
	  sizeof(((struct record##_record *)NULL)->name) }

static const struct field fields[] = {
	FIELD(access, id), FIELD(access, process), FIELD(access, flags), FIELD(access, error),
	FIELD(access, at), FIELD(access, path_length), FIELD(access, path2_length),
	FIELD(state, mode), FIELD(state, uid), FIELD(state, gid), FIELD(state, size),
	FIELD(state, inode), FIELD(state, device), FIELD(state, mtime_ns), FIELD(state, ctime_ns),
	FIELD(repeat, id), FIELD(repeat, count), FIELD(repeat, last),
	FIELD(process, process), FIELD(process, parent), FIELD(process, previous),
	FIELD(process, pid), FIELD(process, uid), FIELD(process, gid), FIELD(process, at),
	FIELD(process, exe_length), FIELD(process, argv_length), FIELD(process, cwd_length),
	FIELD(process, cgroup_length), FIELD(process, environ_length),
	FIELD(exit, process), FIELD(exit, status), FIELD(exit, at), FIELD(exit, left),
	FIELD(count, process), FIELD(count, count),
	FIELD(lost, count), FIELD(lost, since), FIELD(lost, until),
	FIELD(name, inside_length), FIELD(name, host_length),
};

static const struct {
	const char *name;
	size_t size;
} sizes[] = {
	{ "access", sizeof(struct access_record) },   { "state", sizeof(struct state_record) },
	{ "repeat", sizeof(struct repeat_record) },   { "process", sizeof(struct process_record) },
	{ "exit", sizeof(struct exit_record) },	      { "count", sizeof(struct count_record) },
	{ "lost", sizeof(struct lost_record) },
	{ "name", sizeof(struct name_record) },
};

#define OP_NAME(name, word) [OP_##name] = word,
static const char *const op_names[] = { EACH_OP(OP_NAME) };
#undef OP_NAME

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Appends @item, which may be NULL, and gives it up; false with an exception. */
static bool append(PyObject *list, PyObject *item)
{
	bool done = item && !PyList_Append(list, item);

	Py_XDECREF(item);
	return done;
}

static PyObject *fields_of(const char *record)
{
	PyObject *list = PyList_New(0);

	for (size_t i = 0; list && i < COUNT(fields); i++) {
		if (strcmp(fields[i].record, record))
			continue;
		if (!append(list, Py_BuildValue("(snn)", fields[i].name, fields[i].offset,
						fields[i].size)))
			Py_CLEAR(list);
	}
	return list;
}

PyObject *tables_layout(PyObject *module, PyObject *unused)
{
	PyObject *layout = PyDict_New();

	(void)module;
	(void)unused;
	for (size_t i = 0; layout && i < COUNT(sizes); i++) {
		PyObject *row = Py_BuildValue("(nN)", sizes[i].size, fields_of(sizes[i].name));

		if (!row || PyDict_SetItemString(layout, sizes[i].name, row))
			Py_CLEAR(layout);
		Py_XDECREF(row);
	}
	return layout;
}

PyObject *tables_operations(PyObject *module, PyObject *unused)
{
	PyObject *list = PyList_New(0);

	(void)module;
	(void)unused;
	for (size_t i = 0; list && i < COUNT(op_names); i++)
		if (!append(list, Py_BuildValue("(sN)", op_names[i],
						PyBool_FromLong(op_changes((uint8_t)i)))))
			Py_CLEAR(list);
	return list;
}

PyObject *tables_outcome_of(PyObject *module, PyObject *error)
{
	long number = PyLong_AsLong(error);
	uint8_t outcome;
	int failed;

	(void)module;
	if (number == -1 && PyErr_Occurred())
		return NULL;
	permission_set_outcome(&outcome, &failed, (int)number);
	return PyLong_FromLong(outcome);
}

PyObject *tables_calls(PyObject *module, PyObject *unused)
{
	PyObject *list = PyList_New(0);

	(void)module;
	(void)unused;
	for (size_t i = 0; list && i < calls_count; i++)
		if (!append(list, Py_BuildValue("(siii)", calls[i].name, calls[i].x86_64,
						calls[i].i386, calls[i].aarch64)))
			Py_CLEAR(list);
	return list;
}
