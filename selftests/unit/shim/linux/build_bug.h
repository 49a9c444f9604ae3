/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#undef static_assert
#define static_assert(e) _Static_assert(e, #e)
