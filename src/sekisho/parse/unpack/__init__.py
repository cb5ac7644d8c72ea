"""Opening what messages carry: archives, documents, images. Runs in processes of its own (see `sekisho.sandbox`)."""
