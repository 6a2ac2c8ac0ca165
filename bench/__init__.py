"""What Newsledger costs, measured beside what the same work must cost.

`site` writes archives of any size in the statistical shape of real ones, the same bytes for the same seed, and knows
what they hold. `intake` times the pipeline's own stages on one, beside the bare reading and parsing of the same files.
`python -m bench` prints the figures as ratios, so that a slow or busy machine shifts both sides.
"""
