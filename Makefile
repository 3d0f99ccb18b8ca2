# SPDX-License-Identifier: GPL-2.0-only
#
# Builds wgvia: the BPF object by clang, its skeleton by bpftool, one binary that holds both. `make help` lists the
# targets. Output goes to build/ (build-san/ with SAN=1), nothing is written beside the sources.

VERSION := 0.1.0

PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
DESTDIR ?=

CC ?= gcc
CLANG ?= clang
LLVM_STRIP ?= llvm-strip
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
INSTALL ?= install

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s%s\n'
endif
ifneq ($(findstring s,$(firstword -$(MAKEFLAGS))),) # make -s
say = @:
endif

B := build$(if $(SAN),-san)
comma := ,
SANITIZE := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)

LIBS := libbpf libelf zlib libmnl json-c libsystemd
ALL_CFLAGS = -std=gnu17 -O2 -g -Wall -Wextra -Wshadow -Werror -D_GNU_SOURCE -DWGVIA_VERSION='"$(VERSION)"' \
	-Iinclude -Iuser -I$(B) $(shell $(PKG_CONFIG) --cflags $(LIBS)) $(SANITIZE) $(CFLAGS)
ALL_LDFLAGS = $(SANITIZE) $(LDFLAGS)
ALL_LIBS = $(shell $(PKG_CONFIG) --libs $(LIBS)) -lm
BPF_CFLAGS := -target bpf -mcpu=v2 -std=gnu17 -O2 -g -Wall -Wextra -Wshadow -Werror -Iinclude -Ibpf \
	-idirafter /usr/include/$(shell $(CC) -dumpmachine)

BPF_OBJECT := $(B)/bpf/wgvia.bpf.o
SKELETON := $(B)/wgvia.skel.h
OBJECTS := $(patsubst user/%.c,$(B)/user/%.o,$(wildcard user/*.c))
LIBRARY := $(filter-out $(B)/user/main.o,$(OBJECTS))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*.c))
PROG_TESTS := $(patsubst tests/prog/%.c,$(B)/tests/prog/%,$(wildcard tests/prog/test_*.c))
BENCHMARKS := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(wildcard tests/bench/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(wildcard tests/fuzz/*.c))
TOOLS := $(patsubst tests/lib/%.c,$(B)/tests/lib/%,$(wildcard tests/lib/*.c))

all: $(B)/wgvia

help:
	@echo 'make             the program, build/wgvia'
	@echo 'make check       every test that this machine can run (scripts/check, as root)'
	@echo 'make tests       what the tests need, built but not run'
	@echo 'make fuzz        libFuzzer targets, build/tests/fuzz/*'
	@echo 'make bench       benchmarks, build/tests/bench/*'
	@echo 'make install     into $$(DESTDIR)$$(PREFIX) [$(PREFIX)]'
	@echo 'make clean       removes build/ and build-san/'
	@echo 'Variables: V=1 shows the commands, SAN=1 builds with ASan and UBSan into build-san/,'
	@echo '           CC, CLANG, BPFTOOL, CFLAGS, LDFLAGS, PREFIX, SBINDIR, DESTDIR'

$(B)/wgvia: $(OBJECTS)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS)

# -g for BTF; the DWARF that comes with it is of no use at run time
$(BPF_OBJECT): bpf/wgvia.bpf.c
	$(say) BPF $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@.tmp
	$(Q)$(LLVM_STRIP) -g $@.tmp
	$(Q)mv $@.tmp $@

$(SKELETON): $(BPF_OBJECT)
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name wgvia_bpf >$@.tmp 2>$(B)/bpf/skeleton.log || { cat $(B)/bpf/skeleton.log >&2; exit 1; }
	$(Q)mv $@.tmp $@

$(B)/user/%.o: user/%.c | $(SKELETON)
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

unit-tests: $(UNIT_TESTS)
fuzz: $(FUZZERS)
bench: $(BENCHMARKS)
tests: unit-tests fuzz bench $(PROG_TESTS) $(TOOLS) all
	$(Q)$(MAKE) --no-print-directory SAN=1 unit-tests all

$(B)/tests/unit/%: tests/unit/%.c $(LIBRARY)
	$(say) TEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIBRARY) -lcmocka $(ALL_LIBS)

# The pure part of user/ alone, all of it compiled for the fuzzer
$(B)/tests/fuzz/%: tests/fuzz/%.c user/config.c user/parse.c user/ip.c user/words.c user/error.c user/icmp.c user/datagram.c
	$(say) FUZZ $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) -std=gnu17 -O1 -g -Wall -Wextra -Wshadow -Werror -D_GNU_SOURCE -Iinclude -Iuser \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $^

# tests/prog/test_*.c and tests/bench/*.c are programs, the other files of tests/prog are shared by them
PROG_SHARED := $(filter-out $(wildcard tests/prog/test_*.c),$(wildcard tests/prog/*.c))
PROG_HEADERS := $(wildcard tests/prog/*.h) bpf/config.h include/wgvia_abi.h

$(B)/tests/prog/%: tests/prog/%.c $(PROG_SHARED) $(PROG_HEADERS) $(SKELETON)
	$(say) TEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Ibpf $(ALL_LDFLAGS) -o $@ $(filter %.c,$^) -lcmocka $(ALL_LIBS)

$(B)/tests/bench/%: tests/bench/%.c $(PROG_SHARED) $(PROG_HEADERS) $(SKELETON)
	$(say) BENCH $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Ibpf -Itests/prog $(ALL_LDFLAGS) -o $@ $(filter %.c,$^) -lcmocka $(ALL_LIBS)

$(B)/tests/lib/%: tests/lib/%.c
	$(say) TOOL $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -MF $@.d -o $@ $< $(ALL_LIBS)

check:
	$(Q)scripts/check

install: $(B)/wgvia
	$(say) INSTALL $(DESTDIR)$(SBINDIR)/wgvia
	$(Q)$(INSTALL) -D -m 0755 $(B)/wgvia $(DESTDIR)$(SBINDIR)/wgvia

clean:
	$(say) CLEAN 'build build-san'
	$(Q)rm -rf build build-san

-include $(BPF_OBJECT:.o=.d) $(OBJECTS:.o=.d) $(UNIT_TESTS:=.d) $(TOOLS:=.d)

.PHONY: all help unit-tests fuzz bench tests check install clean
.DELETE_ON_ERROR:
