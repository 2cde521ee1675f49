# make help       prints this list
# make            builds the shared library in build/lib
# make sandbox    builds the local stand-in for the service, target/debug/nexmo-sandbox
# make demo       reports conversions from C and from Python to the sandbox
# make generate   writes the header and every other file that is generated from src/ffi
# make test       runs the Rust, C and Python tests; needs Rust, a C compiler, make, and Python 3.9 with venv
# make check      runs lints, and tests with valgrind, sanitizers and other compilers, which it installs (Debian, root)
# make gate       fails if an instruction count differs by more than 2 % from that in counts.json; installs valgrind
# make gate-proof  proves that the gate fails on an artificial slowdown of 3 %; make gate-renew updates counts.json
# make long       runs the slow tests: crash, lives, steady, inject, and fuzz for 10 minutes each; four hours
# make crash      runs the long forms of the crash, multi-process, outage and ordering tests
# make lives      kills LIVES=1000 processes that share an outbox; each also uses a second copy of the library
# make steady     runs the fault suite RUNS=20 times each on one core, beside two busy loops, and without either
# make inject     makes system calls fail, one at a time, during the life of a client and a reporter; half an hour
# make inject-quick  runs a random sample of inject and prints its seed; make check includes it
# make bench      compares the library with other clients, and writes docs/benchmarks.md and .svg; half an hour
# make bench-quick ARGUMENTS=CASE  measures CASE (all cases by default) with fewer requests; writes only to build/bench
# make fuzz       runs each fuzz target for SECONDS=60; needs a nightly Rust toolchain; installs cargo-fuzz
# make clean      deletes all build results

ifneq (1,$(words $(CURDIR)))
$(error the path of this folder, $(CURDIR), contains a space, which make does not support: move the folder)
endif

CARGO  ?= cargo
CC     ?= cc
PYTHON ?= python3

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
MAJOR   := $(firstword $(subst ., ,$(VERSION)))
NAME    := libnexmo_conversion.so

BUILD   := $(CURDIR)/build
LIB     := $(BUILD)/lib
TESTING := $(BUILD)/testing/$(NAME)
PACKAGED := bindings/python/nexmo_conversion/$(NAME).$(MAJOR)
SANDBOX := $(CURDIR)/target/debug/nexmo-sandbox
VENV    := $(BUILD)/venv

RUST := Cargo.toml Cargo.lock build.rs $(shell find src -type f)

WARNINGS := -Wall -Wextra -Wconversion -Wsign-conversion -pedantic -Werror
CFLAGS_OF_TESTS := -std=c11 -g -Wall -Wextra -Werror -I include -I tests/c
HARNESS_SOURCES := $(addprefix tests/c/,harness.c fixture.c reports.c bad_inputs.c statuses.c struct_sizes.c struct_init.c \
	client_handles.c host_process.c reporter_fixture.c reporter_basics.c reporter_options.c reporter_outbox_errors.c \
	reporter_outbox_names.c reporter_statuses.c reporter_events.c reporter_lifecycle.c reporter_host_process.c flat_fixture.c \
	flat_reports.c flat_handles.c flat_statistics.c flat_input.c flat_output.c flat_settings.c)
