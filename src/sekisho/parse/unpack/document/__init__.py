"""Other documents: PDF, RTF, HTML, SVG, text, pictures."""
