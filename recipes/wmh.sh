#!/usr/bin/env bash
# White matter hyperintensities, one patient of five left out at a time: U-Net and ResU-Net in one
# stage, and in two: recipes/wmh.sh DATA [RUNS]
set -euo pipefail
data=$1
runs=${2:-runs}
here=$(dirname "$0")
python "$here/two_stage.py" heads "$data" "$runs/white-matter-heads"
leuko train "$here/white-matter.yaml" --data "$runs/white-matter-heads" -o "$runs"
leuko export "$runs/white-matter" -o "$runs/white-matter/model"
python "$here/two_stage.py" check "$runs/white-matter/model" "$data"
# FLAIR alone, for the scan that has no T1.
leuko train "$here/white-matter.yaml" --data "$runs/white-matter-heads" -o "$runs" \
  --name white-matter-flair --set "data.images=[$runs/white-matter-heads/flair]"
leuko export "$runs/white-matter-flair" -o "$runs/white-matter-flair/model"
python "$here/two_stage.py" check "$runs/white-matter-flair/model" "$data"
python "$here/two_stage.py" regions "$runs/white-matter/model" "$data" "$runs/wmh-regions"
peers=$data/wmh/tabriz/*/peers
methods=(
  "LST-LPA=$peers/lpa.nii.gz"
  "WMH-SynthSeg=$peers/wmh_synthseg.nii.gz"
  "BIANCA=$peers/bianca_all.nii.gz"
  "LST-LGA=$peers/lga.nii.gz"
  "U-Net of the data=$peers/tabriz_unet_ab.nii.gz"
)
for stage in one two; do
  for network in unet resunet; do
    name=wmh-$stage-stage-$network
    leuko train "$here/wmh-$stage-stage.yaml" --data "$runs/wmh-regions" --folds --name "$name" \
      -o "$runs" --set network.name="$network"
    leuko predict "$runs/$name" -o "$runs/$name/masks" --force --quiet
    methods+=("$stage stage $network=$runs/$name/masks/*.nii.gz")
  done
done
# As the paper decides: the likelier class under the weighted loss.
name=wmh-two-stage-resunet
for fold in "$runs/$name"/fold-*; do leuko export "$fold" -o "$fold/model" --prior loss; done
leuko predict "$runs/$name" -o "$runs/$name/masks-loss" --force --quiet
methods+=("two stage resunet, weighted=$runs/$name/masks-loss/*.nii.gz")
leuko compare "$data/wmh/tabriz/*/lesions.nii.gz" "${methods[@]}" \
  --images "$data/wmh/tabriz/*/flair.nii.gz" -o "$runs/wmh.html" -o "$runs/wmh.json"
