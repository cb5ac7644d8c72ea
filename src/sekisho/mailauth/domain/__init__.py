"""What is wrong with the records of a mail domain, and what to publish: records in, findings out."""
