"""What `lightfer train` writes about a run, as far as a model's card tells of it."""

RUN = {
    "recipe": {
        "name": "toy",
        "seed": 7,
        "precision": "bf16",
        "data": {"votes": "votes.csv"},
        "prune": {"ratio": 8.0},
    },
    "epochs_done": 70,
    "duration_s": 7200.0,
    "data": {
        "sha256": "ab" * 32,
        "training_faces": 27205,
        "left_out_equal_to_validation": 351,
        "merged_copies": 1153,
        "validation_faces": 3589,
    },
    "versions": {"torch": "2.13.0"},
    "machine": {"processor": "a processor"},
}
