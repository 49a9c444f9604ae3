// SPDX-License-Identifier: GPL-2.0-only
/*
 * where: a plugin for qemu that counts the guest's instructions by place.
 *
 * Every block of code that the guest runs gets a counter, which grows by the block's
 * number of instructions each time it runs. bench.c marks the part to be counted with
 * two no-operations that no compiler makes (mark_begin() and mark_end()): at the first all
 * counters are noted, at the second the differences are written to PREFIX.1 (the next time
 * PREFIX.2, and so on), a line each:
 *
 *	ADDRESS INSTRUCTIONS
 *
 * Addresses are of the guest's kernel, in 16 digits; all programs together are address 0.
 *
 *	-plugin where.so,out=PREFIX
 *
 * qemu 7.2 and later. Its plugin interface is declared here because Debian ships no header.
 */
#include <inttypes.h>
#include <search.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { OP_INLINE_ADD_U64 };
enum { CB_NO_REGS };

typedef void (*tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*exec_cb)(unsigned int cpu, void *arg);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_cb cb);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *ptr,
					      uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_cb cb, int flags,
					    void *arg);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

EXPORT int qemu_plugin_version = 1;

/* nopl disp32(%rax) with these displacements */
static const uint8_t mark_begin[] = { 0x0f, 0x1f, 0x80, 'S', 'T', 'R', '0' };
static const uint8_t mark_end[] = { 0x0f, 0x1f, 0x80, 'S', 'T', 'R', '1' };

/* a place: counters live as long as the guest */
struct place {
	uint64_t vaddr;
	uint64_t count;
	uint64_t before;
};

/* a tree by address. locking: none; one emulated CPU runs (counting machine) */
static void *places;
static const char *prefix;
static FILE *out;

static int place_cmp(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

static struct place *place_get(uint64_t vaddr)
{
	struct place key = { .vaddr = vaddr }, *p, **found = tfind(&key, &places, place_cmp);

	if (found)
		return *found;
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	p->vaddr = vaddr;
	if (!tsearch(p, &places, place_cmp))
		abort();
	return p;
}

static void note(const void *node, VISIT which, int depth)
{
	struct place *p = *(struct place *const *)node;

	(void)depth;
	if (which == preorder || which == leaf)
		p->before = p->count;
}

static void put(const void *node, VISIT which, int depth)
{
	const struct place *p = *(struct place *const *)node;

	(void)depth;
	if ((which == preorder || which == leaf) && p->count != p->before)
		fprintf(out, "%016" PRIx64 " %" PRIu64 "\n", p->vaddr, p->count - p->before);
}

static void begin(unsigned int cpu, void *arg)
{
	(void)cpu;
	(void)arg;
	twalk(places, note);
}

static void end(unsigned int cpu, void *arg)
{
	static int times;
	char name[4096];

	(void)cpu;
	(void)arg;
	snprintf(name, sizeof(name), "%s.%d", prefix, ++times);
	out = fopen(name, "w");
	if (!out) {
		perror(name);
		return;
	}
	twalk(places, put);
	fclose(out);
}

static bool is_mark(const struct qemu_plugin_insn *insn, const uint8_t mark[7])
{
	return qemu_plugin_insn_size(insn) == 7 && !memcmp(qemu_plugin_insn_data(insn), mark, 7);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t vaddr = qemu_plugin_tb_vaddr(tb);
	size_t i, n = qemu_plugin_tb_n_insns(tb);
	bool kernel = vaddr >> 63;

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, OP_INLINE_ADD_U64,
						 &place_get(kernel ? vaddr : 0)->count, n);
	for (i = 0; !kernel && i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (is_mark(insn, mark_begin))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, CB_NO_REGS, NULL);
		else if (is_mark(insn, mark_end))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end, CB_NO_REGS, NULL);
	}
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	int i;

	(void)info;
	for (i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			prefix = strdup(argv[i] + 4);
	if (!prefix) {
		fprintf(stderr, "where: out=PREFIX is missing\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
