#!/usr/bin/env bash
# Six networks on glioma slices with equal budgets, and one table: recipes/lgg.sh DATA [RUNS]
set -euo pipefail
data=$1
runs=${2:-runs}
recipe=$(dirname "$0")/lgg.yaml
methods=()
for network in unet resunet unet++ resunet++ attention-unet mit-unet; do
  name=lgg-${network//+/p}
  width=(--set network.width=16)
  if [ "$network" = mit-unet ]; then width=(--set network.variant=b0); fi
  leuko train "$recipe" --data "$data" --folds --name "$name" -o "$runs" \
    --set network="$network" "${width[@]}"
  leuko predict "$runs/$name" -o "$runs/$name/masks" --force --quiet
  methods+=("$network=$runs/$name/masks")
done
# Patient by patient: most slices hold no tumour, and an empty mask for them counts as perfect.
leuko compare "$data/tasks/lgg/masks" "${methods[@]}" --subject '(TCGA_\w\w_\w{4})' \
  --images "$data/tasks/lgg/images" -o "$runs/lgg.html" -o "$runs/lgg.json"
