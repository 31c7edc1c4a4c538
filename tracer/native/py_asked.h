/* SPDX-License-Identifier: MIT */
/* The CPython type Asked: a program that somebody else is asked to record, over a local socket. */
#ifndef IMPTRACE_PY_ASKED_H
#define IMPTRACE_PY_ASKED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

/* Makes the type and adds it to @module; false with an exception. */
bool asked_add_type(PyObject *module);

#endif
