#!/usr/bin/env bash
# All stages of the packaged weights, in order: bash recipes/wmh-flair.sh DATA
# Hours on two cores. A stage that was stopped goes on where it was when the script is called again.
set -euo pipefail
data=${1:?the folder of label maps and scans}
stages=recipes/wmh-flair-stages

leuko train recipes/wmh-flair-base.yaml --data "$data"
leuko train "$stages/narrow-two.yaml" --data "$data"
leuko train "$stages/second-synthetic.yaml" --data "$data"
leuko train "$stages/third-synthetic.yaml" --data "$data"
leuko train "$stages/fourth-synthetic.yaml" --data "$data"
python recipes/average_weights.py runs/second-synthetic/final.pt runs/fourth-synthetic/final.pt \
    -o runs/soup24/final.pt
leuko train "$stages/sixth-synthetic.yaml" --data "$data"
leuko train recipes/wmh-flair.yaml --data "$data"
python recipes/average_weights.py runs/second-synthetic/final.pt runs/fourth-synthetic/final.pt \
    runs/sixth-synthetic/final.pt -o runs/soup246/final.pt
python recipes/average_weights.py runs/soup246/final.pt runs/wmh-flair-real/final.pt \
    -o runs/wmh-flair-v2/final.pt

# The model `accurate`: a stage more, in which small lesions count several times.
leuko train "$stages/tuned-small-lesions.yaml" --data "$data"
python recipes/average_weights.py runs/soup246/final.pt runs/wmh-flair-real/final.pt \
    runs/tuned-small-lesions/final.pt -o runs/wmh-flair-accurate/final.pt
