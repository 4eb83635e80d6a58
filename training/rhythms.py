"""Train all rhythm models: fibrillation, AF, the record label."""

from training import af, fibrillation, record_label

if __name__ == "__main__":
    for model in (fibrillation, af, record_label):
        model.main()
