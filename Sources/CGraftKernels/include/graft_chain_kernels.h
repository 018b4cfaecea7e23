/** Linear-chain conditional random fields: how likely labels are together, and the best ones. */
#ifndef GRAFT_CHAIN_KERNELS_H
#define GRAFT_CHAIN_KERNELS_H

#include "graft_kernels.h"

/** A labelling y of a chain of T places scores
 * starts[y_1] + Σ_t logits[t, y_t] + Σ_t transitions[y_t, y_(t+1)] + ends[y_T], and is as likely as
 * e^score is of all labellings' sum. transitions [classes, classes], the others [classes]. */
typedef struct gk_chain {
    int64_t classes;
    const float *transitions, *starts, *ends;
} gk_chain;
typedef struct gk_chain_gradients {
    float *transitions, *starts, *ends;
} gk_chain_gradients;

/**
 * -log likelihood of the labels of m rows from logits [tokens, classes]: row r has the tokens from
 * starts[r] to starts[r + 1], counted so that logits and labels are those of token starts[0].
 * Tokens whose label is below zero are no places of the chain.
 *
 * Adds the losses of the rows to *loss and how many places they have to *weight (in double, in row
 * order). Writes dlogits = scale · d loss / d logits where not NULL (it may be logits), and adds
 * scale times the others where those of `gradients` are not NULL. `work` has room for
 * 2 (tokens · classes + m) doubles.
 */
void gk_chain_loss(const gk_team *team, const gk_chain *chain, int64_t m, const int64_t *starts,
                   const float *logits, int64_t ldl, const int32_t *labels, float scale, double *work,
                   float *dlogits, int64_t lddl, const gk_chain_gradients *gradients, double *loss,
                   double *weight);

/**
 * The likeliest labelling of one row of n tokens, whose places are the tokens that have labels of 0
 * and more: best [n], -1 for other tokens; of equals the one whose last label is the smallest, and
 * so on to the first.
 *
 * `marginals` [n, classes], where not NULL, gets the logarithm of each label's probability at each
 * place (it may be logits) and is left as it is elsewhere. `work` has room for 2 n · classes
 * doubles.
 */
void gk_chain_decode(const gk_chain *chain, int64_t n, const float *logits, int64_t ldl,
                     const int32_t *labels, double *work, int32_t *best, float *marginals, int64_t ldm);

#endif
