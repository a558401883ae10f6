"""The contract between the stages: records, taxonomy, file formats, provenance. Imports nothing of ours."""
