"""An archive made to confuse whoever counts articles, and what plain Python reads in it.

Two witnesses who do not know each other: `overlaps` writes the archive and knows which mentions it means as one;
`plain` reads any archive by the rules of the blueprint alone, with PyYAML and the standard library. Neither imports
anything of the product, which a test holds.
"""
