#!/usr/bin/env bash
# Tumour or not on glioma slices: recipes/lgg-classify.sh DATA [RUNS]
set -euo pipefail
data=$1
runs=${2:-runs}
run=$runs/lgg-classify
leuko train "$(dirname "$0")/lgg-classify.yaml" --data "$data" --folds -o "$runs"
leuko predict "$run" -o "$run/test" --force --quiet
leuko predict "$run" -o "$run/valid" --part valid --force --quiet
leuko diagnose "$run/test/classes.tsv" --choose-on "$run/valid/classes.tsv" --prior 0.1 \
  -o "$run/diagnosis.html" -o "$run/diagnosis.json" -o "$run/diagnosis.tsv"
