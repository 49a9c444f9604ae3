// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages that user bytes are copied into. sk_page_frag_refill() takes a new block when
 * the task's is full, and the page allocator clears it first (init_on_alloc), which
 * costs as much as the copy that follows. A block whose segments have been acknowledged
 * and read is as good as new, and warm: full blocks wait in a ring of their CPU, and the
 * oldest one is taken again if nobody else refers to it any more.
 *
 * A block that is still in use when its turn comes leaves the ring; whoever uses it
 * frees it. So the ring never delays anything, and its size bounds what it keeps.
 *
 * What is left in a block from its last use is never seen: segments refer to what was
 * written, and nothing else.
 *
 * locking: the socket lock for the socket's or task's fragment; the ring is of the CPU.
 */

#include "tcp_int.h"

#define FRAG_RING	16			/* blocks a CPU keeps */
#define FRAG_SIZE	(PAGE_SIZE << SKB_FRAG_PAGE_ORDER)
#define FRAG_LEAST	32			/* bytes, as sk_page_frag_refill() */

struct frag_ring {
	struct page	*page[FRAG_RING];
	unsigned int	next;			/* the oldest */
};

static DEFINE_PER_CPU(struct frag_ring, frag_rings);

/* may it wait: nothing the allocator needs back, memory of this node? */
static bool frag_keepable(const struct page_frag *frag)
{
	return frag->size == FRAG_SIZE && !page_is_pfmemalloc(frag->page) &&
	       page_to_nid(frag->page) == numa_mem_id();
}

/* put the full block into the ring; the oldest one comes out, if it is free */
static void frag_turn(struct page_frag *frag)
{
	struct frag_ring *ring = get_cpu_ptr(&frag_rings);
	struct page **slot = &ring->page[ring->next];
	struct page *oldest = *slot;

	ring->next = (ring->next + 1) % FRAG_RING;
	*slot = frag->page;
	frag->page = NULL;
	put_cpu_ptr(&frag_rings);

	if (!oldest)
		return;
	if (page_ref_count(oldest) == 1) {
		frag->page = oldest;
		frag->size = FRAG_SIZE;
		frag->offset = 0;
	} else {
		put_page(oldest);
	}
}

bool strata_tcp_frag_refill(struct sock *sk, struct page_frag *frag)
{
	if (frag->page && frag->offset + FRAG_LEAST > frag->size &&
	    page_ref_count(frag->page) != 1 && frag_keepable(frag))
		frag_turn(frag);
	return sk_page_frag_refill(sk, frag);
}

void strata_tcp_frag_exit(void)
{
	int cpu, i;

	for_each_possible_cpu(cpu) {
		struct frag_ring *ring = per_cpu_ptr(&frag_rings, cpu);

		for (i = 0; i < FRAG_RING; i++)
			if (ring->page[i])
				put_page(ring->page[i]);
	}
}
