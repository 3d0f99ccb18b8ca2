# SPDX-License-Identifier: GPL-2.0-only
#
# Builds wgvia: the BPF object with clang, its skeleton with bpftool, one binary that contains both. `make help` lists
# the targets. Output goes to build/ (build-san/ with SAN=1); nothing is written beside the sources.

# The changelog is the only place that defines it
VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' packaging/debian/changelog)

PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
DATADIR ?= $(PREFIX)/share
DOCDIR ?= $(DATADIR)/doc/wgvia
UNITDIR ?= $(PREFIX)/lib/systemd/system
ZSHDIR ?= $(DATADIR)/zsh/site-functions
DESTDIR ?=

# For another machine: ARCH=arm64 for example, or CROSS_COMPILE as for the kernel, and SYSROOT if its libraries are not
# this host's. clang and bpftool are this host's own.
CPU := $(patsubst arm64,aarch64,$(patsubst amd64,x86_64,$(ARCH)))
CROSS_COMPILE ?= $(addsuffix -linux-gnu-,$(filter-out $(shell uname -m),$(CPU)))
ifeq ($(origin CC),default) # make's default
CC := $(CROSS_COMPILE)gcc
endif
ifneq ($(SYSROOT),)
override CC += --sysroot=$(SYSROOT)
endif
ifeq ($(origin AR),default)
AR := $(CROSS_COMPILE)ar
endif
CLANG ?= clang
CLANG_TIDY ?= clang-tidy-19
LLVM_STRIP ?= llvm-strip
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
PKG_CONFIG ?= $(if $(CROSS_COMPILE),$(or $(if $(SYSROOT),,$(shell command -v $(CROSS_COMPILE)pkg-config)),env \
	PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) \
	PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(CROSS_COMPILE:-=)/pkgconfig pkg-config),pkg-config)
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

# Warnings are errors only in a checkout: a later compiler must not break the build of a release
WARNINGS := -Wall -Wextra -Wshadow $(if $(wildcard .git),-Werror)

