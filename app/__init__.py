"""Unabridged reads the whole document: library, context, assistant, store and command line.

Folders and packages: app/ is `unabridged`, ingest/ `unabridged.ingest`, models/ `unabridged.models`, ui/ `unabridged.ui`.
"""
