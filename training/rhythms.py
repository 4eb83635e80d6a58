"""Train all rhythm models: fibrillation, AF, the record label."""

from detectors.trees import load
from detectors.weights import models
from training import af, fibrillation, record_label

if __name__ == "__main__":
    for model in (fibrillation, af, record_label):
        # each learns from what the analysis finds with the models written just before
        models.cache_clear()
        load.cache_clear()
        model.main()
