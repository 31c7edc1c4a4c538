/* Reads directories with what lstat says of each entry: a machine has a million files, and a loop
 * of Python's own over os.scandir takes several times as long. A directory comes in pieces, so that
 * one with a million entries takes no more memory than any other.
 *
 * Directories below it are only named, never looked at: one may be the root of a mount whose server
 * does not answer. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PIECE 8192
#define BUFFER 65536
#define NANOSECONDS 1000000000LL

/* linux/openat2.h, which older headers lack */
struct how {
	uint64_t flags, mode, resolve;
};
#define NO_SYMLINKS 0x04
#define BENEATH 0x08
#ifndef SYS_openat2
#define SYS_openat2 437
#endif

/* linux/dirent.h */
struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

struct columns {
	size_t count;
	uint32_t mode[PIECE], uid[PIECE], gid[PIECE], links[PIECE];
	int64_t size[PIECE], held[PIECE], mtime[PIECE], ctime[PIECE];
	uint64_t inode[PIECE];
};

static int open_below(int directory, const char *path) {
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	struct how how = {.flags = (uint64_t)flags, .resolve = NO_SYMLINKS | BENEATH};
	long fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(directory, path, flags);
	return (int)fd;
}

static PyObject *open_directory(PyObject *module, PyObject *arguments) {
	(void)module;
	int directory;
	const char *path;
	if (!PyArg_ParseTuple(arguments, "iy", &directory, &path))
		return NULL;
	int fd;
	Py_BEGIN_ALLOW_THREADS
	fd = open_below(directory, path);
	Py_END_ALLOW_THREADS
	if (fd < 0)
		return PyErr_SetFromErrno(PyExc_OSError);
	return PyLong_FromLong(fd);
}

