/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A domain with several services, the houses of a street: two banks and a warden, which are typed, and two plain ones, shops. Each has an
 * account of its own. NAME.w, NAME.b1, NAME.b2, NAME.s1, NAME.s2; `kind` is the loop: "warden" (his), "once" (ipc_serve_once) or "door". */
int street_main(const char *name, const char *kind);

/* What a shop understands. The reply's word 0 is its account, word 1 its number. */
enum { SHOP_PUT = 1, SHOP_HEARD };
#define GUEST_TAG  5 /* a connection that a shop is given under it: it puts GUEST_GIFT there, and what it hears is its account */
#define GUEST_GIFT 1000
