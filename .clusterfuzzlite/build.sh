#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What ClusterFuzzLite and OSS-Fuzz run to build the fuzz targets: into $OUT, with $CC, $CFLAGS and $LIB_FUZZING_ENGINE. Beside
# each target its seeds (NAME_seed_corpus.zip), dictionary and options; in $OUT/lib the libraries, which the machines that fuzz
# do not have. BOOTJACK_TARGETS names some of the targets instead of all.
set -euo pipefail
project=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
[ -f "$project/fuzz/CMakeLists.txt" ] || project=$SRC/bootjack # copied beside the project
build=${WORK:?}/bootjack
tools=$WORK/bootjack-tools

# The engine's own instrumentation is in CFLAGS.
cmake -S "$project" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=OFF -DBOOTJACK_FUZZ=ON \
    -DBOOTJACK_FUZZ_ENGINE="${LIB_FUZZING_ENGINE:?}"
# The program that makes seeds of scenarios, as anybody would build it. BOOTJACK names one that is there already.
if [ -z "${BOOTJACK:-}" ]; then
    env -u CFLAGS -u CXXFLAGS -u LDFLAGS AFL_NOOPT=1 cmake -S "$project" -B "$tools" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF
    AFL_NOOPT=1 ninja -C "$tools" bootjack
    export BOOTJACK=$tools/bin/bootjack
fi

if [ -z "${BOOTJACK_TARGETS:-}" ]; then
    BOOTJACK_TARGETS=$(cd "$project/fuzz" && printf '%s\n' codec/*.c session/*.c | sed 's|.*/||; s|\.c$||')
fi

mkdir -p "${OUT:?}/lib"
cd "$project"
for name in $BOOTJACK_TARGETS; do
    ninja -C "$build" "fuzz/fuzz_$name"
    target=$OUT/fuzz_$name
    cp "$build/fuzz/fuzz_$name" "$target"
    # Libraries that the compiler brought (the sanitizers') are where it put them; the C library is everywhere.
    ldd "$target" | awk '/=> \// {print $3}' | grep -v -E '/(libc|libm|libdl|libpthread|librt|libresolv|libgcc_s|libstdc\+\+)\.so' |
        while read -r library; do
            cp -nL "$library" "$OUT/lib/"
            patchelf --set-rpath '$ORIGIN' "$OUT/lib/$(basename "$library")"
        done
    patchelf --set-rpath '$ORIGIN/lib' "$target"

    seeds=$(mktemp -d)
    python3 -m fuzz.targets "$name" --seeds "$seeds" > "$target.options"
    rm -f "${target}_seed_corpus.zip"
    (cd "$seeds" && zip -q -r "${target}_seed_corpus.zip" .)
    rm -r "$seeds"
    [ ! -f "fuzz/dictionaries/$name.dict" ] || cp "fuzz/dictionaries/$name.dict" "$target.dict"
done
