/* SPDX-License-Identifier: MIT */
#include "variables.h"

#include <stddef.h>
#include <string.h>

bool variable_is_kept(const char *variable)
{
	static const char *const wanted[] = {
		"HOME=",	   "XDG_CONFIG_HOME=", "XDG_DATA_HOME=",
		"XDG_STATE_HOME=", "XDG_CACHE_HOME=",  "XDG_RUNTIME_DIR=",
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (!strncmp(variable, wanted[i], strlen(wanted[i])))
			return true;
	return false;
}
