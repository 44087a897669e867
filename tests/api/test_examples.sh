#!/usr/bin/env bash
# The examples build without a warning and do what they say on small data. The sanitised builds make no library.
set -euo pipefail

[ "$(wc -l <"$RETORT_SOURCE/examples/distill.c")" -le 60 ]
if [ ! -e "$RETORT_BUILD/libretort.so" ]; then
    echo "no library in this build: the examples cannot be linked"
    exit 0
fi

built=0
for example in "$RETORT_SOURCE"/examples/*.c; do
    cc -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Werror -I"$RETORT_SOURCE/include" "$example" \
        -L"$RETORT_BUILD" -lretort -lm -Wl,-rpath,"$RETORT_BUILD" -o "$(basename "$example" .c)"
    built=$((built + 1))
done
[ "$built" -eq 3 ]

data=$(PYTHONPATH=$RETORT_SOURCE/tests/cli /usr/bin/python3 -c 'import small_data; print(small_data.make(train=300, test=60))')
train="train: {epochs: 2, batch: 20}"
stem="{conv: {out: 6, kernel: 3, stride: 2}, name: stem}"
cat >recipe.yaml <<YAML
data: $data
teacher: {network: {layers: [$stem, relu, flatten, {linear: {out: 10}}]}, $train}
student: {network: {name: mlp, widths: [8]}, $train}
seeds: [0, 1]
YAML
./distill recipe.yaml run >out.txt 2>progress.txt
grep -q '^gain of the student: .*; see run/report.html$' out.txt
grep -q '^distilled-1: epoch 2 of 2' progress.txt
[ -s run/report.html ]
if ./distill missing.yaml run2 2>error.txt || ! grep -q 'missing.yaml' error.txt; then
    echo "a missing recipe was not reported" >&2
    exit 1
fi

# A method: its help, then the recipe of its help on our data.
./method >help.txt
grep -q 'scale: number' help.txt
sed "s|student: {network: {name: mlp, widths: \[8\]}|student: {network: {layers: [{conv: {out: 4, kernel: 3, stride: 2}, name: s}, relu, flatten, {linear: {out: 10}}]}|" recipe.yaml >method.yaml
cat >>method.yaml <<'YAML'
distill:
  losses:
    - {method: labels, weight: 0.5}
    - {method: imitate, student: [s], teacher: [stem], scale: {from: 1, to: 2}, weight: 0.1}
YAML
./method method.yaml taught >out.txt
grep -q '^distilled ' out.txt
grep -q 'method: imitate' taught/recipe.yaml
sed 's/scale:/skale:/' method.yaml >wrong.yaml
if ./method wrong.yaml wrong 2>error.txt || ! grep -q 'nearest: "scale"' error.txt; then
    echo "a wrong option of the method was not reported" >&2
    exit 1
fi
# What belongs to the method only is in no model.
if grep -a 'imitate' taught/models/distilled-0.safetensors | grep -a -o '"imitate.weight"' >/dev/null; then
    echo "the method's weight is in the model" >&2
    exit 1
fi

# A layer: trained, saved, read again; and unknown where it is not registered.
cat >layer.yaml <<YAML
data: $data
student:
  network: {layers: [$stem, shrink, flatten, {linear: {out: 10}}]}
  $train
seeds: [0]
YAML
./layer layer.yaml own >out.txt
grep -Eq 'shrink' out.txt
if "$RETORT" inspect own/models/alone-0.safetensors 2>error.txt || ! grep -q 'no layer type "shrink"' error.txt; then
    echo "a model with an unknown layer was read" >&2
    exit 1
fi