HARNESS_HEADERS := include/nexmo_conversion.h $(wildcard tests/c/*.h)
HARNESS := $(BUILD)/c/harness
C_PROGRAMS := $(addprefix $(BUILD)/c/,struct_versions thread_cancel fork_during_calls fork_during_submits process_exit \
	reporter_server_test)
HARNESS_ARGUMENTS := tests/data/bad_inputs.tsv docs/statuses.md

# The sandbox's responses to the message ids of the tests.
RULES := --response message=not-enabled:not-enabled --response message=invalid:status=420 \
	--response message=throttled:throttled=7 --response message=unavailable:unavailable \
	--response message=moved:status=302 --response message=teapot:status=418 \
	--response message=leak:echo=402 --response message=slow:slow=2000 \
	--response message=twice:unavailable=0*2

.PHONY: help long lives steady bench bench-quick build-bench crash fuzz generate library sandbox demo test check clean tools-rust tools-c tools-python tools-venv tools-of-check tools-of-languages tools-of-32 tools-of-bench test-rust test-c test-python check-generated check-lints check-types check-headers check-languages check-32 check-valgrind check-asan check-tsan check-forks inject inject-quick

library: $(LIB)/$(NAME) $(PACKAGED)

# Builds only the cdylib: with other crate types in the same build, cargo silently omits fat link-time optimization.
$(LIB)/$(NAME): $(RUST) | tools-rust
	$(CARGO) rustc --locked --release --lib --crate-type cdylib
	mkdir -p $(LIB)
	install -m 755 target/release/$(NAME) $(LIB)/$(NAME).$(VERSION)
	ln -sf $(NAME).$(VERSION) $(LIB)/$(NAME).$(MAJOR)
	ln -sf $(NAME).$(MAJOR) $(LIB)/$(NAME)

# The Python package's copy of the library, which make restores if it is missing.
$(PACKAGED): $(LIB)/$(NAME)
	install -m 755 $< $@

# The library with the functions that only tests call.
$(TESTING): $(RUST) | tools-rust
	$(CARGO) rustc --locked --quiet --lib --crate-type cdylib --features testing
	mkdir -p $(@D)
	install -m 755 target/debug/$(NAME) $@
	ln -sf $(NAME) $@.$(MAJOR)

# Prints the lines at the top of this file.
help:
	@sed -n 's/^# \(make\|      \)/\1/p;/^$$/q' $(firstword $(MAKEFILE_LIST))

sandbox: $(SANDBOX)

$(SANDBOX): Cargo.lock $(shell find sandbox/src -type f) sandbox/Cargo.toml | tools-rust
	$(CARGO) build --locked --package nexmo-sandbox
	touch $@

# --- generate ---

generate: | tools-rust
	$(CARGO) run --locked --quiet --package nexmo-abi

# --- demo ---

demo: tools-c tools-python library $(SANDBOX) $(BUILD)/c/one_call
	$(SANDBOX) --quiet -- sh bindings/demo.sh $(BUILD)/c/one_call $(PYTHON)

$(BUILD)/c/one_call $(BUILD)/c/reporter_server: $(BUILD)/c/%: examples/c/%.c include/nexmo_conversion.h $(LIB)/$(NAME)
	mkdir -p $(@D)
	$(CC) -std=c89 $(WARNINGS) -I include $< -L $(LIB) -Wl,-rpath,$(LIB) -lnexmo_conversion -o $@

# --- test ---

test: tools-rust tools-c tools-venv test-rust test-c test-python

test-rust: library
	$(CARGO) test --locked --quiet --workspace

test-c: library $(SANDBOX) $(HARNESS) $(C_PROGRAMS) $(BUILD)/c/one_call $(BUILD)/c/reporter_server
	$(SANDBOX) --quiet $(RULES) -- $(HARNESS) $(HARNESS_ARGUMENTS)
	$(SANDBOX) --quiet $(RULES) -- $(BUILD)/c/struct_versions > $(BUILD)/c/output.txt 2>&1; \
		test $$? = 0 && ! grep . $(BUILD)/c/output.txt
	$(SANDBOX) --quiet $(RULES) -- $(BUILD)/c/thread_cancel
	$(SANDBOX) --quiet -- $(BUILD)/c/fork_during_calls 1000
	$(SANDBOX) --quiet -- $(BUILD)/c/fork_during_submits 5
	$(SANDBOX) --quiet -- $(BUILD)/c/fork_during_submits servers
	$(SANDBOX) --quiet -- $(BUILD)/c/process_exit $(LIB)/$(NAME)
	$(SANDBOX) --quiet $(RULES) -- $(BUILD)/c/reporter_server_test $(BUILD)/c/reporter_server
	for standard in c89 c99 c11 c17; do \
		$(CC) -std=$$standard $(WARNINGS) -I include -fsyntax-only tests/c/header.c || exit 1; done

$(HARNESS): $(HARNESS_SOURCES) $(HARNESS_HEADERS) $(LIB)/$(NAME)
	mkdir -p $(@D)
	$(CC) $(CFLAGS_OF_TESTS) $(HARNESS_SOURCES) -pthread -L $(LIB) -Wl,--enable-new-dtags,-rpath,$(LIB) -lnexmo_conversion -o $@

# The other C programs link the testing library, because some call its test functions and its symbols show where a crash
# occurred.
FIXTURE := tests/c/fixture.c tests/c/reporter_fixture.c
$(C_PROGRAMS): $(BUILD)/c/%: tests/c/%.c $(FIXTURE) $(HARNESS_HEADERS) $(TESTING)
	mkdir -p $(@D)
	$(CC) $(CFLAGS_OF_TESTS) $< $(FIXTURE) -pthread -L $(dir $(TESTING)) -Wl,-rpath,$(dir $(TESTING)) -lnexmo_conversion -o $@

test-python: library $(TESTING) $(SANDBOX) $(VENV)/ready
	NEXMO_LIBRARY=$(LIB)/$(NAME) NEXMO_TESTING_LIBRARY=$(TESTING) \
		$(SANDBOX) --quiet $(RULES) -- $(VENV)/bin/python -m pytest -q -p no:cacheprovider bindings/python/tests $(ARGUMENTS)

$(VENV)/ready: bindings/python/tests/requirements.txt | tools-venv
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

# --- check ---

check: check-generated check-lints check-types check-headers check-languages check-32 check-valgrind check-asan check-tsan check-forks inject-quick

check-generated: | tools-rust
	$(CARGO) run --locked --quiet --package nexmo-abi -- --check

check-lints: | tools-rust
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --quiet --workspace --all-targets --features testing -- --deny warnings

check-types: $(VENV)/ready
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'mypy>=1.18,<3'
	cd bindings/python && $(VENV)/bin/python -m mypy --cache-dir $(BUILD)/mypy

check-headers: | tools-of-check
	for compiler in gcc clang; do for standard in c89 c99 c11 c17; do \
		$$compiler -std=$$standard $(WARNINGS) -I include -fsyntax-only tests/c/header.c || exit 1; done; done
	for compiler in g++ clang++; do for standard in c++98 c++11 c++14 c++17 c++20; do \
		$$compiler -x c++ -std=$$standard $(WARNINGS) -I include -fsyntax-only tests/c/header.c || exit 1; done; done
	gcc -m32 -ffreestanding -std=c99 $(WARNINGS) -I include -fsyntax-only tests/c/header.c

# Checks the interface in other languages: each parser of nexmo_conversion.ffi.h must find the same sizes, offsets and
# constants as the C compiler finds in nexmo_conversion.h; the COBOL example must compile in fixed and in free format,
# and run; Go must accept the handles.
LANGUAGES := $(BUILD)/languages
PARSED = $(LIB)/$(NAME) include/nexmo_conversion.ffi.h $(LANGUAGES)/layout.txt $(VERSION)
check-languages: library $(SANDBOX) $(VENV)/ready | tools-of-languages
	mkdir -p $(LANGUAGES)
	$(CC) -std=c89 -I include tests/abi/layout.c -o $(LANGUAGES)/layout
	$(LANGUAGES)/layout > $(LANGUAGES)/layout.txt
	php -d ffi.enable=1 tests/languages/parsed.php $(PARSED)
	luajit tests/languages/parsed.lua $(PARSED)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'cffi>=1.16,<3'
	$(VENV)/bin/python tests/languages/parsed.py $(PARSED)
	for format in fixed free; do \
		cobc -x -fstatic-call -$$format -Wall -Wno-terminator -Wno-possible-truncate -Werror -I bindings/cobol \
			bindings/cobol/example.cob -L $(LIB) -l nexmo_conversion -Q -Wl,-rpath,$(LIB) -o $(LANGUAGES)/example-$$format && \
		$(SANDBOX) --quiet --response message=rejected-1:status=420 --response message=rejected-2:status=420 -- \
			sh tests/languages/example.sh $(LANGUAGES)/example-$$format || exit 1; done
	CGO_ENABLED=1 CGO_CFLAGS="-I $(CURDIR)/include" CGO_LDFLAGS="-L $(LIB) -Wl,-rpath,$(LIB) -lnexmo_conversion" \
		GOCACHE=$(LANGUAGES)/go go run tests/languages/handles.go

# Builds the library, its unit tests and the C test programs for 32-bit x86 and glibc 2.17, and runs the tests.
BITS_32 := $(BUILD)/32
TARGET_32 := i686-unknown-linux-gnu
ZIG := $(BITS_32)/venv/bin
CC_32 := $(ZIG)/python -m ziglang cc -target x86-linux-gnu.2.17
LIB_32 := $(BITS_32)/$(NAME)
LINK_32 := -pthread -L $(BITS_32) -Wl,-rpath,$(BITS_32) -lnexmo_conversion -ldl
CARGO_32 = PATH="$(ZIG):$$PATH" cargo-zigbuild
OPTIONS_32 := --locked --quiet --lib --target $(TARGET_32).2.17 --target-dir $(BITS_32)/target
check-32: $(SANDBOX) $(ZIG)/ready | tools-of-32
	$(CARGO_32) test $(OPTIONS_32)
	$(CARGO_32) zigbuild $(OPTIONS_32) --features testing
	cp $(BITS_32)/target/$(TARGET_32)/debug/$(NAME) $(LIB_32).$(MAJOR)
	ln -sf $(NAME).$(MAJOR) $(LIB_32)
	NEXMO_CC_32="$(CC_32)" $(CARGO) test --locked --quiet --package nexmo-abi --test generated -- --include-ignored
	$(CC_32) $(CFLAGS_OF_TESTS) $(HARNESS_SOURCES) $(LINK_32) -o $(BITS_32)/harness
	for program in struct_versions thread_cancel fork_during_calls fork_during_submits process_exit; do \
		$(CC_32) $(CFLAGS_OF_TESTS) tests/c/$$program.c $(FIXTURE) $(LINK_32) -o $(BITS_32)/$$program || exit 1; done
	$(SANDBOX) --quiet $(RULES) -- $(BITS_32)/harness $(HARNESS_ARGUMENTS)
	$(SANDBOX) --quiet $(RULES) -- $(BITS_32)/struct_versions > $(BITS_32)/output.txt 2>&1 && \
		! grep -q . $(BITS_32)/output.txt || { cat $(BITS_32)/output.txt >&2; exit 1; }
	$(SANDBOX) --quiet $(RULES) -- $(BITS_32)/thread_cancel
	$(SANDBOX) --quiet -- $(BITS_32)/fork_during_calls 100
	$(SANDBOX) --quiet -- $(BITS_32)/fork_during_submits 2
	$(SANDBOX) --quiet -- $(BITS_32)/process_exit $(LIB_32)

$(ZIG)/ready: | tools-venv
	$(PYTHON) -m venv $(BITS_32)/venv
	$(ZIG)/python -m pip install --quiet --disable-pip-version-check 'ziglang~=0.17.1' 'cargo-zigbuild~=0.24.1'
	touch $@

# Uses the testing library because the suppressions need symbols, which are stripped from the release library.
check-valgrind: $(HARNESS) $(TESTING) $(SANDBOX) | tools-of-check
	LD_LIBRARY_PATH=$(dir $(TESTING)) $(SANDBOX) --quiet $(RULES) -- \
		valgrind --quiet --fair-sched=yes --error-exitcode=99 --num-callers=40 --suppressions=tests/valgrind.supp \
		--leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
		$(HARNESS) $(HARNESS_ARGUMENTS) 300

# Instruments both the library and the harness. Uses the runtime of nightly Rust: older runtimes, such as gcc 12's, do not
# hold the locks of their allocator during a fork, so children hang.
ASAN := $(CURDIR)/target/asan
ASAN_RUNTIME = $(shell rustc +nightly --print target-libdir)/librustc-nightly_rt.asan.a
check-asan: $(SANDBOX) | tools-of-check
	RUSTFLAGS=-Zsanitizer=address $(CARGO) +nightly rustc --locked --quiet --lib --crate-type cdylib \
		--target x86_64-unknown-linux-gnu --target-dir $(ASAN)
	cp $(ASAN)/x86_64-unknown-linux-gnu/debug/$(NAME) $(ASAN)/$(NAME).$(MAJOR)
	ln -sf $(NAME).$(MAJOR) $(ASAN)/$(NAME)
	gcc $(CFLAGS_OF_TESTS) -fsanitize=address -r $(HARNESS_SOURCES) -o $(ASAN)/harness.o
	gcc $(ASAN)/harness.o -rdynamic -Wl,--whole-archive $(ASAN_RUNTIME) -Wl,--no-whole-archive \
		-pthread -lm -lresolv -ldl -lrt -L $(ASAN) -Wl,-rpath,$(ASAN) -lnexmo_conversion -o $(ASAN)/harness
	ASAN_OPTIONS=detect_leaks=1 $(SANDBOX) --quiet $(RULES) -- $(ASAN)/harness $(HARNESS_ARGUMENTS) 300

# ThreadSanitizer requires instrumented code everywhere, so this builds the standard library from source.
check-tsan: | tools-of-check
	if ! rustup component add --toolchain nightly rust-src 2> /dev/null; then \
		echo "SKIPPED: ThreadSanitizer, because the nightly toolchain's rust-src cannot be installed" >&2; \
	else \
		TSAN_OPTIONS=suppressions=$(CURDIR)/tests/tsan.supp RUSTFLAGS=-Zsanitizer=thread setarch -R $(CARGO) +nightly test --locked --quiet -Zbuild-std \
			--target x86_64-unknown-linux-gnu --target-dir $(CURDIR)/target/tsan --test stress; \
	fi

# Proves that the fork handlers are needed: without them, a random number of children hang, and reports may be lost.
check-forks: $(BUILD)/c/fork_during_calls $(BUILD)/c/fork_during_submits $(SANDBOX)
	$(SANDBOX) --quiet -- $(BUILD)/c/fork_during_calls 100 without
	$(SANDBOX) --quiet -- $(BUILD)/c/fork_during_submits 3 without
	$(SANDBOX) --quiet -- $(BUILD)/c/fork_during_submits 20

# --- long ---

long: crash lives steady inject
	$(MAKE) fuzz SECONDS=600

# Starts and kills LIVES=1000 processes that share an outbox, two at a time.
LIVES := 1000
lives: library $(SANDBOX) | tools-python
	$(SANDBOX) --quiet -- $(PYTHON) tests/long/lives.py $(LIB)/$(NAME) $(BUILD)/lives $(LIVES) $(SEED)

crash: | tools-rust
	NEXMO_TEST_LONG=1 $(CARGO) test --locked --test reporter_crash --test reporter_multi_process --test reporter_outage \
		--test reporter_ordering -- --nocapture

steady: | tools-rust
	$(CARGO) test --locked --quiet --test client_faults --no-run
	sh tests/steady.sh $(CARGO) test --locked --quiet --test client_faults

# --- inject ---

INJECTION := $(BUILD)/injection

inject inject-quick: $(INJECTION)/life $(INJECTION)/inject.so $(TESTING) $(SANDBOX) | tools-python
	rm -f $(INJECTION)/requests.jsonl
	$(SANDBOX) --quiet --response message=rejected:status=420 --log $(INJECTION)/requests.jsonl -- \
		$(PYTHON) tests/injection/run.py $(INJECTION)/life $(INJECTION)/inject.so $(TESTING) \
		$(if $(filter inject-quick,$@),--sample 150 --seconds 75) $(ARGUMENTS)

$(INJECTION)/life: tests/injection/life.c include/nexmo_conversion.h $(TESTING)
	mkdir -p $(@D)
	$(CC) -std=c11 -g -Wall -Wextra -Werror -I include $< -pthread -L $(dir $(TESTING)) -Wl,-rpath,$(dir $(TESTING)) \
		-lnexmo_conversion -o $@

$(INJECTION)/inject.so: tests/injection/inject.c | tools-c
	mkdir -p $(@D)
	$(CC) -std=gnu11 -O1 -g -Wall -Wextra -Werror -shared -fPIC $< -ldl -pthread -o $@

# --- gate ---

GATE := $(BUILD)/gate

gate: gate-check
	$(PYTHON) -m unittest discover --quiet --start-directory benches/gate

gate-check gate-count gate-proof gate-renew: gate-%: $(GATE)/calls $(GATE)/parts $(GATE)/slow_malloc.so $(SANDBOX) | tools-of-gate
	$(SANDBOX) --quiet -- $(PYTHON) benches/gate/gate.py $*

$(GATE)/calls: benches/gate/calls.c include/nexmo_conversion.h $(LIB)/$(NAME)
	mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror $< -I include -L $(LIB) -Wl,-rpath,$(LIB) -lnexmo_conversion -o $@

# Runs after the library is built, because both builds use the same target directory.
$(GATE)/parts: benches/gate/parts.rs $(RUST) | $(LIB)/$(NAME)
	mkdir -p $(@D)
	$(CARGO) bench --locked --quiet --no-run --features testing --bench gate --message-format=json > $(GATE)/parts.json
	install -m 755 "$$(sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' $(GATE)/parts.json)" $@

$(GATE)/slow_malloc.so: benches/gate/slow_malloc.c | tools-c
	mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC -fno-builtin $< -o $@

# --- bench ---

# If ARGUMENTS names measurements (benches/README.md), runs only those and prints their tables. If BEFORE is the folder of
# an older library, `tail` compares it with this one.
bench bench-quick: export BEFORE := $(BEFORE)
bench: build-bench
	$(BENCH)/venv/bin/python benches/run.py $(ARGUMENTS)

bench-quick: build-bench
	$(BENCH)/venv/bin/python benches/run.py --short $(ARGUMENTS)

BENCH := $(BUILD)/bench
PROGRAMS := $(addprefix $(BENCH)/programs/,conversion_one_call conversion_client conversion_reporter conversion_idle \
	curl_easy curl_multi submit_load raw_socket raw_openssl launch)
BARE_UREQ := $(CURDIR)/target/ureq/release/bare-ureq

TRANSPORTS := $(CURDIR)/target/transports/release/transports

build-bench: library $(PROGRAMS) $(BARE_UREQ) $(TRANSPORTS) $(BENCH)/venv/ready $(GATE)/calls $(BENCH)/profiled/$(NAME) | tools-of-bench

# The library with a line table, by which benches/purposes.py attributes instructions.
$(BENCH)/profiled/$(NAME): $(RUST) | tools-rust
	CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=line-tables-only \
		$(CARGO) rustc --locked --quiet --release --lib --crate-type cdylib --target-dir target/profiled
	mkdir -p $(@D)
	install -m 755 target/profiled/release/$(NAME) $@
	ln -sf $(NAME) $@.$(MAJOR)

$(BENCH)/programs/conversion_%: SHARED := benches/programs/common.c
$(BENCH)/programs/conversion_%: LINK := -I include -L $(LIB) -Wl,-rpath,$(LIB) -lnexmo_conversion
$(BENCH)/programs/submit_%: SHARED := benches/programs/common.c
$(BENCH)/programs/submit_%: LINK := -I include -L $(LIB) -Wl,-rpath,$(LIB) -lnexmo_conversion
$(BENCH)/programs/curl_%: SHARED := benches/programs/common.c benches/programs/curl_handle.c
$(BENCH)/programs/curl_%: LINK := -lcurl
$(BENCH)/programs/raw_%: SHARED := benches/programs/common.c benches/programs/raw.c
$(BENCH)/programs/raw_openssl: LINK := -lssl -lcrypto

$(PROGRAMS): $(BENCH)/programs/%: benches/programs/%.c $(wildcard benches/programs/*.h benches/programs/*.c) $(LIB)/$(NAME) | tools-of-bench
	mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror $< $(SHARED) -pthread $(LINK) -o $@

$(BARE_UREQ): $(wildcard benches/ureq/Cargo.* benches/ureq/src/*) | tools-rust
	$(CARGO) build --locked --quiet --release --manifest-path benches/ureq/Cargo.toml --target-dir target/ureq
	touch $@

$(TRANSPORTS): $(wildcard benches/transports/Cargo.* benches/transports/src/*) | tools-rust
	$(CARGO) build --locked --quiet --release --manifest-path benches/transports/Cargo.toml --target-dir target/transports
	touch $@

$(BENCH)/venv/ready: benches/requirements.txt | tools-venv
	$(PYTHON) -m venv $(BENCH)/venv
	$(BENCH)/venv/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

# --- fuzz ---

SECONDS := 60
FUZZ_TARGETS := c_texts c_structs c_reporter call_sequences flat_settings responses framing bodies signatures retry_after \
	pem proxy_responses outbox_files
CARGO_FUZZ := $(BUILD)/tools/bin/cargo-fuzz

fuzz: $(CARGO_FUZZ)
	for target in $(FUZZ_TARGETS); do \
		echo "$$target"; \
		PATH="$(dir $(CARGO_FUZZ)):$$PATH" LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 \
			$(CARGO) +nightly fuzz run --target-dir $(CURDIR)/target/fuzz $$target -- \
			-max_total_time=$(SECONDS) -print_final_stats=1 2> $(BUILD)/fuzz.txt || { tail -40 $(BUILD)/fuzz.txt; exit 1; }; \
		grep -E 'number_of_executed_units|peak_rss_mb' $(BUILD)/fuzz.txt; done

$(CARGO_FUZZ): | tools-rust
	$(CARGO) install --quiet --locked --root $(BUILD)/tools --version '^0.13' cargo-fuzz

# --- tools ---

define need
	@command -v $(1) > /dev/null || { echo "$(1) is missing: install $(2)" >&2; exit 1; }
endef

tools-rust:
	$(call need,$(firstword $(CARGO)),a Rust toolchain of 1.89 or later)
	@printf '1.89\n%s\n' "$$($(CARGO) --version | cut -d' ' -f2)" | sort -CV || { echo "$$($(CARGO) --version) is too old: install Rust 1.89 or later" >&2; exit 1; }

tools-c:
	$(call need,$(firstword $(CC)),a C compiler)

tools-python:
	$(call need,$(firstword $(PYTHON)),Python 3.9 or later)

tools-venv: tools-python
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo "$(PYTHON) cannot create virtual environments: install python3-venv" >&2; exit 1; }

tools-of-check: tools-rust tools-c
	@for tool in gcc g++ clang valgrind; do command -v $$tool > /dev/null || missing="$$missing $$tool"; done; \
	test -z "$$missing" || { apt-get -qq update && apt-get -qq install -y $$missing > /dev/null; } || \
		{ echo "apt-get cannot install these missing packages:$$missing" >&2; exit 1; }
	@$(CARGO) +nightly --version > /dev/null || { echo "AddressSanitizer needs a nightly Rust toolchain: rustup toolchain install nightly" >&2; exit 1; }

# Debian's php-cli includes the FFI extension.
tools-of-languages: tools-c tools-venv
	@for tool in php:php-cli luajit:luajit cobc:gnucobol3 go:golang-go; do \
		command -v $${tool%%:*} > /dev/null || missing="$$missing $${tool#*:}"; done; \
	test -z "$$missing" || { apt-get -qq update && apt-get -qq install -y $$missing > /dev/null; } || \
		{ echo "apt-get cannot install these missing packages:$$missing" >&2; exit 1; }

# Installs the loader, libc, and the libgcc that pthread_cancel loads, but not gcc-multilib, which conflicts with cross
# compilers.
tools-of-32: tools-rust tools-venv
	@test -e /lib/ld-linux.so.2 && test -e /usr/lib32/libgcc_s.so.1 || \
		{ apt-get -qq update && apt-get -qq install -y libc6-i386 lib32gcc-s1 > /dev/null; } || \
		{ echo "apt-get cannot install these missing packages: libc6-i386 lib32gcc-s1" >&2; exit 1; }
	@rustup --quiet target add $(TARGET_32)

tools-of-gate: tools-rust tools-c tools-python
	@command -v valgrind > /dev/null || { apt-get -qq update && apt-get -qq install -y valgrind > /dev/null; } || \
		{ echo "valgrind is missing, and apt-get cannot install it" >&2; exit 1; }

# Installs missing Debian packages.
tools-of-bench: tools-rust tools-c
	@command -v nginx > /dev/null || missing="$$missing nginx"; \
	test -e /usr/lib/nginx/modules/ngx_http_echo_module.so || missing="$$missing libnginx-mod-http-echo"; \
	for tool in valgrind openssl; do command -v $$tool > /dev/null || missing="$$missing $$tool"; done; \
	echo '#include <curl/curl.h>' | $(CC) -E - > /dev/null 2>&1 || missing="$$missing libcurl4-openssl-dev"; \
	echo '#include <openssl/ssl.h>' | $(CC) -E - > /dev/null 2>&1 || missing="$$missing libssl-dev"; \
	test -z "$$missing" || { apt-get -qq update && apt-get -qq install -y $$missing > /dev/null; } || \
		{ echo "apt-get cannot install these missing packages:$$missing" >&2; exit 1; }

clean:
	$(CARGO) clean
	rm -rf $(BUILD) bindings/python/nexmo_conversion/$(NAME)*
