"""Lists of bad links: files, DNS lists, and sites never linked to before."""
