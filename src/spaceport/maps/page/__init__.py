"""The map as people see it: labels, one self-contained HTML page, a picture."""
