# SPDX-License-Identifier: GPL-2.0-only
#
# Strata: module, tools, tests. `make help` lists the goals.
#
# K=RELEASE   the kernel to build for: a release whose headers are installed
#             (the running one when unset), 6.1 or 6.12 (the newest installed of
#             that series), debug or sim (the kernels of selftests/vm)
# PREFIX      where the tools go (/usr/local), DESTDIR in front of it
#
# The module is built in build/RELEASE, a tree of links to the sources, so that
# several releases stand side by side and the sources stay clean. W=1, C=2 and
# other options of the kernel's build are passed on.

MAKEFLAGS += --no-print-directory
PREFIX	?= /usr/local
BUILD	:= $(CURDIR)/build
CACHE	:= $(or $(STRATA_CACHE),$(HOME)/.cache/strata)
VERSION	:= 0.1
VM	:= selftests/vm/run
MODULES	:= strata.ko strata_bbr.ko strata_dctcp.ko

all: module userspace

# --- which kernel ---------------------------------------------------------
# Only for the goals that need one: finding out may build a kernel.
ifneq ($(filter all module install uninstall dkms-install,$(or $(MAKECMDGOALS),all)),)
ifneq ($(filter 6.1 6.12 debug sim,$(K)),)
  override RELEASE := $(shell $(VM) -k $(K) --kernel)
  $(if $(RELEASE),,$(error no kernel for K=$(K)))
else
  override RELEASE := $(or $(K),$(shell uname -r))
endif
ifneq ($(filter debug sim,$(K)),)
  KDIR	:= $(CACHE)/k/$(K)
else
  KDIR	:= /lib/modules/$(RELEASE)/build
endif
ifneq ($(filter-out uninstall,$(or $(MAKECMDGOALS),all)),)
ifeq ($(wildcard $(KDIR)/Makefile),)
  $(error No headers for kernel $(RELEASE) in $(KDIR). \
	Install linux-headers-$(RELEASE) or choose with K= one of: \
	$(or $(patsubst /lib/modules/%/build/Makefile,%,$(wildcard /lib/modules/*/build/Makefile)),(none installed)))
endif
endif
ifeq ($(K),sim)
  KARCH	:= ARCH=um
endif
endif
MDIR	:= $(BUILD)/$(RELEASE)

# --- build ----------------------------------------------------------------
module: mirror
	@echo "module: $(MDIR)/strata.ko"
	@$(MAKE) -C $(KDIR) $(KARCH) M=$(MDIR) modules

# Links to what the module is made of; those to files that went are removed.
mirror:
	@mkdir -p $(MDIR)
	@find $(MDIR) -xtype l -delete
	@cp -rsn $(CURDIR)/Kbuild $(CURDIR)/kmod $(CURDIR)/uapi $(MDIR)/

userspace:
	@mkdir -p $(BUILD)
	@$(MAKE) -C userspace O=$(BUILD) PREFIX=$(PREFIX)

clean:
	rm -rf $(BUILD)

# --- install --------------------------------------------------------------
install: all
	install -d $(DESTDIR)/lib/modules/$(RELEASE)/updates
	install -m 644 $(MODULES:%=$(MDIR)/%) $(DESTDIR)/lib/modules/$(RELEASE)/updates/
	[ -n "$(DESTDIR)" ] || /sbin/depmod -a $(RELEASE)
	$(MAKE) -C userspace O=$(BUILD) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) install
	@echo "Installed: module for $(RELEASE) (modprobe strata), tools in $(DESTDIR)$(PREFIX)"

uninstall:
	rm -f $(MODULES:%=$(DESTDIR)/lib/modules/$(RELEASE)/updates/%)
	@rmdir $(DESTDIR)/lib/modules/$(RELEASE)/updates 2>/dev/null || :
	[ -n "$(DESTDIR)" ] || /sbin/depmod -a $(RELEASE)
	$(MAKE) -C userspace O=$(BUILD) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) uninstall

# DKMS builds the module for K, and anew for each kernel that is installed later.
dkms-install:
	@command -v dkms >/dev/null || { echo "dkms is not installed: apt-get install dkms" >&2; exit 1; }
	-dkms remove strata/$(VERSION) --all 2>/dev/null
	rm -rf /usr/src/strata-$(VERSION)
	mkdir -p /usr/src/strata-$(VERSION)
	cp -r Kbuild kmod uapi /usr/src/strata-$(VERSION)/
	printf '%s\n' 'PACKAGE_NAME="strata"' 'PACKAGE_VERSION="$(VERSION)"' \
		'BUILT_MODULE_NAME[0]="strata"' 'DEST_MODULE_LOCATION[0]="/updates"' \
		'BUILT_MODULE_NAME[1]="strata_bbr"' 'DEST_MODULE_LOCATION[1]="/updates"' \
		'BUILT_MODULE_NAME[2]="strata_dctcp"' 'DEST_MODULE_LOCATION[2]="/updates"' \
		'AUTOINSTALL="yes"' > /usr/src/strata-$(VERSION)/dkms.conf
	dkms install strata/$(VERSION) -k $(RELEASE)

# --- what is needed, demo, tests ------------------------------------------
deps:
	@selftests/deps

demo:
	@selftests/deps $(if $(HERE),--here)
	@selftests/demo/run $(if $(HERE),--here,$(if $(K),-k $(K)))

test: deps
	@selftests/run-parts quick

test-all: deps
	@selftests/run-parts full

bench: deps
	@selftests/bench/run

lint: deps
	@selftests/lint/run

help:
	@echo "make               module for the running kernel and the tools, in build/"
	@echo "make K=RELEASE     the same for another installed kernel"
	@echo "make deps          install the Debian packages all this needs"
	@echo "make demo          nginx and curl over Strata in a guest (HERE=1: on this kernel;"
	@echo "                   K=6.1, K=debug: a guest of that machine, not 6.12)"
	@echo "make test          the tests' quick form, in guests; test-all: all, in their long forms"
	@echo "make bench         instructions per byte, round trip and connection, against native"
	@echo "make lint          architecture and style rules"
	@echo "make install       module for modprobe, tools to PREFIX; uninstall; dkms-install"
	@echo "make clean         remove build/"

.PHONY: all module mirror userspace clean install uninstall dkms-install deps demo \
	test test-all bench lint help
