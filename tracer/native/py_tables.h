/* SPDX-License-Identifier: MIT */
/* What C and Python both write down, as C has it: tests hold the two together. */
#ifndef IMPTRACE_PY_TABLES_H
#define IMPTRACE_PY_TABLES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *tables_layout(PyObject *module, PyObject *unused);
PyObject *tables_operations(PyObject *module, PyObject *unused);
PyObject *tables_outcome_of(PyObject *module, PyObject *error);
PyObject *tables_calls(PyObject *module, PyObject *unused);

#endif
