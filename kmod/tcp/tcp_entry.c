// SPDX-License-Identifier: GPL-2.0-only
/*
 * Empty entries for the write queue. Of a short exchange's instructions a good tenth went into
 * taking an fclone skb with its head from the slabs, clearing it and giving it back. An
 * acknowledged entry that nobody else refers to is as good as a new one once the few fields
 * that were used are zero, so each CPU keeps the last ones for who needs one next: two, as many
 * as a short connection has under way when both its ends say something before they close.
 *
 * Taken and left by one exchange with a slot of the CPU, which softirqs may interrupt anywhere:
 * nothing to lock. What a CPU keeps is these entries, until the module leaves.
 */

#include "tcp_int.h"

#define ENTRY_SLOTS	2

static DEFINE_PER_CPU(struct sk_buff *, entry_slot[ENTRY_SLOTS]);

struct sk_buff *strata_tcp_entry_alloc(gfp_t gfp)
{
	struct sk_buff *skb = this_cpu_xchg(entry_slot[0], NULL);

	if (!skb)
		skb = this_cpu_xchg(entry_slot[1], NULL);
	if (likely(skb)) {
		/* where a reader on another CPU sends what it has read */
		skb->alloc_cpu = raw_smp_processor_id();
		return skb;
	}
	skb = alloc_skb_fclone(STRATA_TCP_HEADROOM, gfp);
	if (skb)
		skb_reserve(skb, STRATA_TCP_HEADROOM);
	return skb;
}

/* is it ours alone, and has it had nothing but bytes copied into pages? */
static bool entry_reusable(struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	const struct sk_buff_fclones *both = container_of(skb, struct sk_buff_fclones, skb1);

	/* an entry itself never goes below TCP, where it might get these */
	DEBUG_NET_WARN_ON_ONCE(shinfo->frag_list || skb_has_extensions(skb));
	if (refcount_read(&both->fclone_ref) != 1 || skb_cloned(skb) || shinfo->nr_frags > 1 ||
	    shinfo->flags || shinfo->tx_flags || skb_pfmemalloc(skb))
		return false;
	/* a clone's last look at the head came before its reference went */
	smp_acquire__after_ctrl_dep();
	return true;
}

/* as alloc_skb_fclone() and skb_reserve() leave it */
static void entry_reset(struct sk_buff *skb)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	if (shinfo->nr_frags)
		skb_frag_unref(skb, 0);
	memset(shinfo, 0, offsetof(struct skb_shared_info, dataref));
	atomic_set(&shinfo->dataref, 1);
	skb->next = NULL;
	skb->prev = NULL;
	skb->dev = NULL;
	skb->tstamp = 0;
	memset(skb->cb, 0, sizeof(skb->cb));
	skb->len = 0;
	skb->data_len = 0;
	skb->cloned = 0;
	skb->nohdr = 0;
}

void strata_tcp_entry_free(struct sk_buff *skb)
{
	if (entry_reusable(skb)) {
		entry_reset(skb);
		if (!this_cpu_cmpxchg(entry_slot[0], NULL, skb) ||
		    !this_cpu_cmpxchg(entry_slot[1], NULL, skb))
			return;
	}
	__kfree_skb(skb);
}

void strata_tcp_entry_exit(void)
{
	int cpu, i;

	for_each_possible_cpu(cpu)
		for (i = 0; i < ENTRY_SLOTS; i++)
			kfree_skb(per_cpu(entry_slot[i], cpu));
}
