"""Where the files of a source come from: a folder, a git repository, an object store.

A tree says which files a source holds now, what tells whether one changed, and what their bytes are. It can be sent to
a worker process. What a file means is none of its business.
"""

from pipeline.content.trees.folder import Folder
from pipeline.content.trees.git import Git
from pipeline.content.trees.objects import Objects
from pipeline.content.trees.opening import open_tree
from pipeline.content.trees.tree import Loaded, Tree

__all__ = ["Folder", "Git", "Loaded", "Objects", "Tree", "open_tree"]
