#!/usr/bin/env bash
# Tumour or not on glioma slices, three folds: recipes/lgg-classify.sh DATA [RUNS [SEED ...]]
# Other seeds than 1 start from other weights and see other crops; the folds stay the same.
set -euo pipefail
data=$1
runs=${2:-runs}
seeds=("${@:3}")
for seed in "${seeds[@]:-1}"; do
  name=lgg-classify
  if [ "$seed" != 1 ]; then name=lgg-classify-seed$seed; fi
  run=$runs/$name
  leuko train "$(dirname "$0")/lgg-classify.yaml" --data "$data" --folds --name "$name" \
    -o "$runs" --set seed="$seed"
  leuko predict "$run" -o "$run/test" --force --quiet
  leuko predict "$run" -o "$run/valid" --part valid --force --quiet
  leuko diagnose "$run/test/classes.tsv" --choose-on "$run/valid/classes.tsv" --prior 0.1 \
    -o "$run/diagnosis.html" -o "$run/diagnosis.json" -o "$run/diagnosis.tsv"
done
