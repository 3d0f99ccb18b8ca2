/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the words of the command line to values. Pure: no I/O, so what it refuses is wrong on every host (exit status
 * 2). plan/plan.c checks what depends on this host.
 */
#ifndef WGVIA_PARSE_H
#define WGVIA_PARSE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "config/accepted.h"
#include "config/state.h"
#include "wgvia_abi.h"

/* "ADDRESS [dev DEV]" */
struct hop_words {
	struct ip via;
	char dev[IFNAMSIZ]; /* empty: omitted */
};

/* Position of words in a file. */
struct place {
	unsigned int file; /* of the request's */
	unsigned int line; /* 0: not in a file */
};

/* "from PREFIX|addresses|allowed-ips [via ADDRESS] [dev DEV] [or ADDRESS [dev DEV]]... [health KIND]" */
struct route_words {
	enum wgvia_source source;
	struct prefix from;	  /* for a source only its family, which is that of `via`; 0: both */
	struct ip via;		  /* family 0: omitted */
	char dev[IFNAMSIZ];	  /* empty: omitted */
	struct hop_words *others; /* after "or", in order of preference; most prefixes have none */
	size_t other_count;	  /* at most ROUTE_OTHERS */
	struct wgvia_watch watch; /* "health ...", for all of them */
	bool watch_given;
	struct place place;
};
#define ROUTE_OTHERS (WGVIA_FAILOVER_HOPS - 1)

void route_words_free(struct route_words *route); /* also for cleanup() */

/* "also MAC" or "also ADDRESS [dev DEV]" */
struct also_words {
	bool is_mac;
	uint8_t mac[6];
	struct hop_words hop;
};

/* The user's request, in the order of the words. */
struct request {
	char tunnel[IFNAMSIZ];
	struct route_words *routes;
	size_t route_count;
	/*
	 * "from addresses" and similar: once without `via`, for the families without one of their own, and once for
	 * each family
	 */
	struct route_words sources[(WGVIA_SOURCE_COUNT - 1) * 3];
	size_t source_count;
	bool from_given;   /* the user gave a `from` */
	bool without_from; /* "via ADDRESS ..." alone, short for "from addresses via ADDRESS ..." */
	struct prefix *bypass;
	size_t bypass_count;
	enum wgvia_mode mode;
	enum wgvia_on_fail on_fail;
	enum wgvia_return ret;
	enum wgvia_outside outside;
	uint32_t mss; /* as in struct wgvia_meta */
	enum wgvia_counting counting;
	struct also_words *also;
	size_t also_count;
	struct accepted accepted; /* only from a file: `up` has no word for it, and keeps the running ones */
	bool is_file;
	char **files; /* the files from which the statements were read */
	size_t file_count;
	bool mode_given, on_fail_given, ret_given, outside_given, mss_given,
		counting_given; /* the user gave the word */
	bool is_trial;		/* nothing is applied: the request is only checked */
	bool by_agent;		/* no user reads a refusal: what cannot be followed is omitted */
	uint64_t text_hash;	/* of all lines of the files; see hash_bytes() */
};

void request_free(struct request *request);

/* The prefix of a route, or the word for its source. */
const char *from_text(const struct route_words *route, char text[PREFIX_TEXT_LEN]);

/* An address, without prefix length. */
int parse_ip(const char *text, struct ip *ip, struct error *error);
/* "ADDRESS/LEN", or an address for a single host. Host bits are an error that shows the corrected prefix. */
int parse_prefix(const char *text, struct prefix *prefix, struct error *error);
/* The kernel's dev_valid_name(): 1 to 15 characters, no '/', ':' or white space, not "." or "..". */
int parse_ifname(const char *text, char name[IFNAMSIZ], struct error *error);
int parse_mode(const char *text, enum wgvia_mode *mode, struct error *error);
int parse_on_fail(const char *text, enum wgvia_on_fail *on_fail, struct error *error);
int parse_outside(const char *text, enum wgvia_outside *outside, struct error *error);
/* "auto", "off", or WGVIA_MSS_MIN to WGVIA_MSS_MAX, as in struct wgvia_meta. */
int parse_counting(const char *text, enum wgvia_counting *counting, struct error *error);
int parse_mss(const char *text, uint32_t *mss, struct error *error);
int parse_return(const char *text, enum wgvia_return *ret, struct error *error);

/* Parses the words after `up`. The caller frees the request, on failure as well. */
int parse_up(int argc, char **argv, struct request *request, struct error *error);
/*
 * Parses the words of one statement; `up` has many of them, a line of a configuration has one: "from PREFIX ..." as
 * above, "bypass PREFIX", "mode fast|stack", "on-fail drop|pass", "outside pass|drop", "mss auto|N|off", "return
 * via|any|drop [also ...]" and, only in a file, "accept FINDING reason TEXT", where TEXT is all remaining words. The
 * statement is added to the request, which already has the tunnel's name. The caller frees the request, on failure as
 * well.
 */
int parse_statement(int count, char **words, struct request *request, struct error *error);
/*
 * Whether a prefix is given twice with `from`. 1: it is, and `*second` and `*first` are the indexes into `routes` of
 * the first repetition and of the one that it repeats; 0; -ENOMEM.
 */
int parse_find_twice(const struct request *request, size_t *first, size_t *second, struct error *error);
/*
 * "IFACE from PREFIX|addresses|allowed-ips [via ADDRESS] [dev DEV] [or ADDRESS [dev DEV]]... [health KIND]", the words
 * after `route add`, `route del` and `route replace`. The caller frees the route, on failure as well.
 */
int parse_route(int argc, char **argv, char tunnel[IFNAMSIZ], struct route_words *route, struct error *error);
/* The packet that `explain` is about. */
enum explain_direction { EXPLAIN_ANY, EXPLAIN_OUT, EXPLAIN_IN };
struct explain_words {
	char tunnel[IFNAMSIZ];
	struct ip from, to; /* of one family */
	unsigned int len;   /* of the IP packet, in bytes */
	unsigned int hop_limit;
	enum explain_direction direction;
};
#define EXPLAIN_LEN_MAX 3400 /* what a test run accepts, in one page together with its own data */
/* "IFACE from ADDRESS to ADDRESS [len N] [hop-limit N] [dir in|out]" */
int parse_explain(int argc, char **argv, struct explain_words *words, struct error *error);
/* Which decisions `trace` shows. */
struct trace_words {
	char tunnel[IFNAMSIZ];
	struct prefix from, to; /* family 0: any; if both are given, of one family */
	uint32_t verdicts;	/* 1 << WGVIA_*; 0: all */
	unsigned int count;	/* stop after this many; 0: never */
};
/* "IFACE [from PREFIX] [to PREFIX] [verdict V]... [count N]" */
int parse_trace(int argc, char **argv, struct trace_words *words, struct error *error);
/* "IFACE [FILE] [interval SECONDS] [hold SECONDS] [tries N]", the words after `run`. */
struct run_words {
	char tunnel[IFNAMSIZ];
	const char *path;      /* one of the words; NULL: not given */
	unsigned int interval; /* milliseconds */
	unsigned int hold;     /* milliseconds */
	unsigned int tries;
};
int parse_run(int argc, char **argv, struct run_words *words, struct error *error);
/* "IFACE", the only word of `down` and `save`. */
int parse_tunnel(int argc, char **argv, char tunnel[IFNAMSIZ], struct error *error);
/* "IFACE PREFIX", the words after `bypass add` and `bypass del`. */
int parse_bypass(int argc, char **argv, char tunnel[IFNAMSIZ], struct prefix *prefix, struct error *error);

#endif