LIBS := libbpf libelf zlib libmnl json-c
LANGUAGE = -std=gnu17 -D_GNU_SOURCE -Iinclude -Iuser -iquote. -I$(B) $(shell $(PKG_CONFIG) --cflags $(LIBS))
ALL_CFLAGS = $(LANGUAGE) -DWGVIA_VERSION='"$(VERSION)"' -O2 -g $(WARNINGS) $(SANITIZE) \
	$(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(SANITIZE) $(LDFLAGS)
ALL_LIBS = $(shell $(PKG_CONFIG) --libs $(LIBS)) -lm
# Where Debian has asm/types.h, which is the same for every machine
MULTIARCH := $(subst -pc-,-,$(shell $(CC) -dumpmachine))
# The map: BTF contains names of sources, and the same sources must give the same object in any folder
BPF_CFLAGS := -target bpf -mcpu=v2 -std=gnu17 -O2 -g $(WARNINGS) -Iinclude -Ibpf \
	-ffile-prefix-map=$(CURDIR)=. \
	$(addprefix -idirafter ,$(wildcard $(patsubst %,$(SYSROOT)/usr/include/%,$(MULTIARCH)) \
		$(patsubst %,/usr/%/include,$(MULTIARCH))))

BPF_OBJECTS := $(B)/bpf/wgvia.bpf.o $(B)/bpf/gateways.bpf.o $(B)/bpf/lost.bpf.o $(B)/bpf/index/changes.bpf.o
FLOORS_OBJECT := $(B)/tests/bench/floors.bpf.o
SKELETONS := $(B)/wgvia.skel.h $(B)/gateways.skel.h $(B)/lost.skel.h $(B)/changes.skel.h
SOURCES := $(wildcard user/*.c user/*/*.c user/*/*/*.c)
OBJECTS := $(SOURCES:%.c=$(B)/%.o)
LIBRARY := $(filter-out $(B)/user/main.o,$(OBJECTS))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*.c))
PROG_TESTS := $(patsubst tests/prog/%.c,$(B)/tests/prog/%,$(wildcard tests/prog/test_*.c))
BENCHMARKS := $(addprefix $(B)/tests/bench/,path scale wire peers)
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(wildcard tests/fuzz/*.c))
TOOLS := $(patsubst tests/lib/%.c,$(B)/tests/lib/%,$(wildcard tests/lib/*.c)) $(B)/tests/net/fault.so

all: $(B)/wgvia

help:
	@echo 'make             the program, build/wgvia'
	@echo 'make check       every test that this machine can run (scripts/check, as root)'
	@echo 'make lint        clang-format, clang-tidy, shellcheck, mandoc'
	@echo 'make tidy        clang-tidy alone'
	@echo 'make tests       what the tests need, built but not run; or a part of it:'
	@echo 'make unit-tests  unit tests, build/tests/unit/*'
	@echo 'make prog-tests  test runs of the BPF programs, build/tests/prog/*'
	@echo 'make fuzz        libFuzzer targets, build/tests/fuzz/*'
	@echo 'make bench       benchmarks, build/tests/bench/*'
	@echo 'make tools       programs and libraries that tests call, build/tests/lib/*'
	@echo 'make install     into $$(DESTDIR)$$(PREFIX) [$(PREFIX)]'
	@echo 'make uninstall   removes what install has installed'
	@echo 'make dist        the source archive, build/wgvia-$(VERSION).tar.gz'
	@echo 'make clean       removes build/ and build-san/'
	@echo 'Variables: V=1 shows the commands, SAN=1 builds with ASan and UBSan into build-san/,'
	@echo '           SYSTEMD=no installs no units, ARCH=arm64 or CROSS_COMPILE, and SYSROOT, build for another machine,'
	@echo '           CC, AR, CLANG, CLANG_TIDY, LLVM_STRIP, BPFTOOL, PKG_CONFIG, INSTALL, CPPFLAGS, CFLAGS, LDFLAGS,'
	@echo '           DESTDIR, PREFIX, SBINDIR, DATADIR, DOCDIR, UNITDIR, ZSHDIR'

$(B)/wgvia: $(OBJECTS)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LIBS)

# -g for BTF; the DWARF that comes with it is not needed at run time
$(BPF_OBJECTS) $(FLOORS_OBJECT): $(B)/%.bpf.o: %.bpf.c
	$(say) BPF $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@.tmp
	$(Q)$(LLVM_STRIP) -g $@.tmp
	$(Q)$(CLANG) --version | sed -n 1p >$(@:.o=.compiler)
	$(Q)mv $@.tmp $@

$(B)/%.skel.h: $(B)/bpf/%.bpf.o
	$(call skeleton,$*)
$(B)/%.skel.h: $(B)/bpf/index/%.bpf.o
	$(call skeleton,$*)
$(B)/%.skel.h: $(B)/tests/bench/%.bpf.o
	$(call skeleton,$*)

define skeleton
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name $(1)_bpf >$@.tmp 2>$<.log || { cat $<.log >&2; exit 1; }
	$(Q)mv $@.tmp $@
endef

# Reports a missing library once, before the compiler complains about each file
$(B)/libraries:
	@mkdir -p $(@D)
	$(Q)$(PKG_CONFIG) --print-errors --exists $(LIBS) || { echo 'wgvia needs: $(LIBS) (scripts/deps build)' >&2; exit 1; }
	$(Q)touch $@

$(B)/user/%.o: user/%.c | $(SKELETONS) $(B)/libraries
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

unit-tests: $(UNIT_TESTS)
prog-tests: $(PROG_TESTS)
fuzz: $(FUZZERS)
bench: $(BENCHMARKS)
tools: $(TOOLS)
tests: unit-tests fuzz bench prog-tests tools all
	$(Q)$(MAKE) --no-print-directory SAN=1 unit-tests all

$(B)/tests/unit/%: tests/unit/%.c $(LIBRARY)
	$(say) TEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIBRARY) -lcmocka $(ALL_LIBS)

# For the fuzzer, compiled by clang with sanitizers: the rooms that do not use libbpf, and the reader of rulesets
FUZZED := $(wildcard user/base/*.c user/config/*.c user/host/*.c user/plan/*.c user/import/*.c user/check/ruleset*.c user/check/traffic.c)
FUZZ_OBJECTS := $(FUZZED:%.c=$(B)/fuzz/%.o)
FUZZ_CFLAGS = $(LANGUAGE) -O1 -g $(WARNINGS) -fno-sanitize-recover=all

$(FUZZ_OBJECTS): $(B)/fuzz/%.o: %.c
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c $< -o $@

# An archive, so that each target links only the objects that it uses
$(B)/fuzz/user.a: $(FUZZ_OBJECTS)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/tests/fuzz/%: tests/fuzz/%.c $(B)/fuzz/user.a
	$(say) FUZZ $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer,address,undefined -o $@ $^ -lmnl -ljson-c

# tests/prog/test_*.c are programs, and so are bench/path.c and bench/wire.c; they share the other files
PROG_SHARED := $(filter-out $(wildcard tests/prog/test_*.c),$(wildcard tests/prog/*.c))
PROG_HEADERS := $(wildcard tests/prog/*.h) bpf/config.h bpf/index/index_lines.h include/wgvia_abi.h
# What builds an index, and its input
PROG_USER := $(patsubst %,$(B)/user/%.o,datapath/index/index config/state base/ip)

$(B)/tests/prog/%: tests/prog/%.c $(PROG_SHARED) $(PROG_HEADERS) $(PROG_USER) $(SKELETONS)
	$(say) TEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Ibpf $(ALL_LDFLAGS) -o $@ $(filter %.c %.o,$^) -lcmocka $(ALL_LIBS)

$(B)/tests/bench/path $(B)/tests/bench/scale: $(B)/tests/bench/%: tests/bench/%.c $(PROG_SHARED) $(PROG_HEADERS) $(SKELETONS)
$(B)/tests/bench/wire: tests/bench/wire.c tests/bench/lane.c tests/bench/traffic.c tests/prog/packets.c \
		$(wildcard tests/bench/*.h) tests/prog/packets.h $(B)/floors.skel.h
$(B)/tests/bench/peers: tests/bench/peers.c $(LIBRARY)
$(BENCHMARKS):
	$(say) BENCH $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Ibpf -Itests/prog $(ALL_LDFLAGS) -o $@ $(filter %.c %.o,$^) -lcmocka -lpthread $(ALL_LIBS)

$(B)/tests/lib/%: tests/lib/%.c
	$(say) TOOL $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -MF $@.d -o $@ $< $(ALL_LIBS)

# For LD_PRELOAD
$(B)/tests/net/%.so: tests/net/%.c
	$(say) TOOL $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(LANGUAGE) -O2 -g $(WARNINGS) -fPIC -shared -MMD -MP -MF $@.d -o $@ $<

check:
	$(Q)scripts/check

lint: $(SKELETONS) $(B)/floors.skel.h
	$(Q)bats tests/lint

# .clang-tidy lists the checks. With ANALYZER=no it takes a fifth of the time.
TIDIED = $(filter-out %.bpf.c,$(SOURCES) $(wildcard tests/*/*.c))
tidy: $(SKELETONS) $(B)/floors.skel.h
	$(say) TIDY '$(words $(TIDIED)) files'
	$(Q)printf '%s\n' $(TIDIED) | xargs -P "$$(nproc)" -n 4 sh -c '$(CLANG_TIDY) --quiet \
		$(if $(filter no,$(ANALYZER)),--checks=-clang-analyzer-*) "$$@" -- $(LANGUAGE) \
		-DWGVIA_VERSION=VERSION -DVERSION=\"\" -Ibpf -Itests/prog 2>/dev/null' sh

