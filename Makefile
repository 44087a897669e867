# Thin: what one usually wants, by name. The build itself is CMake's (CMakeLists.txt). `make help` lists.
.POSIX:
.SUFFIXES:

NINJA = $$(command -v ninja >/dev/null && echo -G Ninja)
# CTest is quiet about what passes; what fails is shown in full.
CTEST = ctest --output-on-failure -j $$(nproc)
RECIPE = recipes/fashion-mnist.yaml
SECONDS = 60

help:
	@echo 'make deps        install the Debian packages that building and running need'
	@echo 'make build       build the program: build/retort'
	@echo 'make demo        deps, build, and distil a small student on Fashion-MNIST (about ten minutes)'
	@echo 'make check       house checks, warnings of gcc and clang, all tests, line coverage'
	@echo 'make check-asan  all tests under AddressSanitizer and UndefinedBehaviorSanitizer, leaks included'
	@echo 'make check-tsan  the tests with threads of ours under ThreadSanitizer'
	@echo 'make faults      plant known faults, one at a time, and demand that the tests find each'
	@echo 'make bench       speed and memory beside PyTorch'
	@echo 'make format      format the sources'
	@echo 'make tidy        clang-tidy alone (check runs it too)'
	@echo 'make docs        the reference of include/retort.h (wants doxygen): build/reference'
	@echo 'make fuzz        run the libFuzzer targets, SECONDS (60) each'
	@echo 'make install     install under /usr/local (cmake --install build --prefix DIR for elsewhere)'
	@echo 'make clean       remove what was built'

deps:
	scripts/install-deps.sh --demo

build:
	cmake -S . -B build $(NINJA) -DRETORT_TESTS=OFF
	cmake --build build -j $$(nproc)

demo: deps build
	build/retort distill $(RECIPE)

check:
	scripts/install-deps.sh --check
	scripts/check-house.sh
	cmake -S . -B build $(NINJA) -DRETORT_TESTS=ON
	cmake --build build -j $$(nproc)
	cd build && $(CTEST)
	scripts/coverage.sh

check-asan:
	scripts/install-deps.sh --check
	cmake -S . -B build-asan $(NINJA) -DRETORT_TESTS=ON -DRETORT_SANITIZE=ON
	cmake --build build-asan -j $$(nproc)
	cd build-asan && ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 \
	    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 $(CTEST)

check-tsan:
	scripts/install-deps.sh --check
	scripts/check-tsan.sh

faults:
	tests/faults/run.sh

bench: build
	scripts/install-deps.sh --bench
	bench/run.sh

format:
	scripts/format.sh

tidy:
	scripts/tidy.sh

docs:
	mkdir -p build
	doxygen docs/Doxyfile
	@echo 'build/reference/html/index.html'

fuzz:
	scripts/install-deps.sh --check
	scripts/fuzz.sh $(SECONDS)

install: build
	cmake --install build

clean:
	rm -rf build build-asan build-tsan build-coverage build-fuzz

.PHONY: help deps build demo check check-asan check-tsan faults bench format tidy docs fuzz install clean
