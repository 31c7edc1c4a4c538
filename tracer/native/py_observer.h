/* SPDX-License-Identifier: MIT */
/* The CPython type Observer: the syscalls that a ptrace recorder stops at become records. */
#ifndef IMPTRACE_PY_OBSERVER_H
#define IMPTRACE_PY_OBSERVER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

/* Makes the types Observer and Staged and adds them to @module; false with an exception. */
bool observer_add_types(PyObject *module);

#endif
