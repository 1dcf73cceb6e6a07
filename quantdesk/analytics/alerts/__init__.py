"""Judge any metric of a pair by rules: what fires, what is held back, what became of it. Pure.

In a frame `z` is what is shown, `signal_z` the walk-forward z. Rules judge the very z a frame would
show (`scores.z_of_kind` over `PairFrame.joined`), never a full-sample one; bars that a frozen ratio
was fitted on have no value for them.
"""
