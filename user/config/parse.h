/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the words of the command line to values. Pure: it asks nobody, so what it refuses is wrong on every host
 * (exit status 2). What depends on this host is plan/plan.c's.
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
	char dev[IFNAMSIZ]; /* empty: left out */
};

/* Where words stand. */
struct place {
	unsigned int file; /* of the request's */
	unsigned int line; /* 0: in no file */
};

/* "from PREFIX|addresses|allowed-ips [via ADDRESS] [dev DEV] [or ADDRESS [dev DEV]]... [health KIND]" */
struct route_words {
	enum wgvia_source source;
	struct prefix from;	  /* of a source its family alone, which is that of `via`; 0: both */
	struct ip via;		  /* family 0: left out */
	char dev[IFNAMSIZ];	  /* empty: left out */
	struct hop_words *others; /* behind "or", in order of preference; most prefixes have none */
	size_t other_count;	  /* ROUTE_OTHERS at most */
	struct wgvia_watch watch; /* "health ...", of all of them */
	bool watch_given;
	struct place place;
};
#define ROUTE_OTHERS (WGVIA_FAILOVER_HOPS - 1)

void route_words_free(struct route_words *route); /* for cleanup(), too */

/* "also MAC" or "also ADDRESS [dev DEV]" */
struct also_words {
	bool is_mac;
	uint8_t mac[6];
	struct hop_words hop;
};

/* What the user asked for, in the order of the words. */
struct request {
	char tunnel[IFNAMSIZ];
	struct route_words *routes;
	size_t route_count;
	/* "from addresses" and the like: once without `via`, for the families that no other names, and once for each */
	struct route_words sources[(WGVIA_SOURCE_COUNT - 1) * 3];
	size_t source_count;
	bool from_given;   /* a word of the user's */
	bool without_from; /* "via ADDRESS ..." alone, which is "from addresses via ADDRESS ..." */
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
	struct accepted accepted; /* by a file: `up` has no word for it, and leaves what is running */
	bool is_file;
	char **files; /* that the statements were read from */
	size_t file_count;
	bool mode_given, on_fail_given, ret_given, outside_given, mss_given,
		counting_given; /* by a word of the user's */
	bool is_trial;		/* nothing is made of it, for it is only checked */
	bool by_agent;		/* nobody is there to hear a refusal: what cannot be followed is left out */
};

void request_free(struct request *request);

/* The prefix of a route, or the word for its source. */
const char *from_text(const struct route_words *route, char text[PREFIX_TEXT_LEN]);

/* An address, without prefix length. */
int parse_ip(const char *text, struct ip *ip, struct error *error);
/* "ADDRESS/LEN", or an address alone for that one host. Host bits are an error that shows the prefix meant. */
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

/* The words behind `up`. The request is to be freed by the caller, on failure too. */
int parse_up(int argc, char **argv, struct request *request, struct error *error);
/*
 * The words of one statement, as `up` has many of them and a line of a configuration has one: "from PREFIX ..."
 * as above, "bypass PREFIX", "mode fast|stack", "on-fail drop|pass", "outside pass|drop", "mss auto|N|off",
 * "return via|any|drop [also ...]", and, in a file alone, "accept FINDING reason TEXT", where TEXT is all words that
 * are left. It is added to the request, which holds the tunnel's name already and is the caller's to free, on failure
 * too.
 */
int parse_statement(int count, char **words, struct request *request, struct error *error);
/*
 * Whether a prefix is given twice with `from`: 1 and the indexes into `routes` of the first such second and of the one
 * before it, 0, or -ENOMEM.
 */
int parse_find_twice(const struct request *request, size_t *first, size_t *second, struct error *error);
/*
 * "IFACE from PREFIX|addresses|allowed-ips [via ADDRESS] [dev DEV] [or ADDRESS [dev DEV]]... [health KIND]", the words
 * behind `route add` and its sisters.
 * The route is to be freed by the caller, on failure too.
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
#define EXPLAIN_LEN_MAX 3400 /* what a test run takes, in one page with its own needs */
/* "IFACE from ADDRESS to ADDRESS [len N] [hop-limit N] [dir in|out]" */
int parse_explain(int argc, char **argv, struct explain_words *words, struct error *error);
/* Which decisions `trace` shows. */
struct trace_words {
	char tunnel[IFNAMSIZ];
	struct prefix from, to; /* family 0: any; of one family where both are there */
	uint32_t verdicts;	/* 1 << WGVIA_*; 0: all */
	unsigned int count;	/* ends after so many; 0: never */
};
/* "IFACE [from PREFIX] [to PREFIX] [verdict V]... [count N]" */
int parse_trace(int argc, char **argv, struct trace_words *words, struct error *error);
/* "IFACE [FILE] [interval SECONDS] [hold SECONDS] [tries N]", the words behind `run`. */
struct run_words {
	char tunnel[IFNAMSIZ];
	const char *path;      /* one of the words; NULL: none given */
	unsigned int interval; /* milliseconds */
	unsigned int hold;     /* milliseconds */
	unsigned int tries;
};
int parse_run(int argc, char **argv, struct run_words *words, struct error *error);
/* "IFACE", the only word of `down` and `save`. */
int parse_tunnel(int argc, char **argv, char tunnel[IFNAMSIZ], struct error *error);
/* "IFACE PREFIX", the words behind `bypass add` and `bypass del`. */
int parse_bypass(int argc, char **argv, char tunnel[IFNAMSIZ], struct prefix *prefix, struct error *error);

#endif