# SOURCE=DESTINATION for installation. `make` creates all of it, so that root builds nothing.
UNITS := $(if $(filter no,$(SYSTEMD)),,$(wildcard packaging/systemd/*.service packaging/systemd/*.timer))
MAN := $(wildcard man/*.[1-8])
INSTALLED = \
	$(B)/wgvia=$(SBINDIR)/wgvia \
	packaging/completion/wgvia=$(DATADIR)/bash-completion/completions/wgvia \
	packaging/completion/wgvia=$(ZSHDIR)/_wgvia \
	packaging/completion/wgvia.fish=$(DATADIR)/fish/vendor_completions.d/wgvia.fish \
	packaging/grafana/wgvia.json=$(DATADIR)/wgvia/grafana/wgvia.json \
	packaging/prometheus/wgvia.rules.yml=$(DATADIR)/wgvia/prometheus/wgvia.rules.yml \
	docs/wgvia.schema.json=$(DOCDIR)/wgvia.schema.json \
	$(foreach unit,$(UNITS),$(unit)=$(UNITDIR)/$(notdir $(unit))) \
	$(foreach page,$(MAN),$(page)=$(DATADIR)/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))

install: $(B)/wgvia
	$(say) INSTALL '$(DESTDIR)$(PREFIX)'
	$(Q)set -e; for pair in $(INSTALLED); do \
		$(INSTALL) -D -m 0644 "$${pair%%=*}" "$(DESTDIR)$${pair#*=}"; \
	done
	$(Q)chmod 0755 "$(DESTDIR)$(SBINDIR)/wgvia"
	$(Q)for unit in $(notdir $(UNITS)); do \
		sed -i 's|/usr/local/sbin/|$(SBINDIR)/|g' "$(DESTDIR)$(UNITDIR)/$$unit" || exit; \
	done

uninstall:
	$(say) REMOVE '$(DESTDIR)$(PREFIX)'
	$(Q)for pair in $(INSTALLED); do \
		rm -f "$(DESTDIR)$${pair#*=}" || exit; \
	done
	$(Q)for folder in $(DATADIR)/wgvia/grafana $(DATADIR)/wgvia/prometheus $(DATADIR)/wgvia $(DOCDIR); do \
		rmdir --ignore-fail-on-non-empty "$(DESTDIR)$$folder" 2>/dev/null; \
	done || true
	$(Q)[ -n "$(DESTDIR)" ] || scripts/leftovers $(PIN_DIR)

# The same sources make the same archive: sorted names, one time for all, no user names, no unrelated files
DIST := Makefile README.md CHANGELOG.md CONTRIBUTING.md CODE_OF_CONDUCT.md docs .clang-format .clang-tidy .editorconfig .gitignore .ci .github LICENSES bpf include user $(wildcard man) packaging scripts tests
RELEASED := $(shell sed -n '/^ -- /{s/.*>  //p;q}' packaging/debian/changelog)

dist:
	$(say) DIST $(B)/wgvia-$(VERSION).tar.gz
	@mkdir -p $(B)
	$(Q)tar --create --sort=name --format=gnu --mtime='$(RELEASED)' --owner=root:0 --group=root:0 \
		--mode=u+rw,go=rX --exclude-backups --exclude=__pycache__ --transform='s,^,wgvia-$(VERSION)/,' $(DIST) | \
		gzip -9n >$(B)/wgvia-$(VERSION).tar.gz.tmp
	$(Q)mv $(B)/wgvia-$(VERSION).tar.gz.tmp $(B)/wgvia-$(VERSION).tar.gz

clean:
	$(say) CLEAN 'build build-san'
	$(Q)rm -rf build build-san

-include $(BPF_OBJECTS:.o=.d) $(FLOORS_OBJECT:.o=.d) $(OBJECTS:.o=.d) $(FUZZ_OBJECTS:.o=.d) $(UNIT_TESTS:=.d) $(TOOLS:=.d)

.PHONY: all help unit-tests prog-tests fuzz bench tools tests check lint tidy install uninstall dist clean
.DELETE_ON_ERROR:
