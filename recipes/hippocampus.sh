#!/usr/bin/env bash
# Hippocampus: trained, used on the held-out subjects, evaluated: recipes/hippocampus.sh DATA [RUNS]
set -euo pipefail
data=$1
runs=${2:-runs}
task=$data/tasks/hippocampus
leuko train "$(dirname "$0")/hippocampus.yaml" --data "$data" -o "$runs"
leuko predict "$runs/hippocampus" -o "$runs/hippocampus/masks" --force --quiet
leuko evaluate "$task/labels" "$runs/hippocampus/masks" --labels --names 1=anterior,2=posterior \
  --images "$task/images" -o "$runs/hippocampus.html" -o "$runs/hippocampus.json"
