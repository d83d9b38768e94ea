#!/usr/bin/env bash
# Spleen on CT: one patient to learn from, another's DICOM series to test: recipes/spleen.sh DATA [RUNS]
set -euo pipefail
data=$1
runs=${2:-runs}
task=$data/tasks/ct
here=$(dirname "$0")
leuko eda "$here/spleen.tsv" --root "$task" --names 1=spleen,5=liver,6=stomach -o "$runs/ct.html"
leuko train "$here/spleen.yaml" --data "$data" -o "$runs"
leuko export "$runs/spleen" -o "$runs/spleen/model"
leuko predict "$runs/spleen/model" "$task/abdomen_dicom" -o "$runs/spleen/out.nii.gz" --force
# The reference stores the same voxels in another order of axes.
leuko convert "$runs/spleen/out.nii.gz" "$runs/spleen/out_las.nii.gz" --reorient LAS --force
leuko evaluate "$task/abdomen_dicom_organs.nii.gz" "$runs/spleen/out_las.nii.gz" --labels \
  --names 1=spleen,5=liver,6=stomach -o "$runs/spleen.html" -o "$runs/spleen.json"