static int is_dots(const char *name) {
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

static int append(PyObject *list, const char *name) {
	PyObject *bytes = PyBytes_FromString(name);
	if (bytes == NULL)
		return -1;
	int failed = PyList_Append(list, bytes);
	Py_DECREF(bytes);
	return failed;
}

static void note(struct columns *columns, const struct stat *st) {
	size_t at = columns->count++;
	columns->mode[at] = st->st_mode;
	columns->uid[at] = st->st_uid;
	columns->gid[at] = st->st_gid;
	columns->links[at] = (uint32_t)st->st_nlink;
	columns->size[at] = st->st_size;
	columns->held[at] = (int64_t)st->st_blocks * 512;
	columns->mtime[at] = st->st_mtim.tv_sec * NANOSECONDS + st->st_mtim.tv_nsec;
	columns->ctime[at] = st->st_ctim.tv_sec * NANOSECONDS + st->st_ctim.tv_nsec;
	columns->inode[at] = st->st_ino;
}

/* Takes one entry in; answers -1 with an exception set. */
static int take(int fd, const struct entry *entry, PyObject *directories, PyObject *names,
                struct columns *columns) {
	if (is_dots(entry->name))
		return 0;
	if (entry->type == DT_DIR)
		return append(directories, entry->name);
	struct stat st;
	if (fstatat(fd, entry->name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0)
		return 0; /* gone meanwhile */
	if (S_ISDIR(st.st_mode))
		return append(directories, entry->name);
	if (append(names, entry->name) != 0)
		return -1;
	note(columns, &st);
	return 0;
}

/* Fills the lists until the directory ends or a piece is full; 0 at the end, -1 with an exception. */
static int fill(int fd, PyObject *directories, PyObject *names, struct columns *columns) {
	static _Alignas(struct entry) char buffer[BUFFER];
	const size_t most = BUFFER / (sizeof(struct entry) + 2);
	for (;;) {
		if (columns->count + most > PIECE || PyList_GET_SIZE(directories) > PIECE)
			return 1;
		long length = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
		if (length == 0)
			return 0;
		if (length < 0) {
			PyErr_SetFromErrno(PyExc_OSError);
			return -1;
		}
		for (long at = 0; at < length;) {
			const struct entry *entry = (const struct entry *)(buffer + at);
			if (take(fd, entry, directories, names, columns) != 0)
				return -1;
			at += entry->length;
		}
	}
}

static PyObject *answer(PyObject *directories, PyObject *names, const struct columns *found,
                        int more) {
	const Py_ssize_t count = (Py_ssize_t)found->count;
	return Py_BuildValue("OOy#y#y#y#y#y#y#y#y#O", directories, names,
	                     (const char *)found->mode, count * 4, (const char *)found->uid, count * 4,
	                     (const char *)found->gid, count * 4, (const char *)found->links, count * 4,
	                     (const char *)found->size, count * 8, (const char *)found->held, count * 8,
	                     (const char *)found->mtime, count * 8, (const char *)found->ctime, count * 8,
	                     (const char *)found->inode, count * 8, more ? Py_True : Py_False);
}

static PyObject *read_piece(PyObject *module, PyObject *argument) {
	(void)module;
	static struct columns columns; /* the interpreter's lock guards it, as it does the buffer */
	int fd = (int)PyLong_AsLong(argument);
	if (fd == -1 && PyErr_Occurred())
		return NULL;
	PyObject *directories = PyList_New(0), *names = PyList_New(0), *result = NULL;
	columns.count = 0;
	if (directories != NULL && names != NULL) {
		int more = fill(fd, directories, names, &columns);
		if (more >= 0)
			result = answer(directories, names, &columns, more);
	}
	Py_XDECREF(directories);
	Py_XDECREF(names);
	return result;
}

static int is_lower(char letter) {
	return letter >= 'a' && letter <= 'z';
}

static int is_upper(char letter) {
	return letter >= 'A' && letter <= 'Z';
}

/* Where the word that begins at `word` ends: words turn at everything that is no letter, and where
 * camel case does, as in imptrace/judge/words.py, to which a test holds this. */
static const char *end_of_word(const char *word) {
	const char *at = word;
	if (is_upper(*at) && !is_lower(at[1])) {
		while (is_upper(*at))
			at++;
		/* The last capital of `XMLFile` begins the next word. */
		return is_lower(*at) ? at - 1 : at;
	}
	at++;
	while (is_lower(*at))
		at++;
	return at;
}

#define LONGEST 24

/* Whether a word is one of `words`, or ends as databases do; -1 with an exception. */
static int is_told(const char *word, size_t length, PyObject *words) {
	char lower[LONGEST];
	if (length >= 5 && (word[length - 1] | 0x20) == 'b' && (word[length - 2] | 0x20) == 'd')
		return 1;
	if (length > LONGEST)
		return 0;
	for (size_t at = 0; at < length; at++)
		lower[at] = word[at] | 0x20;
	PyObject *key = PyBytes_FromStringAndSize(lower, (Py_ssize_t)length);
	if (key == NULL)
		return -1;
	int found = PySet_Contains(words, key);
	Py_DECREF(key);
	return found;
}

static int is_notable(const char *name, size_t length, PyObject *words) {
	if (length > 0 && name[length - 1] == '~')
		return 1;
	for (const char *at = name; *at != '\0';) {
		if (!is_lower(*at) && !is_upper(*at)) {
			at++;
			continue;
		}
		const char *end = end_of_word(at);
		int told = is_told(at, (size_t)(end - at), words);
		if (told != 0)
			return told;
		at = end;
	}
	return 0;
}

static PyObject *notable(PyObject *module, PyObject *arguments) {
	(void)module;
	PyObject *names, *words;
	if (!PyArg_ParseTuple(arguments, "O!O!", &PyList_Type, &names, &PyFrozenSet_Type, &words))
		return NULL;
	PyObject *found = PyList_New(0);
	for (Py_ssize_t at = 0; found != NULL && at < PyList_GET_SIZE(names); at++) {
		PyObject *name = PyList_GET_ITEM(names, at);
		int told = PyBytes_Check(name)
		               ? is_notable(PyBytes_AS_STRING(name), (size_t)PyBytes_GET_SIZE(name), words)
		               : 0;
		PyObject *index = told > 0 ? PyLong_FromSsize_t(at) : NULL;
		if (told < 0 || (told > 0 && (index == NULL || PyList_Append(found, index) != 0)))
			Py_CLEAR(found);
		Py_XDECREF(index);
	}
	return found;
}

static PyMethodDef methods[] = {
	{"open_directory", open_directory, METH_VARARGS,
	 "Open a directory below another, following no link; answer its descriptor."},
	{"read_piece", read_piece, METH_O, "Read the next entries of an open directory."},
	{"notable", notable, METH_VARARGS,
	 "Tell which of some names hold one of some words, by their indices."},
	{NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, .m_name = "_scan", .m_doc = "Directories, read fast.", .m_size = -1,
	.m_methods = methods,
};

PyMODINIT_FUNC PyInit__scan(void) {
	return PyModule_Create(&definition);
}
